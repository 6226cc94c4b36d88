//! The record and the tables of a finished launch.

use anyhow::Result;
use dataset::ServerCall;
use model::{
    Anomaly, ArmRecord, Arrivals, HOOK_CALLS_FILE, LaunchFiles, LaunchRecord, LoadSummary, OBSERVATIONS_FILE,
    RESOURCES_FILE, ResourceLimits, SERVER_CALLS_FILE, TIGHT_LOOPS_FILE, TightLoopBlock, launch_folder,
};
use readhook_telemetry::Record;

use super::active_arm::ActiveArm;
use super::backend::{ArmFiles, PreMeasurementCounts};
use super::context::Launch;
use super::held_on_median::held_on_median;
use super::programs::expected_receives;
use super::resource_record::ResourceRecord;
use super::stamps::ServerStamps;
use super::telemetry::HookTelemetry;
use super::tight_loop;
use crate::treatments::Proof;

/// An arm whose server has been stopped.
pub(crate) struct StoppedArm<'a> {
    pub(crate) active: ActiveArm<'a>,
    pub(crate) files: ArmFiles,
    /// Blocks of its tight loop; empty if none was run.
    pub(crate) tight_loop: Vec<TightLoopBlock>,
    /// Limits that were set for it.
    pub(crate) limits: Option<ResourceLimits>,
}

/// A launch whose processes have all been stopped.
pub(crate) struct FinishedLaunch<'a> {
    pub(crate) launch: &'a Launch<'a>,
    pub(crate) arms: Vec<StoppedArm<'a>>,
    /// The load generator's summary.
    pub(crate) summary: LoadSummary,
    /// Anomalies of the place and of the neighbour.
    pub(crate) anomalies: Vec<Anomaly>,
    pub(crate) resources: ResourceRecord,
    /// The cluster's node that ran the servers.
    pub(crate) node: Option<String>,
}

/// Rows of the tables, each with the index of its arm.
#[derive(Default)]
struct Tables {
    hook_calls: Vec<(usize, Record)>,
    server_calls: Vec<(usize, ServerCall)>,
    tight_loops: Vec<(usize, TightLoopBlock)>,
}

impl Tables {
    /// Writes the tables that have rows, in the order of arms and time.
    fn write(&mut self, launch: &Launch<'_>) -> Result<()> {
        let (folder, header) = (launch.folder, launch.header());
        self.hook_calls.sort_by_key(|(arm, call)| (*arm, call.sequence));
        self.server_calls.sort_by_key(|(arm, call)| (*arm, call.sequence));
        self.tight_loops.sort_by_key(|(arm, _)| *arm);
        if !self.hook_calls.is_empty() {
            dataset::write_hook_calls(&folder.join(HOOK_CALLS_FILE), &header, &self.hook_calls)?;
        }
        if !self.server_calls.is_empty() {
            dataset::write_server_calls(&folder.join(SERVER_CALLS_FILE), &header, &self.server_calls)?;
        }
        if !self.tight_loops.is_empty() {
            dataset::write_tight_loops(&folder.join(TIGHT_LOOPS_FILE), &header, &self.tight_loops)?;
        }
        Ok(())
    }
}

