//! The interface of all sources of samples.

use std::collections::BTreeMap;
use std::fmt::Display;

use model::{Measure, Usage};

/// The values that sources found for one subject at one time, and the reasons for missing values.
#[derive(Clone, Debug, Default)]
pub struct UsageReading {
    /// The values.
    pub usage: Usage,
    reasons: BTreeMap<Measure, String>,
}

impl UsageReading {
    /// Sets a value. A value above the range of the table, such as the kernel's "no limit", is dropped.
    pub fn set(&mut self, measure: Measure, value: impl TryInto<i64>) {
        if let Ok(value) = value.try_into() {
            self.usage[measure] = Some(value);
        }
    }

    /// Records why a source has no value for these measures. A value from another source stays; of several reasons, the
    /// first stays.
    pub fn set_missing(&mut self, measures: &[Measure], reason: impl Display) {
        for measure in measures {
            self.reasons.entry(*measure).or_insert_with(|| reason.to_string());
        }
    }

    /// Returns the reason why a value is missing.
    pub(crate) fn reason(&self, measure: Measure) -> Option<&str> {
        self.reasons.get(&measure).map(String::as_str)
    }
}

/// A place from which some measures of one subject are read.
pub trait UsageSource: Send {
    /// Adds the present values to `reading`. Returns false when the source has ended, such as a process.
    fn read(&mut self, reading: &mut UsageReading) -> bool;
}
