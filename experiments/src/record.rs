//! What is recorded of a launch, however its servers were started.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use clusters::Condition;
use dataset::{ArmRecord, Coverage, FileHeader, LaunchRecord, Limits, Resources};
use readhook_telemetry::Record;

use crate::definition::{Arm, Experiment};
use crate::memory;
use crate::order::Order;
use crate::spec::stem;
use crate::sut;
use crate::treatment::loaded;
use crate::watch::Seen;

/// Name of the observations in the launch's folder.
pub(crate) const OBSERVATIONS: &str = "observations.parquet";
/// Name of the hook's calls there.
pub(crate) const HOOK_CALLS: &str = "hook_calls.parquet";

/// The warning where prober and arms cannot be kept apart.
pub(crate) const SHARED: &str = "prober and arms share the only processor";

/// An arm when its server has been stopped.
pub(crate) struct Stopped<'a> {
    pub(crate) arm: &'a Arm,
    pub(crate) start_order: usize,
    /// What the prober connected to.
    pub(crate) address: SocketAddr,
    /// Receives of payload that the hook saw before the measurement.
    pub(crate) receives_before: u64,
    /// The hook's file; the hook was found in the server's memory map.
    pub(crate) telemetry: Option<Vec<u8>>,
    /// Limits that were set for it.
    pub(crate) limits: Option<Limits>,
    /// What it took while it was measured, where that was looked at.
    pub(crate) resources: Option<Resources>,
}

/// A launch when all is over.
pub(crate) struct Measured<'a> {
    pub(crate) condition: Condition,
    pub(crate) launch: u32,
    pub(crate) experiment: &'a Experiment,
    pub(crate) order: &'a Order,
    pub(crate) arms: Vec<Stopped<'a>>,
    /// The prober's.
    pub(crate) summary: serde_json::Value,
    /// What is unusual about the place.
    pub(crate) warnings: Vec<String>,
    /// For what else the launch is not valid.
    pub(crate) faults: Vec<String>,
    /// What was used and denied.
    pub(crate) watched: Seen,
}

/// What the files of a launch say of themselves.
pub(crate) fn header(condition: Condition, launch: u32, experiment: &Experiment) -> FileHeader {
    FileHeader {
        condition: condition.name().to_owned(),
        launch,
        arms: experiment.arms.iter().map(|arm| arm.name.clone()).collect(),
    }
}

impl Measured<'_> {
    /// Checks everything, writes the hook's calls into the launch's folder, and says what came of it.
    pub(crate) fn record(mut self, folder: &Path) -> Result<LaunchRecord> {
        let list = |key: &str| self.summary[key].as_array().cloned().unwrap_or_default();
        let said = list("warnings");
        let mut warnings: Vec<String> = said
            .iter()
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect();
        warnings.extend(self.watched.warnings());
        warnings.extend(self.warnings.iter().chain(&self.faults).cloned());
        let undisturbed = self.watched.warnings().is_empty() && self.faults.is_empty();
        let mut valid = undisturbed && !list("checks").iter().any(|check| check["verdict"] == "failed");
        let mut arms = Vec::new();
        let mut calls = Vec::new();
        for stopped in &self.arms {
            let (record, records) = self.arm(stopped)?;
            if let Some(unexpected) = self.unexpected(&record, stopped.receives_before) {
                valid = false;
                warnings.push(unexpected);
            }
            let index = self.index(&record.arm);
            arms.push(record);
            calls.extend(records.into_iter().map(|record| (index, record)));
        }
        arms.sort_by_key(|record| self.index(&record.arm));
        if !calls.is_empty() {
            calls.sort_by_key(|(arm, record)| (*arm, record.sequence));
            let header = header(self.condition, self.launch, self.experiment);
            dataset::write_hook_calls(&folder.join(HOOK_CALLS), &header, &calls)?;
        }
        let stem = stem(self.condition, self.launch);
        if let Some(output) = self.summary.get_mut("output") {
            // Where it was written on this machine is nobody else's business.
            *output = OBSERVATIONS.into();
        }
        Ok(LaunchRecord {
            condition: self.condition.name().to_owned(),
            launch: self.launch,
            file: format!("observations/{stem}.parquet"),
            hook_calls: (!calls.is_empty()).then(|| format!("hook_calls/{stem}.parquet")),
            monitor: self.watched.record,
            limit_hits: self.watched.hits,
            controls: Vec::new(),
            arms,
            loadgen: self.summary,
            valid,
            warnings,
        })
    }

    /// Its place in the experiment.
    fn index(&self, arm: &str) -> usize {
        let found = self.experiment.arms.iter().position(|other| other.name == arm);
        found.unwrap_or_default()
    }

    fn arm(&self, stopped: &Stopped<'_>) -> Result<(ArmRecord, Vec<Record>)> {
        let arm = stopped.arm;
        let seen = match &stopped.telemetry {
            Some(bytes) => {
                let warm_up = self.experiment.load.warm_up_rounds;
                Some(memory::Seen::read(bytes, stopped.receives_before, warm_up)?)
            }
            None => None,
        };
        let index = self.index(&arm.name);
        let connected = self.order.connection.iter().position(|&other| other == index);
        let record = ArmRecord {
            arm: arm.name.clone(),
            treatment: arm.treatment.name().to_owned(),
            start_order: u32::try_from(stopped.start_order)?,
            connection_order: u32::try_from(connected.unwrap_or_default())?,
            address: stopped.address.to_string(),
            limits: stopped.limits,
            hook_mapped: loaded(arm, Path::new("")).map(|_| true),
            requests_sent: self.summary["requests_sent"][&arm.name].as_u64().unwrap_or(0),
            telemetry: seen.as_ref().and_then(|seen| seen.summary),
            coverage: seen.as_ref().map(|seen| Coverage::of(&seen.counters)),
            resources: stopped.resources,
        };
        Ok((record, seen.map(|seen| seen.records).unwrap_or_default()))
    }

    /// What the hook saw, where that is not what was sent.
    fn unexpected(&self, record: &ArmRecord, before: u64) -> Option<String> {
        let receives = record.coverage.as_ref()?.payload_receives.saturating_sub(before);
        let expected = sut::receives(&self.experiment.sut, record.requests_sent);
        (!expected.contains(&receives)).then(|| {
            format!(
                "{}: the hook saw {receives} receives, expected at least {} and at most {}",
                record.arm,
                expected.start(),
                expected.end()
            )
        })
    }
}
