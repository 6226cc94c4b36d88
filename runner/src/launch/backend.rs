//! The interface between the launch protocol and the place in which a launch happens.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use engines::Image;
use model::{Anomaly, LaunchPlan, LimitHit, ProcessResources, TightLoopBlock};
use monitor::ResourceRecording;

use super::process::{LaunchProcess, ProcessStart};
use crate::treatments::TreatmentSite;

/// Advice for the case that resources cannot be watched.
pub(crate) const NO_MONITOR: &str = "cannot watch resources; try --no-monitor";

/// A place in which one launch happens: processes in local namespaces, containers of an engine, or copies of an application.
///
/// The driver calls the methods in the order in which they stand here. It calls [`Backend::remove`] exactly once, also after
/// an error of any other method.
pub(crate) trait Backend {
    /// Paths of the project's programs, as the processes of the launch see them.
    fn programs(&self) -> OwnPrograms;

    /// Prepares the files and the address of an arm's server. The server is to listen on `port` if its port can be
    /// chosen.
    ///
    /// # Errors
    /// If the server cannot listen there, or a file cannot be made.
    fn server_site(&mut self, arm: usize, port: u16, room: RecordRoom) -> Result<ServerSite>;

    /// Returns the folder and the address of a proxy that is to listen on `port`.
    ///
    /// # Errors
    /// If the arm's server does not run.
    fn proxy_site(&mut self, arm: usize, number: usize, port: u16) -> Result<ProxySite>;

    /// Starts a process, waits until it is ready, and returns the address at which the other processes reach it.
    ///
    /// # Errors
    /// If it does not start, ends, or is not ready within its patience. A [`dataset::ServerFault`] if the program is to blame.
    fn start(&mut self, process: LaunchProcess, start: &ProcessStart) -> Result<SocketAddr>;

    /// Checks that a shared object is mapped into every process that accepts the connections of an arm.
    ///
    /// # Errors
    /// If the object is not mapped; the error gives the reason.
    fn require_mapped(&mut self, arm: usize, object: &Path) -> Result<()>;

    /// Returns the numbers of requests that hook and server of an arm have counted before the load generator's first
    /// request.
    ///
    /// # Errors
    /// If a file is damaged.
    fn counts_before(&mut self, _arm: usize) -> Result<PreMeasurementCounts> {
        Ok(PreMeasurementCounts::default())
    }

    /// Returns the address to which the load generator connects for an arm whose outermost process listens at
    /// `address`, and the network namespace of the connection. `None` stands for the load generator's own namespace.
    fn route(&self, _arm: usize, address: SocketAddr) -> (SocketAddr, Option<PathBuf>) {
        (address, None)
    }

    /// Returns the name of the cluster's node that runs the servers; none if no cluster runs them.
    ///
    /// # Errors
    /// If the cluster does not answer.
    fn node(&self) -> Result<Option<String>> {
        Ok(None)
    }

    /// Prepares the load generator.
    ///
    /// # Errors
    /// If it cannot be started.
    fn load_generator(&mut self) -> Result<LoadGeneratorSite>;

    /// Runs the load generator until it ends, and watches the resources of all processes meanwhile if the experiment asks
    /// for it. `file` holds the plan on this machine.
    ///
    /// # Errors
    /// If the load generator cannot be started, or resources cannot be watched.
    fn generate_load(&mut self, plan: &LaunchPlan, file: &Path) -> Result<LoadOutcome>;

    /// Stops a process.
    ///
    /// # Errors
    /// If it cannot be stopped.
    fn stop(&mut self, process: LaunchProcess) -> Result<StoppedProcess>;

    /// Stores the load generator's observations in the file `to` on this machine.
    ///
    /// # Errors
    /// If the file does not arrive complete.
    fn fetch_observations(&mut self, to: &Path) -> Result<()>;

    /// Returns the files that an arm has left, and the resources that its server has used.
    ///
    /// # Errors
    /// If a file does not arrive complete.
    fn fetch_arm(&mut self, _arm: usize) -> Result<ArmFiles> {
        Ok(ArmFiles::default())
    }

    /// Prepares the files of a tight loop beside an arm's stopped server.
    ///
    /// # Errors
    /// If a file cannot be made.
    fn loop_site(&mut self, arm: usize, payload: &[u8], records: u32) -> Result<LoopSite>;

    /// Runs a tight loop in the place of an arm's stopped server, and returns its blocks.
    ///
    /// # Errors
    /// If a process of the loop fails, or the hook did not count all calls.
    fn run_loop(&mut self, arm: usize, plan: &LoopPlan) -> Result<Vec<TightLoopBlock>>;