impl FinishedLaunch<'_> {
    /// Checks the launch, writes its tables into the launch's folder, and returns its record.
    ///
    /// # Errors
    /// If a file of an arm is damaged, or a table cannot be written.
    pub(crate) fn record(mut self) -> Result<LaunchRecord> {
        let launch = self.launch;
        let mut anomalies = std::mem::take(&mut self.anomalies);
        let mut arms = Vec::new();
        let mut tables = Tables::default();
        self.arms.sort_by_key(|arm| arm.active.index);
        for stopped in &self.arms {
            let (record, miscounts) = self.arm(stopped, &mut tables)?;
            anomalies.extend(miscounts);
            arms.push(record);
        }
        tables.write(launch)?;
        let one_at_a_time = launch.experiment.load.arrivals == Arrivals::Closed;
        let requests = self.arms.iter().zip(&arms).filter(|_| one_at_a_time);
        let requests = requests.map(|(stopped, record)| (stopped.active.index, record.requests_sent));
        let observations = launch.folder.join(OBSERVATIONS_FILE);
        let on_median = held_on_median(&observations, &tables.hook_calls, &requests.collect())?;
        for (stopped, record) in self.arms.iter().zip(&mut arms) {
            if let Some(telemetry) = &mut record.telemetry {
                telemetry.held_ns_on_median = on_median.get(&stopped.active.index).copied();
            }
        }
        let condition = launch.condition.name();
        let place = launch_folder(condition, launch.number);
        let file = |name: &str, there: bool| there.then(|| format!("{place}/{name}"));
        // The record names no path of this machine.
        self.summary.output = OBSERVATIONS_FILE.into();
        let mut record = LaunchRecord {
            files: LaunchFiles {
                hook_calls: file(HOOK_CALLS_FILE, !tables.hook_calls.is_empty()),
                server_calls: file(SERVER_CALLS_FILE, !tables.server_calls.is_empty()),
                tight_loops: file(TIGHT_LOOPS_FILE, !tables.tight_loops.is_empty()),
                resources: file(RESOURCES_FILE, self.resources.monitor.is_some()),
                ..LaunchFiles::of_observations(condition, launch.number)
            },
            node: self.node,
            monitor: self.resources.monitor,
            limit_hits: self.resources.hits,
            arms,
            loadgen: Some(self.summary),
            anomalies,
            ..LaunchRecord::of_observations(condition, launch.number)
        };
        record.judge();
        Ok(record)
    }

    /// Returns the record of an arm and the anomalies of its counts, and adds the arm's rows to the tables.
    fn arm(&self, stopped: &StoppedArm<'_>, tables: &mut Tables) -> Result<(ArmRecord, Vec<Anomaly>)> {
        let ActiveArm { index, arm, before, .. } = stopped.active;
        let warm_up = self.launch.experiment.load.warm_up_rounds;
        let telemetry = stopped.files.telemetry.as_deref();
        let telemetry = telemetry
            .map(|bytes| HookTelemetry::read(bytes, before.receives, warm_up))
            .transpose()?;
        let stamps = stopped.files.stamps.as_deref();
        let stamps = stamps
            .map(|bytes| ServerStamps::read(bytes, before.requests, warm_up))
            .transpose()?;
        let connection_order = self.launch.order.connection.iter();
        let connected = connection_order.take_while(|&&other| other != index).count();
        let record = ArmRecord {
            arm: arm.name.clone(),
            treatment: arm.treatment.name().to_owned(),
            start_order: u32::try_from(stopped.active.start_order)?,
            connection_order: u32::try_from(connected)?,
            address: stopped.active.target.address.to_string(),
            limits: stopped.limits,
            hook_mapped: (stopped.active.proof == Proof::Mapped).then_some(true),
            requests_sent: self.summary.requests_sent.get(&arm.name).copied().unwrap_or(0),
            telemetry: telemetry.as_ref().and_then(|telemetry| telemetry.summary),
            coverage: telemetry
                .as_ref()
                .map(|telemetry| dataset::hook_coverage(&telemetry.counters)),
            server: stamps.as_ref().and_then(|stamps| stamps.summary),
            tight_loop: tight_loop::summary(&stopped.tight_loop),
            resources: stopped.files.resources,
        };
        let stamped = stamps.as_ref().map(|stamps| stamps.requests);
        let unexpected = self.miscounted(&record, before).into_iter();
        let unexpected = unexpected.chain(unstamped(&record, stamped)).collect();
        let calls = telemetry.map(|telemetry| telemetry.records).unwrap_or_default();
        let requests = stamps.map(|stamps| stamps.calls).unwrap_or_default();
        let blocks = stopped.tight_loop.iter();
        tables.hook_calls.extend(calls.into_iter().map(|call| (index, call)));
        tables
            .server_calls
            .extend(requests.into_iter().map(|call| (index, call)));
        tables.tight_loops.extend(blocks.map(|block| (index, *block)));
        Ok((record, unexpected))
    }

    /// Returns an anomaly if the hook did not count the payload receives of the requests that were sent.
    fn miscounted(&self, record: &ArmRecord, before: PreMeasurementCounts) -> Option<Anomaly> {
        let counted = record.coverage.as_ref()?.payload_receives;
        let receives = counted.saturating_sub(before.receives);
        let expected = expected_receives(&self.launch.experiment.sut, record.requests_sent);
        (!expected.contains(&receives)).then(|| Anomaly::HookReceives {
            arm: record.arm.clone(),
            receives,
            at_least: *expected.start(),
            at_most: *expected.end(),
        })
    }
}

/// Returns an anomaly if the server did not stamp each request that was sent.
fn unstamped(record: &ArmRecord, stamped: Option<u64>) -> Option<Anomaly> {
    let stamped = stamped.filter(|stamped| *stamped != record.requests_sent)?;
    Some(Anomaly::ServerStamps {
        arm: record.arm.clone(),
        stamped,
        sent: record.requests_sent,
    })
}
