//! What is recorded of a launch, however its servers were started.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use dataset::{ArmRecord, Block, Coverage, FileHeader, LaunchRecord, Resources, ServerCall};
use model::{Arm, Condition, Experiment, LoadSummary, ResourceLimits};
use readhook_telemetry::Record;

use crate::launch::order::Order;
use crate::launch::spec::stem;
use crate::launch::stamps::Stamps;
use crate::launch::sut;
use crate::launch::telemetry;
use crate::launch::tight_loop;
use crate::launch::watch::Seen;
use crate::treatments::loaded;

/// Name of the observations in the launch's folder.
pub(crate) const OBSERVATIONS: &str = "observations.parquet";
/// Name of the hook's calls there.
pub(crate) const HOOK_CALLS: &str = "hook_calls.parquet";

/// Name of the servers' stamps there.
pub(crate) const SERVER_CALLS: &str = "server_calls.parquet";

/// Name of the blocks of tight loops there.
pub(crate) const TIGHT_LOOPS: &str = "tight_loops.parquet";

/// The warning where prober and arms cannot be kept apart.
pub(crate) const SHARED: &str = "prober and arms share the only processor";

/// An arm when its server has been stopped.
pub(crate) struct Stopped<'a> {
    pub(crate) arm: &'a Arm,
    pub(crate) start_order: usize,
    /// What the prober connected to.
    pub(crate) address: SocketAddr,
    /// What came before the measurement.
    pub(crate) before: Before,
    /// The hook's file; the hook was found in the server's memory map.
    pub(crate) telemetry: Option<Vec<u8>>,
    /// The file with the server's own stamps.
    pub(crate) stamps: Option<Vec<u8>>,
    /// Its treatment without a server; empty where that was not measured.
    pub(crate) tight_loop: Vec<Block>,
    /// Limits that were set for it.
    pub(crate) limits: Option<ResourceLimits>,
    /// What it took while it was measured, where that was looked at.
    pub(crate) resources: Option<Resources>,
}

/// What an arm was sent before the measurement, while it was tried whether it answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    /// Receives of payload that the hook saw.
    pub(crate) receives: u64,
    /// Requests that the server stamped.
    pub(crate) requests: u64,
}

/// A launch when all is over.
pub(crate) struct Measured<'a> {
    pub(crate) condition: Condition,
    pub(crate) launch: u32,
    pub(crate) experiment: &'a Experiment,
    pub(crate) order: &'a Order,
    pub(crate) arms: Vec<Stopped<'a>>,
    /// The prober's.
    pub(crate) summary: LoadSummary,
    /// What is unusual about the place.
    pub(crate) warnings: Vec<String>,
    /// For what else the launch is not valid.
    pub(crate) faults: Vec<String>,
    /// What was used and denied.
    pub(crate) watched: Seen,
}

/// Rows with the arms that they are of.
#[derive(Default)]
struct Tables {
    hook_calls: Vec<(usize, Record)>,
    server_calls: Vec<(usize, ServerCall)>,
    tight_loops: Vec<(usize, Block)>,
}

impl Tables {
    /// Writes those that have rows, in the order of the arms, and of what happened.
    fn write(&mut self, folder: &Path, header: &FileHeader) -> Result<()> {
        self.hook_calls.sort_by_key(|(arm, call)| (*arm, call.sequence));
        self.server_calls.sort_by_key(|(arm, call)| (*arm, call.sequence));
        self.tight_loops.sort_by_key(|(arm, _)| *arm);
        if !self.hook_calls.is_empty() {
            dataset::write_hook_calls(&folder.join(HOOK_CALLS), header, &self.hook_calls)?;
        }
        if !self.server_calls.is_empty() {
            dataset::write_server_calls(&folder.join(SERVER_CALLS), header, &self.server_calls)?;
        }
        if !self.tight_loops.is_empty() {
            dataset::write_tight_loops(&folder.join(TIGHT_LOOPS), header, &self.tight_loops)?;
        }
        Ok(())
    }
}

