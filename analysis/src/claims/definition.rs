//! The file `claims.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error::ClaimsError;
use super::expectation::{Direction, Expectation};
use super::interval::Unit;
use super::margins::Margins;
use super::quantity::Quantity;

const STATED: &str = include_str!("../../claims.toml");
const STATED_FILE: &str = "analysis/claims.toml";
/// The table of margins for servers without a table of their own.
const ANY_SERVER: &str = "any";
/// The number of the study's recommendations.
const RECOMMENDATIONS: u8 = 10;

/// The contents of the file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The margins of the controls, by server.
    pub controls: BTreeMap<String, Margins>,
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
    /// The number of conditions that must have data.
    #[serde(default = "one")]
    pub at_least: usize,
    /// The side of the threshold on which the claim expects the quantity.
    pub direction: Direction,
    /// The threshold.
    pub threshold: f64,
    /// The centre where the direction is `within`.
    #[serde(default)]
    pub around: f64,
    /// The source of the threshold, in words.
    pub threshold_from: String,
    /// The conditions in which controls must hold.
    pub gates: Gates,
}

const fn one() -> usize {
    1
}

/// The conditions of a run in which the controls must hold for a quantity to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gates {
    /// The condition of the quantity and the condition that it is compared with.
    All,
    /// Only the reference condition. This applies to claims that the condition of the quantity is noisier than the
    /// reference.
    Reference,
    /// No condition: for recordings without controls, and for quantities of the controls themselves.
    None,
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

    /// The margins of a server: its own, or the margins for any server.
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
