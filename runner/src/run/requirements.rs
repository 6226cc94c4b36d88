//! What an experiment asks for that a condition does not have.

use std::path::Path;

use engines::InstalledProgram;
use model::Condition;

use crate::definition::{Experiment, Sut};
use crate::launch::local::neighbour::{Cpus, Neighbour};
use crate::program::found;
use crate::proxies::Hop;

const PACKAGES: &str = "sut/macro/ says which package has it";

impl Experiment {
    /// Why it cannot be run in a condition, even where that can be had.
    pub(crate) fn lacking(&self, condition: Condition) -> Option<String> {
        let missing = self
            .hops
            .iter()
            .find_map(Hop::lacking)
            .or_else(|| self.neighbour.as_ref().and_then(Neighbour::lacking));
        let missing = missing.or_else(|| self.sut.missing_file());
        let program = self.sut.program();
        if matches!(condition, Condition::Local(_)) {
            let program = program.filter(|program| found(Path::new(program)).is_none());
            let installed = program.map(|program| format!("{program} is not installed; {PACKAGES}"));
            return installed.or(missing);
        }
        let program = program.and_then(|program| InstalledProgram::find(program).err());
        let installed = program.map(|error| format!("{error}; {PACKAGES}"));
        installed
            .or(missing)
            .or_else(|| self.port_taken(condition))
            .or_else(|| self.not_beside(condition))
    }

    /// Why a neighbour cannot be where it is asked for: in pods, the prober may have a processor of its own.
    fn not_beside(&self, condition: Condition) -> Option<String> {
        let on = self.neighbour.as_ref()?.cpus;
        (condition != Condition::Docker && on == Cpus::Loadgen).then(|| {
            "neighbour: in pods nothing can be put onto the prober's processor; use cpus = \"arms\" or \"all\""
                .to_owned()
        })
    }

    /// Why containers that share a network namespace cannot all have such a server.
    fn port_taken(&self, condition: Condition) -> Option<String> {
        match &self.sut {
            Sut::Command(program) if condition != Condition::Docker && !program.takes_port() => Some(
                "containers of a pod share their ports, and the server listens on one that it cannot be told; write \
                 {port} into its command"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl Sut {
    /// The first of its files that is not there, of those that have a place of their own.
    fn missing_file(&self) -> Option<String> {
        let Self::Command(program) = self else { return None };
        let files = program.image.iter().flat_map(|patterns| patterns.split(':'));
        let mut named = files.filter(|path| path.starts_with('/') && !path.contains('*'));
        let missing = named.find(|path| !Path::new(path).exists())?;
        Some(format!("{missing} is not there; {PACKAGES}"))
    }

    /// The program that must be installed for it.
    fn program(&self) -> Option<&str> {
        match self {
            Self::Synthetic { .. } | Self::File { .. } | Self::Application(_) => None,
            Self::Command(program) => program.command.first().map(String::as_str),
        }
    }
}