/// How many requests a server stamped, where that is not what was sent.
fn unstamped(record: &ArmRecord, stamped: Option<u64>) -> Option<String> {
    let stamped = stamped.filter(|stamped| *stamped != record.requests_sent)?;
    Some(format!(
        "{}: the server stamped {stamped} requests, expected {}",
        record.arm, record.requests_sent
    ))
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
    /// Checks everything, writes its tables into the launch's folder, and says what came of it.
    pub(crate) fn record(mut self, folder: &Path) -> Result<LaunchRecord> {
        let mut warnings: Vec<String> = self.summary.warnings().iter().map(ToString::to_string).collect();
        warnings.extend(self.watched.warnings());
        warnings.extend(self.warnings.iter().chain(&self.faults).cloned());
        let undisturbed = self.watched.warnings().is_empty() && self.faults.is_empty();
        let mut valid = undisturbed && self.summary.failed_checks().next().is_none();
        let mut arms = Vec::new();
        let mut tables = Tables::default();
        for stopped in &self.arms {
            let (record, unexpected) = self.arm(stopped, &mut tables)?;
            valid &= unexpected.is_empty();
            warnings.extend(unexpected);
            arms.push(record);
        }
        arms.sort_by_key(|record| self.index(&record.arm));
        tables.write(folder, &header(self.condition, self.launch, self.experiment))?;
        let stem = stem(self.condition, self.launch);
        let file = |name: &str, empty: bool| (!empty).then(|| format!("{name}/{stem}.parquet"));
        // Where it was written on this machine is nobody else's business.
        self.summary.output = OBSERVATIONS.into();
        Ok(LaunchRecord {
            condition: self.condition.name().to_owned(),
            launch: self.launch,
            file: format!("observations/{stem}.parquet"),
            hook_calls: file("hook_calls", tables.hook_calls.is_empty()),
            server_calls: file("server_calls", tables.server_calls.is_empty()),
            tight_loops: file("tight_loops", tables.tight_loops.is_empty()),
            monitor: self.watched.record,
            limit_hits: self.watched.hits,
            controls: Vec::new(),
            arms,
            loadgen: serde_json::to_value(self.summary)?,
            valid,
            warnings,
        })
    }

    /// Its place in the experiment.
    fn index(&self, arm: &str) -> usize {
        let found = self.experiment.arms.iter().position(|other| other.name == arm);
        found.unwrap_or_default()
    }

    /// An arm's record and what is wrong with it; its rows go into the tables.
    fn arm(&self, stopped: &Stopped<'_>, tables: &mut Tables) -> Result<(ArmRecord, Vec<String>)> {
        let (arm, before) = (stopped.arm, stopped.before);
        let warm_up = self.experiment.load.warm_up_rounds;
        let telemetry = stopped.telemetry.as_deref();
        let seen = telemetry
            .map(|bytes| telemetry::Seen::read(bytes, before.receives, warm_up))
            .transpose()?;
        let stamps = stopped.stamps.as_deref();
        let stamps = stamps
            .map(|bytes| Stamps::read(bytes, before.requests, warm_up))
            .transpose()?;
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
            requests_sent: self.summary.requests_sent.get(&arm.name).copied().unwrap_or(0),
            telemetry: seen.as_ref().and_then(|seen| seen.summary),
            coverage: seen.as_ref().map(|seen| Coverage::of(&seen.counters)),
            server: stamps.as_ref().and_then(|stamps| stamps.summary),
            tight_loop: tight_loop::summary(&stopped.tight_loop),
            resources: stopped.resources,
        };
        let stamped = stamps.as_ref().map(|stamps| stamps.requests);
        let unexpected = self
            .unexpected(&record, before)
            .into_iter()
            .chain(unstamped(&record, stamped));
        let unexpected = unexpected.collect();
        let (calls, requests) = (
            seen.map(|seen| seen.records).unwrap_or_default(),
            stamps.map(|stamps| stamps.calls).unwrap_or_default(),
        );
        tables.hook_calls.extend(calls.into_iter().map(|call| (index, call)));
        tables
            .server_calls
            .extend(requests.into_iter().map(|call| (index, call)));
        let blocks = stopped.tight_loop.iter();
        tables.tight_loops.extend(blocks.map(|block| (index, *block)));
        Ok((record, unexpected))
    }

    /// What the hook saw, where that is not what was sent.
    fn unexpected(&self, record: &ArmRecord, before: Before) -> Option<String> {
        let receives = record
            .coverage
            .as_ref()?
            .payload_receives
            .saturating_sub(before.receives);
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
