//! What every source of samples offers.

use std::collections::BTreeMap;
use std::fmt::Display;

use dataset::{Measure, Usage};

/// What sources found of one subject at one time, and why other measures are not there.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The values.
    pub usage: Usage,
    lacking: BTreeMap<Measure, String>,
}

impl Reading {
    /// Takes a value. One that is too large for the table, as the kernel's "no limit" is, is not kept.
    pub fn set(&mut self, measure: Measure, value: impl TryInto<i64>) {
        if let Ok(value) = value.try_into() {
            self.usage[measure] = Some(value);
        }
    }

    /// Says why measures are not there. A value that another source has is kept.
    pub fn lack(&mut self, measures: &[Measure], reason: impl Display) {
        for measure in measures {
            self.lacking.entry(*measure).or_insert_with(|| reason.to_string());
        }
    }

    /// Why a measure is not there.
    pub(crate) fn reason(&self, measure: Measure) -> Option<&str> {
        self.lacking.get(&measure).map(String::as_str)
    }
}

/// One place to read some measures of one subject from.
pub trait Source: Send {
    /// Adds to `reading` what is to be had now. False when there will never be anything again: the process has ended.
    fn read(&mut self, reading: &mut Reading) -> bool;
}
