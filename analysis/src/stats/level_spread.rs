//! The relative spread of an effect between the levels of a factor.

use serde::{Deserialize, Serialize};

use super::random_effects::{SummaryError, random_effects, tau_squared_interval};

/// The number of standard errors by which an effect must exceed zero for its logarithm to be used.
const CLEAR: f64 = 2.0;

/// The spread of an effect between the levels of a factor, with other factors held fixed.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct LevelSpread {
    /// τ of the logarithm of the effect between levels: 0.1 is a tenth of the effect.
    pub tau: f64,
    /// Its 95 % interval by the Q-profile.
    pub confidence_interval: (f64, f64),
    /// Number of levels.
    pub levels: usize,
    /// Number of strata that were used: combinations of the other factors' levels.
    pub strata: usize,
    /// Number of strata that were left out, because a cell is missing or its effect is not clearly above zero.
    pub left_out: usize,
}

/// The spread between levels from (effect, standard error) pairs. `cells[level][stratum]` is `None` for a cell that was not
/// measured.
///
/// Effects are compared by their logarithms, so that a server in which every effect is larger does not count as a
/// difference between topologies; the standard error of a logarithm is that of the effect, divided by the effect. Within a
/// stratum only the level differs. A level's value is the mean over strata with the same weights for all levels (the inverse of
/// the strata's sums of variances), so that differences between strata cancel. τ and its interval are Paule and Mandel's and
/// the Q-profile's of these values ([`random_effects`]).
///
/// The interval takes the levels as a random sample of all levels. With three levels its upper end is six times τ.
///
/// # Errors
/// Without a usable stratum, and with fewer than two levels.
pub fn relative_spread_between(cells: &[Vec<Option<(f64, f64)>>]) -> Result<LevelSpread, SummaryError> {
    let all = cells.iter().map(Vec::len).min().unwrap_or(0);
    if all == 0 || cells.len() < 2 {
        return Err(SummaryError::TooFewConditions(cells.len()));
    }
    let mut sums = vec![(0.0, 0.0); cells.len()];
    let (mut weights, mut strata) = (0.0, 0);
    for stratum in 0..all {
        let logarithm = |level: &Vec<Option<(f64, f64)>>| {
            let (effect, error) = level[stratum]?;
            (error > 0.0 && effect > CLEAR * error).then(|| (effect.ln(), (error / effect).powi(2)))
        };
        let Some(values) = cells.iter().map(logarithm).collect::<Option<Vec<(f64, f64)>>>() else {
            continue;
        };
        let weight = values.iter().map(|(_, variance)| variance).sum::<f64>().recip();
        for (sum, (value, variance)) in sums.iter_mut().zip(values) {
            sum.0 += weight * value;
            sum.1 += weight * weight * variance;
        }
        weights += weight;
        strata += 1;
    }
    if strata == 0 {
        return Err(SummaryError::TooFewConditions(0));
    }
    let means: Vec<(f64, f64)> = sums
        .into_iter()
        .map(|(value, variance)| (value / weights, variance.sqrt() / weights))
        .collect();
    let (low, high) = tau_squared_interval(&means)?;
    Ok(LevelSpread {
        tau: random_effects(&means)?.tau_squared.sqrt(),
        confidence_interval: (low.sqrt(), high.sqrt()),
        levels: cells.len(),
        strata,
        left_out: all - strata,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Effects of a topology (level) and a server (stratum) that multiply, with errors of a hundredth.
    fn cells(topologies: &[f64], servers: &[f64]) -> Vec<Vec<Option<(f64, f64)>>> {
        let row = |topology: &f64| {
            let effects = servers.iter().map(|server| topology * server);
            effects.map(|effect| Some((effect, effect / 100.0))).collect()
        };
        topologies.iter().map(row).collect()
    }

    #[test]
    fn servers_that_differ_are_no_difference_between_topologies() {
        let alike = relative_spread_between(&cells(&[1.0, 1.0, 1.0], &[1_000.0, 20_000.0, 400.0])).unwrap();
        assert!(alike.tau < 1e-6 && alike.strata == 3, "{alike:?}");
        let differ = relative_spread_between(&cells(&[1.0, 1.2, 0.9], &[1_000.0, 20_000.0, 400.0])).unwrap();
        // The standard deviation of the logarithms is 0.144.
        assert!((differ.tau - 0.144).abs() < 0.002, "{differ:?}");
        assert!(differ.confidence_interval.0 > 0.07, "{differ:?}");
    }

    #[test]
    fn a_stratum_without_a_clear_effect_is_left_out_and_counted() {
        let mut some = cells(&[1.0, 1.2], &[1_000.0, 500.0, 2_000.0]);
        some[1][0] = Some((10.0, 6.0));
        some[0][2] = None;
        let found = relative_spread_between(&some).unwrap();
        assert_eq!((found.strata, found.left_out, found.levels), (1, 2, 2));
        some[0][1] = Some((-5.0, 1.0));
        assert!(relative_spread_between(&some).is_err());
        assert!(relative_spread_between(&some[..1]).is_err());
    }
}
