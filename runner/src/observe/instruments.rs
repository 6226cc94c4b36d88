//! The two instruments that observe a server: the project's hook and strace.

use std::path::Path;

use anyhow::{Context as _, Result};
use engines::Stop;
use model::{Experiment, IsolationLevel, ServerUnderTest, Topology};

use super::probe_result::ProbeResult;
use super::trace;
use crate::foreign_hook::experiments;
use crate::launch::installation::Installation;
use crate::launch::local::child::run_in_child;
use crate::launch::local::spec::LaunchTask;
use crate::preflight::subject::ForeignServer;
use crate::run::availability;

/// Client and server share a network namespace.
pub(super) const TOPOLOGY: Topology = Topology::LocalPod;
/// Name of the trace in the launch's folder.
const TRACE: &str = "trace";

/// The project's hook and strace.
pub(super) struct Instruments<'a> {
    pub(super) setting: Installation,
    level: IsolationLevel,
    stopped: &'a Stop,
}

impl<'a> Instruments<'a> {
    /// Finds the hook, the binaries and the best isolation level.
    ///
    /// # Errors
    /// If one is missing.
    pub(super) fn find(own_hook: &Path, stopped: &'a Stop) -> Result<Self> {
        let (level, _) = availability::best_level(TOPOLOGY).map_err(anyhow::Error::msg)?;
        Ok(Self {
            setting: Installation::find(Some(own_hook))?,
            level,
            stopped,
        })
    }

    /// Observes a server with the hook, and then again with strace. The second result is the reason if strace does not work.
    ///
    /// # Errors
    /// If an instrument fails. A fault of the server is in the result.
    pub(super) fn observe(&self, subject: &ForeignServer) -> Result<(ProbeResult, Result<ProbeResult, String>)> {
        let folder = tempfile::tempdir().context("cannot make a folder for the server")?;
        let mut experiment = experiments::for_observing(subject);
        experiment.validate()?;
        let launch = |experiment: &Experiment, name: &str, arm: &str, trace: Option<&Path>| -> Result<ProbeResult> {
            let own = folder.path().join(name);
            std::fs::create_dir(&own)?;
            let mut spec = self.setting.launch(experiment, (TOPOLOGY, self.level), 0, &own)?;
            spec.task = LaunchTask::Observe {
                arm: arm.to_owned(),
                trace: trace.map(Path::to_owned),
            };
            run_in_child(&spec, self.stopped)
        };
        let hooked = launch(&experiment, "hooked", experiments::OWN, None)?;
        if let Some(why) = trace::missing() {
            return Ok((hooked, Err(why)));
        }
        let path = folder.path().join(TRACE);
        if let ServerUnderTest::Command(program) = &mut experiment.sut {
            program.command = trace::command(&path, &program.command);
        }
        Ok((
            hooked,
            Ok(launch(&experiment, "traced", experiments::BARE, Some(&path))?),
        ))
    }
}
