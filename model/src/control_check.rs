//! Controls of a single launch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load_summary::CheckVerdict;

/// A control of one launch: a value whose expectation is zero, and its margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlCheck {
    /// Name of the contrast, or of the part of the order that was compared.
    pub name: String,
    /// The value, ns; none if it could not be computed.
    pub value_ns: Option<f64>,
    /// Standard error of the value within the launch, ns; none if it could not be computed.
    pub standard_error_ns: Option<f64>,
    /// Largest distance from zero that passes, ns.
    pub margin_ns: f64,
    /// Passed: the value is within the margin, or beyond it by at most three standard errors.
    pub verdict: CheckVerdict,
}

impl ControlCheck {
    /// Compares a value and its standard error, both ns, with a margin. Three standard errors are allowed beyond the margin,
    /// because a short launch cannot tell more.
    #[must_use]
    pub fn of(name: String, found_ns: Option<(f64, f64)>, margin_ns: f64) -> Self {
        Self {
            verdict: match found_ns {
                Some((value_ns, error_ns)) if value_ns.abs() - 3.0 * error_ns <= margin_ns => CheckVerdict::Passed,
                Some(_) => CheckVerdict::Failed,
                None => CheckVerdict::NotRun,
            },
            name,
            value_ns: found_ns.map(|(value_ns, _)| value_ns),
            standard_error_ns: found_ns.map(|(_, error_ns)| error_ns),
            margin_ns,
        }
    }
}