    /// Returns true if the limits of an experiment are enforced.
    fn enforces_limits(&self) -> bool {
        true
    }

    /// Returns the anomalies of the place, for the record.
    fn anomalies(&self) -> Vec<Anomaly> {
        Vec::new()
    }

    /// Ends everything that still runs, and removes everything that was made.
    ///
    /// # Errors
    /// If a process or a resource remains.
    fn remove(&mut self) -> Result<()>;
}

/// Paths of the project's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnPrograms {
    /// The synthetic server.
    pub(crate) sut: PathBuf,
    /// The runner, which is also the relay.
    pub(crate) runner: PathBuf,
}

impl OwnPrograms {
    /// Returns the paths in a container.
    pub(crate) fn in_image() -> Self {
        Self {
            sut: Image::SUT.into(),
            runner: Image::RUNNER.into(),
        }
    }
}

/// Room for records in the files of an arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordRoom {
    /// Number of records of the hook; `None` without telemetry, 0 for counters without records.
    pub(crate) telemetry: Option<u32>,
    /// Number of stamps of the server; `None` if the server writes no stamps.
    pub(crate) stamps: Option<u32>,
}

/// Files and address of an arm's server, by the paths that are valid in the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerSite {
    pub(crate) folder: PathBuf,
    pub(crate) address: SocketAddr,
    /// The file for the server's own stamps.
    pub(crate) stamps: Option<PathBuf>,
    pub(crate) treatment: TreatmentSite,
}

/// Folder and address of a proxy, by the paths that are valid in the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProxySite {
    pub(crate) folder: PathBuf,
    pub(crate) address: SocketAddr,
}

/// Files of a tight loop, as its processes see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoopSite {
    /// The file with the bytes that each call receives.
    pub(crate) payload: PathBuf,
    pub(crate) treatment: TreatmentSite,
}

/// A tight loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoopPlan {
    /// The start of the hooked process. The bare one has the same command and no environment.
    pub(crate) hooked: ProcessStart,
    /// The bytes that each call receives.
    pub(crate) payload: Vec<u8>,
    /// Room for records in the hook's telemetry.
    pub(crate) records: u32,
    /// Number of blocks of each process.
    pub(crate) blocks: u32,
    /// Number of receive calls in a block.
    pub(crate) block_calls: u32,
}

/// Requests that reached an arm before the measurement, while its proxies were tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PreMeasurementCounts {
    /// Payload receives that the hook counted.
    pub(crate) receives: u64,
    /// Requests that the server stamped.
    pub(crate) requests: u64,
}

/// Processor and output of the load generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoadGeneratorSite {
    pub(crate) processor: usize,
    /// Whether the arms run on the same processor.
    pub(crate) shared: bool,
    /// The file of observations, as the load generator sees it.
    pub(crate) observations: PathBuf,
}

/// The end of the load generator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LoadOutcome {
    /// Its standard output: the summary as JSON.
    pub(crate) printed: Vec<u8>,
    /// The reason why it failed; `None` if it succeeded.
    pub(crate) failure: Option<String>,
    /// Samples of the resources; none if they were not watched.
    pub(crate) watched: Option<WatchedResources>,
    /// Limits that its container counted; none if nothing counts them.
    pub(crate) counted: Option<Vec<LimitHit>>,
}

/// Samples of the resources that the processes of a launch use.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct WatchedResources {
    pub(crate) recording: ResourceRecording,
    /// Processor on which the sampler runs; `None` if there are several samplers.
    pub(crate) processor: Option<usize>,
    /// Limits that were hit while the load generator worked, according to the samples.
    pub(crate) hits: Vec<LimitHit>,
}

/// The end of a process.
#[derive(Debug, Default)]
pub(crate) struct StoppedProcess {
    /// The reason why the process ended before [`Backend::stop`]; `None` if it still ran.
    pub(crate) ended_early: Option<anyhow::Error>,
    /// Limits that it hit between the first request and the last; none if nothing counts them.
    pub(crate) counted: Option<Vec<LimitHit>>,
}

/// Files and resources that an arm leaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ArmFiles {
    /// The hook's telemetry.
    pub(crate) telemetry: Option<Vec<u8>>,
    /// The server's stamps.
    pub(crate) stamps: Option<Vec<u8>>,
    /// Processor time and memory of the server while the load generator worked.
    pub(crate) resources: Option<ProcessResources>,
}
