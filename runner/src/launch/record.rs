//! What is recorded of a launch, however its servers were started.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use dataset::{FileHeader, ServerCall, TightLoopBlock};
use model::{
    Anomaly, Arm, ArmRecord, Condition, Experiment, HOOK_CALLS_FILE, LaunchFiles, LaunchRecord, LoadSummary,
    OBSERVATIONS_FILE, ProcessResources, RESOURCES_FILE, ResourceLimits, SERVER_CALLS_FILE, TIGHT_LOOPS_FILE,
    launch_folder,
};
use readhook_telemetry::Record;

use crate::launch::order::Order;
use crate::launch::stamps::Stamps;
use crate::launch::sut;
use crate::launch::telemetry;
use crate::launch::tight_loop;
use crate::launch::watch::Seen;
use crate::treatments::loaded;

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
    pub(crate) tight_loop: Vec<TightLoopBlock>,
    /// Limits that were set for it.
    pub(crate) limits: Option<ResourceLimits>,
    /// What it took while it was measured, where that was looked at.
    pub(crate) resources: Option<ProcessResources>,
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
    /// Name of the run.
    pub(crate) run: &'a str,
    pub(crate) condition: Condition,
    pub(crate) launch: u32,
    pub(crate) experiment: &'a Experiment,
    pub(crate) order: &'a Order,
    pub(crate) arms: Vec<Stopped<'a>>,
    /// The prober's.
    pub(crate) summary: LoadSummary,
    /// Anomalies of the launch's place and of the neighbour.
    pub(crate) anomalies: Vec<Anomaly>,
    /// What was used and denied.
    pub(crate) watched: Seen,
}

/// Rows with the arms that they are of.
#[derive(Default)]
struct Tables {
    hook_calls: Vec<(usize, Record)>,
    server_calls: Vec<(usize, ServerCall)>,
    tight_loops: Vec<(usize, TightLoopBlock)>,
}

impl Tables {
    /// Writes those that have rows, in the order of the arms, and of what happened.
    fn write(&mut self, folder: &Path, header: &FileHeader) -> Result<()> {
        self.hook_calls.sort_by_key(|(arm, call)| (*arm, call.sequence));
        self.server_calls.sort_by_key(|(arm, call)| (*arm, call.sequence));
        self.tight_loops.sort_by_key(|(arm, _)| *arm);
        if !self.hook_calls.is_empty() {
            dataset::write_hook_calls(&folder.join(HOOK_CALLS_FILE), header, &self.hook_calls)?;
        }
        if !self.server_calls.is_empty() {
            dataset::write_server_calls(&folder.join(SERVER_CALLS_FILE), header, &self.server_calls)?;
        }
        if !self.tight_loops.is_empty() {
            dataset::write_tight_loops(&folder.join(TIGHT_LOOPS_FILE), header, &self.tight_loops)?;
        }
        Ok(())
    }
}

/// Returns the anomaly of a server that stamped another number of requests than were sent.
fn unstamped(record: &ArmRecord, stamped: Option<u64>) -> Option<Anomaly> {
    let stamped = stamped.filter(|stamped| *stamped != record.requests_sent)?;
    Some(Anomaly::ServerStamps {
        arm: record.arm.clone(),
        stamped,
        sent: record.requests_sent,
    })
}

/// Returns the header of a launch's files.
pub(crate) fn header(run: &str, condition: Condition, launch: u32, experiment: &Experiment) -> FileHeader {
    FileHeader {
        run: run.to_owned(),
        condition: condition.name().to_owned(),
        launch,
        arms: experiment.arms.iter().map(|arm| arm.name.clone()).collect(),
    }
}

impl Measured<'_> {
    /// Checks the launch, writes its tables into the launch's folder, and returns its record.
    pub(crate) fn record(mut self, folder: &Path) -> Result<LaunchRecord> {
        let mut anomalies = std::mem::take(&mut self.anomalies);
        let mut arms = Vec::new();
        let mut tables = Tables::default();
        for stopped in &self.arms {
            let (record, unexpected) = self.arm(stopped, &mut tables)?;
            anomalies.extend(unexpected);
            arms.push(record);
        }
        arms.sort_by_key(|record| self.index(&record.arm));
        tables.write(folder, &header(self.run, self.condition, self.launch, self.experiment))?;
        let condition = self.condition.name();
        let place = launch_folder(condition, self.launch);
        let file = |name: &str, empty: bool| (!empty).then(|| format!("{place}/{name}"));
        // Where it was written on this machine is nobody else's business.
        self.summary.output = OBSERVATIONS_FILE.into();
        let mut record = LaunchRecord {
            files: LaunchFiles {
                hook_calls: file(HOOK_CALLS_FILE, tables.hook_calls.is_empty()),
                server_calls: file(SERVER_CALLS_FILE, tables.server_calls.is_empty()),
                tight_loops: file(TIGHT_LOOPS_FILE, tables.tight_loops.is_empty()),
                resources: file(RESOURCES_FILE, self.watched.record.is_none()),
                ..LaunchFiles::of_observations(condition, self.launch)
            },
            monitor: self.watched.record,
            limit_hits: self.watched.hits,
            arms,
            loadgen: Some(self.summary),
            anomalies,
            ..LaunchRecord::of_observations(condition, self.launch)
        };
        record.judge();
        Ok(record)
    }

    /// Its place in the experiment.
    fn index(&self, arm: &str) -> usize {
        let found = self.experiment.arms.iter().position(|other| other.name == arm);
        found.unwrap_or_default()
    }

    /// An arm's record and what is wrong with it; its rows go into the tables.
    fn arm(&self, stopped: &Stopped<'_>, tables: &mut Tables) -> Result<(ArmRecord, Vec<Anomaly>)> {
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
            coverage: seen.as_ref().map(|seen| dataset::hook_coverage(&seen.counters)),
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

    /// Returns the anomaly of a hook that counted another number of receives than the requests imply.
    fn unexpected(&self, record: &ArmRecord, before: Before) -> Option<Anomaly> {
        let receives = record
            .coverage
            .as_ref()?
            .payload_receives
            .saturating_sub(before.receives);
        let expected = sut::receives(&self.experiment.sut, record.requests_sent);
        (!expected.contains(&receives)).then(|| Anomaly::HookReceives {
            arm: record.arm.clone(),
            receives,
            at_least: *expected.start(),
            at_most: *expected.end(),
        })
    }
}
