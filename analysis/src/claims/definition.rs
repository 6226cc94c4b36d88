//! The file `claims.toml`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::control::ControlKind;
use super::error::ClaimsError;
use super::expectation::{Direction, Expectation};
use super::interval::Unit;
use super::quantity::Quantity;

const STATED: &str = include_str!("../../claims.toml");
const STATED_FILE: &str = "analysis/claims.toml";
/// The number of the study's recommendations.
const RECOMMENDATIONS: u8 = 10;

/// The contents of the file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The recommendations in the study's order.
    #[serde(rename = "recommendation")]
    pub recommendations: Vec<Recommendation>,
}

/// One of the study's recommendations.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// The number in the study, 1 to 10.
    pub number: u8,
    /// The text of the study.
    pub text: String,
    /// The claims about it that can be measured.
    #[serde(rename = "claim")]
    pub claims: Vec<Claim>,
}

/// A statement that data can support or refute.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The name; unique in the file.
    pub id: String,
    /// The claim in words.
    pub says: String,
    /// The experiments that measure the quantity.
    pub experiments: Vec<String>,
    /// The quantity that they measure.
    pub quantity: Quantity,
    /// The unit of the quantity and of the threshold.
    pub unit: Unit,
    /// The conditions in which the quantity may be measured. `A / B` stands for a comparison of A with B.
    pub conditions: Vec<String>,
    /// The side of the threshold on which the claim expects the quantity.
    pub direction: Direction,
    /// The threshold.
    pub threshold: f64,
    /// The centre where the direction is `within`.
    #[serde(default)]
    pub around: f64,
    /// The source of the threshold, in words.
    pub threshold_from: String,
    /// The controls that must have been measured.
    pub controls: NeededControls,
}

/// The controls that must have been measured in a quantity's cell, and in the cell that it is compared with, for the quantity to
/// decide. A control with an error widens the total interval; a missing control leaves this error unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NeededControls {
    /// The A/A control and the calibration.
    Both,
    /// The A/A control alone: for ratios of spreads of A/A differences.
    AA,
    /// None: for recordings without controls, and for quantities in which no effect takes part.
    None,
}

impl NeededControls {
    /// The kinds of these controls.
    #[must_use]
    pub const fn kinds(self) -> &'static [ControlKind] {
        match self {
            Self::Both => &ControlKind::ALL,
            Self::AA => &[ControlKind::AA],
            Self::None => &[],
        }
    }
}

impl Claim {
    /// The direction with the threshold.
    #[must_use]
    pub const fn expectation(&self) -> Expectation {
        Expectation {
            direction: self.direction,
            threshold: self.threshold,
            around: self.around,
        }
    }
}

impl Claims {
    /// The claim of an id.
    #[must_use]
    pub fn claim(&self, id: &str) -> Option<&Claim> {
        self.all().find(|claim| claim.id == id)
    }

    /// All claims, in the order of the file.
    pub fn all(&self) -> impl Iterator<Item = &Claim> {
        self.recommendations.iter().flat_map(|one| &one.claims)
    }

    /// The claims of the project.
    ///
    /// # Errors
    /// The errors of [`Claims::parse`] for `analysis/claims.toml`.
    pub fn stated() -> Result<Self, ClaimsError> {
        Self::parse(STATED_FILE, STATED)
    }

    /// Reads and checks a text. Errors name it by `file`.
    ///
    /// # Errors
    /// With line and key for an unknown or missing key and for a wrong value, such as a quantity that nothing computes. With
    /// the table for values that contradict each other.
    pub fn parse(file: &str, text: &str) -> Result<Self, ClaimsError> {
        let claims: Self = toml::from_str(text).map_err(|error| ClaimsError::Syntax {
            file: file.to_owned(),
            message: error.to_string(),
        })?;
        claims.check().map_err(|(table, message)| ClaimsError::Meaning {
            file: file.to_owned(),
            table,
            message,
        })?;
        Ok(claims)
    }

    fn check(&self) -> Result<(), (String, String)> {
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
                    return Err((place(), "id: used twice; give each claim its own".to_owned()));
                }
                claim.check().map_err(|what| (place(), what))?;
            }
        }
        Ok(())
    }
}

impl Claim {
    fn check(&self) -> Result<(), String> {
        if self.unit != self.quantity.unit() {
            return Err(format!(
                "unit: {}; expected {}, the unit of the quantity `{}`",
                self.unit,
                self.quantity.unit(),
                self.quantity
            ));
        }
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
        Ok(())
    }
}
