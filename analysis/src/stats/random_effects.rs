//! One effect in several conditions: a random-effects summary.

use serde::{Deserialize, Serialize};

use super::{quantiles, student};

/// The reason why effects have no summary.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SummaryError {
    /// There is only one condition, or none.
    #[error("{0} condition(s): a summary takes at least 2")]
    TooFewConditions(usize),
    /// The effect of a condition is not finite, or its standard error is not a finite number above zero. An effect without
    /// spread would have an infinite weight.
    #[error(
        "condition {index} (from 0): effect {value} with standard error {error}; expected finite numbers, and an error above zero"
    )]
    Condition {
        /// The index of the condition, from 0.
        index: usize,
        /// Its effect.
        value: f64,
        /// Its standard error.
        error: f64,
    },
}

/// The summary of one effect over several conditions, which are taken as a random sample of all conditions.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct RandomEffects {
    /// Mean of the conditions' effects.
    pub value: f64,
    /// Its 95 % interval (Hartung & Knapp).
    pub confidence_interval: (f64, f64),
    /// Variance between conditions.
    pub tau_squared: f64,
    /// Share of the effects' variance that conditions differ by, 0 to 1, by the typical variance within one (Higgins &
    /// Thompson, <https://doi.org/10.1002/sim.1186>).
    pub i_squared: f64,
    /// Cochran's Q.
    pub q: f64,
    /// The 95 % prediction interval for the effect in a further condition; absent with fewer than three conditions.
    pub prediction_interval: Option<(f64, f64)>,
    /// Number of conditions.
    pub conditions: usize,
}

impl RandomEffects {
    /// Cochran's test that all conditions have the same effect: the probability of a larger Q if they had, of χ²(k - 1). It
    /// takes the standard errors as known, and so finds a difference somewhat too often where launches are few. Validated
    /// against R (`tests/reference`).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of conditions")]
    pub fn q_p_value(&self) -> f64 {
        quantiles::chi_squared_above(self.q, self.conditions as f64 - 1.0)
    }
}

/// Summary of an effect over conditions from (effect, standard error) pairs: Paule & Mandel's variance between conditions, at
/// which Q is its degrees of freedom (<https://doi.org/10.6028/jres.087.022>), so that it always lies within the interval of
/// [`i_squared_interval`]; Hartung & Knapp's interval with k - 1 degrees of freedom
/// (<https://doi.org/10.1002/sim.1482>), never narrower than the usual one (Röver et al.,
/// <https://doi.org/10.1186/s12874-015-0091-1>), and Higgins', Thompson's and Spiegelhalter's prediction interval with k - 2
/// (<https://doi.org/10.1111/j.1467-985X.2008.00552.x>). With the few conditions of an experiment these intervals are wide.
/// Validated against R's metafor (`tests/reference`).
///
/// # Errors
/// For fewer than two conditions, and for an effect or an error that is not finite, or an error that is not above zero.
#[expect(clippy::cast_precision_loss, reason = "a count of conditions")]
pub fn random_effects(effects: &[(f64, f64)]) -> Result<RandomEffects, SummaryError> {
    if effects.len() < 2 {
        return Err(SummaryError::TooFewConditions(effects.len()));
    }
    let bad = |&(_, &(value, error)): &(usize, &(f64, f64))| {
        !(value.is_finite() && error > 0.0 && (1.0 / (error * error)).is_finite() && error.is_finite())
    };
    if let Some((index, &(value, error))) = effects.iter().enumerate().find(bad) {
        return Err(SummaryError::Condition { index, value, error });
    }
    let freedom = effects.len() as f64 - 1.0;
    let fixed = Weighted::new(effects, 0.0);
    let tau_squared = tau_squared_where(effects, freedom);
    let random = Weighted::new(effects, tau_squared);
    let error = ((random.q / freedom).max(1.0) / random.weights).sqrt();
    let half = student::quantile(0.975, freedom) * error;
    let prediction = (effects.len() > 2).then(|| {
        let reach = student::quantile(0.975, freedom - 1.0) * (tau_squared + error * error).sqrt();
        (random.mean - reach, random.mean + reach)
    });
    Ok(RandomEffects {
        value: random.mean,
        confidence_interval: (random.mean - half, random.mean + half),
        tau_squared,
        i_squared: i_squared(tau_squared, &fixed, freedom),
        q: fixed.q,
        prediction_interval: prediction,
        conditions: effects.len(),
    })
}

/// The 95 % interval of I² by the Q-profile: the variances between conditions at which Q would just be the quantiles 0.975 and
/// 0.025 of χ²(k - 1), by the typical variance within. Viechtbauer 2007, <https://doi.org/10.1002/sim.2514>; validated
/// against R's metafor (`tests/reference`).
///
/// # Errors
/// The errors of [`random_effects`].
#[expect(clippy::cast_precision_loss, reason = "a count of conditions")]
pub fn i_squared_interval(effects: &[(f64, f64)]) -> Result<(f64, f64), SummaryError> {
    let (low, high) = tau_squared_interval(effects)?;
    let freedom = effects.len() as f64 - 1.0;
    let fixed = Weighted::new(effects, 0.0);
    Ok((i_squared(low, &fixed, freedom), i_squared(high, &fixed, freedom)))
}

/// The 95 % interval of the variance between conditions by the Q-profile, in the square of the effects' unit.
///
/// # Errors
/// The errors of [`random_effects`].
#[expect(clippy::cast_precision_loss, reason = "a count of conditions")]
pub fn tau_squared_interval(effects: &[(f64, f64)]) -> Result<(f64, f64), SummaryError> {
    // Refuses effects without a summary.
    random_effects(effects)?;
    let freedom = effects.len() as f64 - 1.0;
    let at = |p| tau_squared_where(effects, quantiles::chi_squared(p, freedom));
    Ok((at(0.975), at(0.025)))
}

/// The share of a variance between conditions in the sum of it and the typical variance within one.
fn i_squared(tau_squared: f64, fixed: &Weighted, freedom: f64) -> f64 {
    let typical = freedom * fixed.weights / (fixed.weights.powi(2) - fixed.squares);
    tau_squared / (tau_squared + typical)
}

/// The variance between conditions at which Q, which falls with it, is `q`; 0 where it is less even without any.
fn tau_squared_where(effects: &[(f64, f64)], q: f64) -> f64 {
    let above = |tau_squared: f64| Weighted::new(effects, tau_squared).q > q;
    if !above(0.0) {
        return 0.0;
    }
    let mut high = effects
        .iter()
        .map(|(_, error)| error * error)
        .fold(f64::MIN_POSITIVE, f64::max);
    while above(high) {
        high *= 2.0;
    }
    let mut low = 0.0;
    // Until no number lies between.
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if above(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// A mean weighted by the inverse of variances.
struct Weighted {
    mean: f64,
    weights: f64,
    squares: f64,
    q: f64,
}

impl Weighted {
    fn new(effects: &[(f64, f64)], tau_squared: f64) -> Self {
        let weight = |error: f64| 1.0 / (error * error + tau_squared);
        let weights: f64 = effects.iter().map(|(_, error)| weight(*error)).sum();
        let mean = effects.iter().map(|(value, error)| weight(*error) * value).sum::<f64>() / weights;
        Self {
            mean,
            weights,
            squares: effects.iter().map(|(_, error)| weight(*error).powi(2)).sum(),
            q: effects
                .iter()
                .map(|(value, error)| weight(*error) * (value - mean).powi(2))
                .sum(),
        }
    }
}
