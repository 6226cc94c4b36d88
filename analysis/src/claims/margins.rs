//! The kinds of controls and their margins.

use serde::{Deserialize, Serialize};

use super::expectation::Expectation;

/// The kind of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// The difference of two arms with the same treatment.
    #[strum(to_string = "A/A control")]
    AA,
    /// The recovered minus the true delay of an arm with a known delay.
    Calibration,
}

impl ControlKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::AA, Self::Calibration];

    /// Equivalence to zero within the margin of this kind.
    #[must_use]
    pub const fn expectation(self, margins: &Margins) -> Expectation {
        Expectation::equivalent(margins.of(self))
    }
}

/// The largest distances from zero at which the controls of one server hold.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margins {
    a_a_margin_ns: PositiveNumber,
    calibration_margin_ns: PositiveNumber,
}

impl Margins {
    /// The margin of a kind of control, ns.
    #[must_use]
    pub const fn of(&self, kind: ControlKind) -> f64 {
        match kind {
            ControlKind::AA => self.a_a_margin_ns.0,
            ControlKind::Calibration => self.calibration_margin_ns.0,
        }
    }
}

/// A finite number above zero.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
struct PositiveNumber(f64);

impl TryFrom<f64> for PositiveNumber {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        if value > 0.0 && value.is_finite() {
            Ok(Self(value))
        } else {
            Err(format!("{value}: expected a number above 0"))
        }
    }
}
