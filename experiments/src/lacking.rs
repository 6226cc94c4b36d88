//! What an experiment asks for that a condition does not have.

use std::path::Path;

use clusters::{Condition, Installed};

use crate::definition::{Experiment, Sut};
use crate::hop::Hop;
use crate::neighbour::Neighbour;
use crate::program::found;

const PACKAGES: &str = "sut/macro/ says which package has it";

impl Experiment {
    /// Why it cannot be run in a condition, even where that can be had.
    pub(crate) fn lacking(&self, condition: Condition) -> Option<String> {
        let missing = self
            .hops
            .iter()
            .find_map(Hop::lacking)
            .or_else(|| self.neighbour.as_ref().and_then(Neighbour::lacking));
        let program = self.sut.program();
        if matches!(condition, Condition::Local(_)) {
            let program = program.filter(|program| found(Path::new(program)).is_none());
            let installed = program.map(|program| format!("{program} is not installed; {PACKAGES}"));
            return installed.or(missing);
        }
        let program = program.and_then(|program| Installed::find(program).err());
        let installed = program.map(|error| format!("{error}; {PACKAGES}"));
        installed.or(missing).or_else(|| self.port_taken(condition))
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
    /// The program that must be installed for it.
    fn program(&self) -> Option<&str> {
        match self {
            Self::Synthetic { .. } | Self::File { .. } | Self::Application(_) => None,
            Self::Command(program) => program.command.first().map(String::as_str),
        }
    }
}
