//! What an experiment asks for that a condition does not have.

use std::path::Path;

use clusters::Condition;

use crate::definition::{Experiment, Sut};
use crate::hop::Hop;
use crate::neighbour::Neighbour;
use crate::program::found;

impl Experiment {
    /// Why it cannot be run in a condition, even where that can be had.
    pub(crate) fn lacking(&self, condition: Condition) -> Option<String> {
        if !matches!(condition, Condition::Local(_)) {
            let outside = [
                (!self.hops.is_empty(), "hops are"),
                (self.neighbour.is_some(), "neighbours are"),
                (self.micro.is_some(), "[micro] is"),
            ];
            let (_, what) = outside.into_iter().find(|(asked, _)| *asked)?;
            return Some(format!("{what} not made in containers; use a condition local-*"));
        }
        let program = self.sut.program().filter(|program| found(Path::new(program)).is_none());
        program
            .map(|program| format!("{program} is not installed; sut/macro/ says which package has it"))
            .or_else(|| self.hops.iter().find_map(Hop::lacking))
            .or_else(|| self.neighbour.as_ref().and_then(Neighbour::lacking))
    }
}

impl Sut {
    /// The program that must be installed for it.
    fn program(&self) -> Option<&str> {
        match self {
            Self::Synthetic { .. } | Self::File { .. } | Self::Application(_) => None,
            Self::Java {} | Self::Tomcat {} => Some("java"),
            Self::Command(program) => program.command.first().map(String::as_str),
        }
    }
}
