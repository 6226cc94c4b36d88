//! `claims.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::control::ControlKind;
use super::error::ClaimsError;
use super::evidence::Unit;
use super::expectation::{Direction, Expectation};

const STATED: &str = include_str!("../../claims.toml");
const STATED_FILE: &str = "analysis/claims.toml";
/// The table of margins for servers without one of their own.
const ANY_SERVER: &str = "any";
/// The study's recommendations.
const RECOMMENDATIONS: u8 = 10;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Margins of the control gates, by server.
    pub controls: BTreeMap<String, Margins>,
    /// In the study's order.
    #[serde(rename = "recommendation")]
    pub recommendations: Vec<Recommendation>,
}

/// A finite number above zero.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Positive(pub(super) f64);

impl TryFrom<f64> for Positive {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        if value > 0.0 && value.is_finite() {
            Ok(Self(value))
        } else {
            Err(format!("{value}: expected a number above 0"))
        }
    }
}

/// How far the controls may be from zero, for one server.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margins {
    /// For the difference of two unmodified arms.
    pub(super) a_a_margin_ns: Positive,
    /// For recovered minus true delay.
    pub(super) calibration_margin_ns: Positive,
}

impl Margins {
    /// For a kind of control, ns.
    #[must_use]
    pub const fn of(&self, kind: ControlKind) -> f64 {
        match kind {
            ControlKind::AA => self.a_a_margin_ns.0,
            ControlKind::Calibration => self.calibration_margin_ns.0,
        }
    }
}

/// One of the study's recommendations.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// 1 to 10.
    pub number: u8,
    /// What the paper says.
    pub text: String,
    /// What can be measured of it.
    #[serde(rename = "claim")]
    pub claims: Vec<Claim>,
}

/// Something that data can support or refute.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Unique name.
    pub id: String,
    /// In words.
    pub says: String,
    /// Experiments that measure it.
    pub experiments: Vec<String>,
    /// What they measure, as [`super::Measured`] names it.
    pub quantity: String,
    /// Of the quantity and of the threshold.
    pub unit: Unit,
    /// Conditions in which it may be measured; `A / B` for a comparison of A with B.
    pub conditions: Vec<String>,
    /// From how many of them there must be data.
    #[serde(default = "one")]
    pub at_least: usize,
    /// On which side of the threshold.
    pub direction: Direction,
    /// The threshold.
    pub threshold: f64,
    /// The centre, where the direction is `within`.
    #[serde(default)]
    pub around: f64,
    /// Where the threshold comes from.
    pub threshold_from: String,
    /// Whose controls must hold.
    pub gates: Gates,
}

const fn one() -> usize {
    1
}

/// In which conditions of a run the controls must hold, so that a quantity is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gates {
    /// Where it was measured, and in the condition that it is compared with.
    All,
    /// Only in the condition that it is compared with: for claims that the other one is too noisy.
    Reference,
    /// Nowhere: recordings without controls, and quantities that are the controls' own.
    None,
}

impl Claim {
    /// Direction and threshold.
    #[must_use]
    pub const fn expectation(&self) -> Expectation {
        Expectation {
            direction: self.direction,
            threshold: self.threshold,
            around: self.around,
        }
    }
}

impl Margins {
    /// For the difference of two arms of the same treatment, ns.
    #[must_use]
    pub const fn a_a_margin_ns(&self) -> f64 {
        self.a_a_margin_ns.0
    }

    /// For recovered minus true delay, ns.
    #[must_use]
    pub const fn calibration_margin_ns(&self) -> f64 {
        self.calibration_margin_ns.0
    }
}

impl Claims {
    /// What the project states.
    ///
    /// # Errors
    /// When `analysis/claims.toml` is not as expected.
    pub fn stated() -> Result<Self, ClaimsError> {
        Self::parse(STATED_FILE, STATED)
    }

    /// Reads a text; `file` names it in errors.
    ///
    /// # Errors
    /// With line and key for what is unknown, missing or no such value; with the table for what contradicts itself.
    pub fn parse(file: &str, text: &str) -> Result<Self, ClaimsError> {
        let claims: Self = toml::from_str(text).map_err(|error| ClaimsError::Syntax {
            file: file.to_owned(),
            message: error.to_string(),
        })?;
        claims.check().map_err(|(place, what)| ClaimsError::Meaning {
            file: file.to_owned(),
            place,
            what,
        })?;
        Ok(claims)
    }

    /// The margins for a server: its own, or those for any server.
    #[must_use]
    pub fn margins(&self, server: &str) -> &Margins {
        self.controls.get(server).unwrap_or_else(|| &self.controls[ANY_SERVER])
    }

    fn check(&self) -> Result<(), (String, String)> {
        if !self.controls.contains_key(ANY_SERVER) {
            return Err((
                format!("[controls.{ANY_SERVER}]"),
                "missing; expected margins for servers without a table of their own".to_owned(),
            ));
        }
        let numbers: Vec<u8> = self.recommendations.iter().map(|one| one.number).collect();
        if !numbers.iter().copied().eq(1..=RECOMMENDATIONS) {
            return Err((
                "[[recommendation]]".to_owned(),
                format!("number: {numbers:?}; expected 1 to {RECOMMENDATIONS}, each once, in order"),
            ));
        }
        let mut ids = BTreeSet::new();
        for recommendation in &self.recommendations {
            if recommendation.claims.is_empty() {
                let place = format!("recommendation {}", recommendation.number);
                return Err((place, "no claim; expected at least one".to_owned()));
            }
            for claim in &recommendation.claims {
                let place = || format!("claim {}", claim.id);
                if !ids.insert(&claim.id) {
                    return Err((place(), "id: stands there twice; give each claim its own".to_owned()));
                }
                claim.check().map_err(|what| (place(), what))?;
            }
        }
        Ok(())
    }
}

impl Claim {
    fn check(&self) -> Result<(), String> {
        if !(self.threshold.is_finite() && self.around.is_finite()) {
            return Err("threshold and around: expected finite numbers".to_owned());
        }
        match self.direction {
            Direction::Within if self.threshold <= 0.0 => {
                return Err(format!(
                    "threshold: {}; with the direction within, expected a distance above 0",
                    self.threshold
                ));
            }
            Direction::Above | Direction::Below if self.around != 0.0 => {
                return Err("around: only for the direction within; remove it".to_owned());
            }
            _ => {}
        }
        for (key, text) in [("says", &self.says), ("threshold_from", &self.threshold_from)] {
            if text.trim().is_empty() {
                return Err(format!("{key}: empty; expected a sentence"));
            }
        }
        if self.experiments.is_empty() || self.conditions.is_empty() {
            return Err("experiments and conditions: expected at least one of each".to_owned());
        }
        if self.at_least == 0 || self.at_least > self.conditions.len() {
            return Err(format!(
                "at_least: {}; expected 1 to {}, the number of conditions",
                self.at_least,
                self.conditions.len()
            ));
        }
        Ok(())
    }
}
