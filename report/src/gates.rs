//! Control gates: what must hold before a result is believed. Margins stand in `analysis/claims.toml`.

use std::collections::BTreeMap;

use analysis::Estimate;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// How far the controls may be from zero, for one kind of server.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margins {
    /// For the difference of two unmodified arms, ns.
    pub a_a_margin_ns: f64,
    /// For recovered minus true delay, ns.
    pub calibration_margin_ns: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    controls: BTreeMap<String, Margins>,
}

/// The margins for the synthetic system under test.
///
/// # Errors
/// When `claims.toml` is not as expected.
pub fn margins() -> Result<Margins> {
    let claims: Claims = toml::from_str(include_str!("../../analysis/claims.toml"))
        .context("analysis/claims.toml: expected [controls.NAME] tables of margins")?;
    claims
        .controls
        .get("sut")
        .copied()
        .context("analysis/claims.toml: [controls.sut] is missing")
}

/// What a check says. A check that could not run never counts as passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The data show it.
    Supported,
    /// The data show the contrary.
    NotSupported,
    /// The interval is too wide to say, or straddles the threshold.
    Inconclusive,
    /// There were no data for it.
    NotRun,
}

impl Verdict {
    /// As shown to people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::NotSupported => "not supported",
            Self::Inconclusive => "inconclusive",
            Self::NotRun => "not run",
        }
    }
}

/// Equivalence to zero: the interval lies inside plus or minus `margin_ns`.
#[must_use]
pub fn equivalent(estimate: &Estimate, margin_ns: f64) -> Verdict {
    let (low, high) = estimate.confidence_interval;
    if low > -margin_ns && high < margin_ns {
        Verdict::Supported
    } else if low > margin_ns || high < -margin_ns {
        Verdict::NotSupported
    } else {
        Verdict::Inconclusive
    }
}

/// A cost: the interval lies above zero. An interval below zero is the contrary.
#[must_use]
pub fn positive(estimate: &Estimate) -> Verdict {
    let (low, high) = estimate.confidence_interval;
    if low > 0.0 {
        Verdict::Supported
    } else if high < 0.0 {
        Verdict::NotSupported
    } else {
        Verdict::Inconclusive
    }
}
