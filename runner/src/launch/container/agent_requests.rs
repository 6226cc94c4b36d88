//! What process 1 of each container is told to start.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use agent::{HOOK_LOG, PROGRAM_FOLDER, ReadinessSign, STAMPS, StartRequest, TELEMETRY, TightLoopRequest};
use anyhow::Result;
use engines::Image;

use super::{Job, image};
use crate::launch::sut;
use crate::launch::tight_loop;
use crate::proxies;
use crate::treatments::{environment, records, telemetry_records};
use model::{Arm, Neighbour, ProgramInstance, ServerUnderTest};

/// Longest time for what says nothing of it.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A program that nothing is done to.
fn plain(filled: ProgramInstance, ready: ReadinessSign) -> StartRequest {
    StartRequest {
        command: filled.command,
        environment: filled.environment,
        files: filled.files,
        records: None,
        stamps: None,
        ready,
    }
}

impl Job<'_> {
    /// An arm's server, with its treatment, on this port of all its addresses.
    pub(super) fn server(&self, arm: &Arm, port: u16) -> Result<StartRequest> {
        let (experiment, work) = (self.experiment, Path::new(Image::WORK));
        let own = work.join(PROGRAM_FOLDER);
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let (filled, ready) = if let ServerUnderTest::Command(program) = &experiment.sut {
            (
                program.instance(&own, address, None),
                ReadinessSign::ListeningPort(port),
            )
        } else {
            let own = (&experiment.sut, sut::spare(experiment));
            let mut command = sut::synthetic(Path::new(Image::SUT), own, address)?;
            if experiment.stamps(arm) {
                command.extend(sut::stamping(&work.join(STAMPS)));
            }
            let filled = ProgramInstance {
                command: command
                    .into_iter()
                    .map(|word| word.to_string_lossy().into_owned())
                    .collect(),
                environment: [].into(),
                files: [].into(),
            };
            (filled, ReadinessSign::Announcement)
        };
        let mut start = plain(filled, ready);
        start.environment.extend(self.treatment(arm));
        if arm.treatment.mode().is_some() {
            start.records = Some(telemetry_records(arm, experiment.load.rounds)?);
        }
        if experiment.stamps(arm) {
            start.stamps = Some(records(experiment.load.rounds)?);
        }
        Ok(start)
    }

    /// Longest time for an arm's server to listen.
    pub(super) fn patience(&self) -> Duration {
        match &self.experiment.sut {
            ServerUnderTest::Command(program) => Duration::from_secs_f64(program.ready_s),
            _ => PATIENCE,
        }
    }

    /// The port on which an arm's server listens where it is told this one.
    pub(super) fn port(&self, told: u16) -> u16 {
        match &self.experiment.sut {
            ServerUnderTest::Command(program) if !program.takes_port() => program.port.unwrap_or(told),
            _ => told,
        }
    }

    /// The variables that give an arm its treatment.
    fn treatment(&self, arm: &Arm) -> Vec<(String, String)> {
        let work = Path::new(Image::WORK);
        let words = self.experiment.words.as_ref().map(|_| Path::new(Image::WORDS));
        let (log, telemetry) = (work.join(HOOK_LOG), work.join(TELEMETRY));
        let arm = image::arm(self.experiment, arm);
        let variables = environment(&arm, Path::new(Image::HOOK), words, &log, Some(&telemetry)).into_iter();
        variables
            .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
            .collect()
    }

    /// An arm's hop of this number, which forwards what comes to a port.
    pub(super) fn hop(&self, number: usize, port: u16, upstream: SocketAddr, seed: u64) -> Result<StartRequest> {
        let place = proxies::Place {
            folder: &Path::new(Image::WORK).join(PROGRAM_FOLDER),
            address: (Ipv4Addr::UNSPECIFIED, port).into(),
            upstream,
            seed,
        };
        let filled = proxies::instance(&self.experiment.proxies[number], &place, Path::new(Image::RUNNER))?;
        Ok(plain(filled, ReadinessSign::ListeningPort(port)))
    }

    /// What is asked for an arm's treatment without a server.
    pub(super) fn tight_loop(&self, arm: &Arm, address: SocketAddr) -> Result<Option<TightLoopRequest>> {
        tight_loop::asked(self.experiment, arm, address, self.treatment(arm))
    }
}

/// The neighbour.
pub(super) fn neighbour(neighbour: &Neighbour) -> StartRequest {
    let filled = ProgramInstance {
        command: neighbour.command.clone(),
        environment: [].into(),
        files: [].into(),
    };
    plain(filled, ReadinessSign::Started)
}
