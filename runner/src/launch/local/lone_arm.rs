//! An arm that runs alone and answers requests that are not measured.

use anyhow::{Context as _, Result};
use dataset::ServerFault;
use model::Target;

use super::backend::LocalBackend;
use super::server::Server;
use super::spec::LaunchSpec;
use crate::launch::backend::Backend as _;
use crate::launch::driver;
use crate::launch::process::LaunchProcess;
use crate::launch::telemetry::HookTelemetry;

/// A running arm.
pub(crate) struct LoneArm<'a> {
    backend: LocalBackend<'a>,
    index: usize,
    /// The address to which a client connects.
    pub(crate) target: Target,
}

impl LoneArm<'_> {
    /// Starts the arm with this name, calls `act`, and stops the arm. Returns the fault of the arm's server if it has
    /// one. The parent of this process must have entered the launch's isolation level.
    ///
    /// # Errors
    /// If a failure is not a fault of the server.
    pub(crate) fn run(
        spec: &LaunchSpec,
        name: &str,
        act: impl FnOnce(&mut LoneArm<'_>) -> Result<()>,
    ) -> Result<Option<ServerFault>> {
        let index = spec.experiment.arms.iter().position(|arm| arm.name == name);
        let index = index.with_context(|| format!("there is no arm {name}"))?;
        let launch = spec.launch()?;
        let mut backend = LocalBackend::new(spec)?;
        let result = driver::start_arm(&launch, &mut backend, 0, index).and_then(|active| {
            backend.go_to_client()?;
            let mut arm = LoneArm {
                backend,
                index,
                target: active.target,
            };
            act(&mut arm)?;
            match arm.backend.stop(LaunchProcess::Server(index))?.ended_early {
                Some(end) => Err(end),
                None => Ok(()),
            }
        });
        match result {
            Ok(()) => Ok(None),
            Err(error) => error.downcast_ref::<ServerFault>().cloned().map(Some).ok_or(error),
        }
    }

    /// Returns the arm's server.
    ///
    /// # Errors
    /// If it has been stopped.
    pub(crate) fn server(&mut self) -> Result<&mut Server> {
        self.backend.server(self.index)
    }

    /// Returns the hook's telemetry; none if the arm has none.
    ///
    /// # Errors
    /// If the telemetry is damaged.
    pub(crate) fn telemetry(&mut self) -> Result<Option<HookTelemetry>> {
        self.backend.telemetry(self.index)
    }
}
