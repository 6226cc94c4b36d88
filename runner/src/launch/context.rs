//! The identity of one launch.

use std::path::Path;

use dataset::FileHeader;
use model::{Condition, Experiment};

use super::order::LaunchOrder;

/// One launch of an experiment in a condition.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The name of the run; empty if none is recorded.
    pub(crate) run: &'a str,
    pub(crate) experiment: &'a Experiment,
    pub(crate) condition: Condition,
    /// The number of the launch, from 0.
    pub(crate) number: u32,
    pub(crate) order: LaunchOrder,
    /// The folder for unfinished files on this machine.
    pub(crate) folder: &'a Path,
}

impl Launch<'_> {
    /// The header of each table of the launch.
    pub(crate) fn header(&self) -> FileHeader {
        FileHeader {
            run: self.run.to_owned(),
            condition: self.condition.name().to_owned(),
            launch: self.number,
            arms: self.experiment.arms.iter().map(|arm| arm.name.clone()).collect(),
        }
    }
}
