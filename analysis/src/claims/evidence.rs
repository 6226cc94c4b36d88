//! What was measured, in the form that claims are held against: an experiment of any shape can supply it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::control::Control;
use crate::Estimate;

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// From a value and the ends of its interval.
    #[must_use]
    pub const fn new(value: f64, (low, high): (f64, f64)) -> Self {
        Self { value, low, high }
    }
}

impl From<&Estimate> for Interval {
    fn from(estimate: &Estimate) -> Self {
        Self::new(estimate.value, estimate.confidence_interval)
    }
}

/// Of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds; shown as microseconds.
    Ns,
    /// One quantity by another of the same unit.
    Ratio,
    /// Part of a whole, 0 to 1; shown in per cent.
    Share,
    /// Calls per request.
    Calls,
}

impl Unit {
    /// A number of this unit, as shown, without the unit.
    #[must_use]
    pub fn number(self, value: f64) -> String {
        let shown = match self {
            Self::Ns => value / 1e3,
            Self::Share => value * 100.0,
            Self::Ratio | Self::Calls => value,
        };
        let digits = if self == Self::Share { 1 } else { 2 };
        format!("{shown:.digits$}").replace('-', "\u{2212}")
    }

    /// What follows a number.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Ns => " µs",
            Self::Share => " %",
            Self::Ratio => "",
            Self::Calls => " calls",
        }
    }

    /// A value with its interval: `1.20 [1.10, 1.30] µs`.
    #[must_use]
    pub fn interval(self, interval: &Interval) -> String {
        format!(
            "{} [{}, {}]{}",
            self.number(interval.value),
            self.number(interval.low),
            self.number(interval.high),
            self.suffix()
        )
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ns => "nanoseconds",
            Self::Ratio => "ratio",
            Self::Share => "share",
            Self::Calls => "calls",
        })
    }
}

/// What a condition is to the study's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The engine that its name says.
    Engine,
    /// Its topology only, out of Linux namespaces.
    Emulated,
    /// Recorded by others.
    Recorded,
}

impl Provenance {
    /// Of a condition of a run of ours, by its name.
    #[must_use]
    pub fn of(condition: &str) -> Self {
        if condition.starts_with("local-") {
            Self::Emulated
        } else {
            Self::Engine
        }
    }

    /// As shown to people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Engine => "measured",
            Self::Emulated => "emulated",
            Self::Recorded => "2023 recordings",
        }
    }
}

/// Whose run it is, where evidence has both kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The project's own, kept with it.
    Recorded,
    /// The reader's.
    Yours,
}

impl Source {
    /// As shown to people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Yours => "yours",
        }
    }
}

/// With what a quantity of two places is compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The run; of a grid another cell than the quantity's, perhaps.
    pub run: String,
    /// Where.
    pub condition: String,
}

/// One quantity of one run in one condition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The experiment's name.
    pub experiment: String,
    /// The run.
    pub run: String,
    /// Whose run; `None` for one that stands alone.
    #[serde(default)]
    pub source: Option<Source>,
    /// Launches behind it, of the condition that has fewer where two are compared; `None` where launches are not the unit.
    #[serde(default)]
    pub launches: Option<usize>,
    /// What was measured, as claims name it.
    pub quantity: String,
    /// Where.
    pub condition: String,
    /// With what it is compared, where the quantity is a comparison of two.
    pub reference: Option<Reference>,
    /// What the condition is.
    pub provenance: Provenance,
    /// Of the interval.
    pub unit: Unit,
    /// The value with its 95 % interval.
    pub interval: Interval,
    /// The same without the launches that the validity gate flags, where there are such.
    pub without_flagged: Option<Interval>,
    /// Resource limits that were hit meanwhile, in words.
    pub limits_hit: Vec<String>,
}

/// All that claims are held against.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Quantities of all runs.
    pub measured: Vec<Measured>,
    /// Controls of all runs.
    pub controls: Vec<Control>,
}

impl Evidence {
    /// The same, with all of it known as one kind of run's.
    #[must_use]
    pub fn of(mut self, source: Source) -> Self {
        let measured = self.measured.iter_mut().map(|measured| &mut measured.source);
        let controls = self.controls.iter_mut().map(|control| &mut control.source);
        measured.chain(controls).for_each(|of| *of = Some(source));
        self
    }

    /// Whether some of it was recorded and some is the reader's.
    #[must_use]
    pub fn has_both_sources(&self) -> bool {
        let has = |source| self.measured.iter().any(|measured| measured.source == Some(source));
        has(Source::Recorded) && has(Source::Yours)
    }

    /// Adds another run's.
    pub fn extend(&mut self, other: Self) {
        self.measured.extend(other.measured);
        self.controls.extend(other.controls);
    }
}
