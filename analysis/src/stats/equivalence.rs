//! Showing that an effect is as good as none.

use serde::{Deserialize, Serialize};

use super::{Estimate, student};

/// The verdict of an equivalence test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EquivalenceVerdict {
    /// The estimate's interval lies inside of the margins.
    Equivalent,
    /// The whole interval lies outside of the margins.
    Different,
    /// The interval crosses a margin: more launches are needed.
    Undecided,
}

/// Result of two one-sided tests.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Equivalence {
    /// Largest effect that counts as none, in the estimate's unit.
    pub margin: f64,
    /// The larger of the two one-sided p values.
    pub p: f64,
    /// By the estimate's own confidence interval.
    pub verdict: EquivalenceVerdict,
}

/// A margin that is none.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("margin {margin}: expected a positive number in the estimate's unit")]
pub struct EquivalenceError {
    /// The margin that was given.
    pub margin: f64,
}

/// Two one-sided t tests (TOST) of an estimate against plus and minus `margin`.
///
/// p = max(P(T ≥ (m + δ)/se), P(T ≤ (m - δ)/se)) with n - 1 degrees of freedom. The verdict asks that the whole two-sided
/// interval lie within the margins, which for a 95 % interval is the test at 2.5 %, stricter than the usual 5 %. A p that
/// is not small says nothing; only a small one says that the effect is as good as none. Schuirmann,
/// <https://doi.org/10.1007/BF01068419>. Validated against SciPy (`tests/reference`).
///
/// # Errors
/// For a margin that is not positive and finite.
#[expect(clippy::cast_precision_loss, reason = "a count of launches")]
pub fn within_margin(estimate: &Estimate, margin: f64) -> Result<Equivalence, EquivalenceError> {
    if !(margin > 0.0 && margin.is_finite()) {
        return Err(EquivalenceError { margin });
    }
    let (low, high) = estimate.confidence_interval;
    let verdict = if -margin < low && high < margin {
        EquivalenceVerdict::Equivalent
    } else if low > margin || high < -margin {
        EquivalenceVerdict::Different
    } else {
        EquivalenceVerdict::Undecided
    };
    let n = estimate.launches as f64;
    let standard_error = estimate.launch_sd / n.sqrt();
    let distance = margin - estimate.value.abs();
    // Without any spread the comparison is certain either way.
    let p = if standard_error > 0.0 {
        student::upper_tail(distance / standard_error, n - 1.0)
    } else if distance > 0.0 {
        0.0
    } else {
        1.0
    };
    Ok(Equivalence { margin, p, verdict })
}
