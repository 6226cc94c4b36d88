//! A location and an interval that take launches for symmetric, not for normal.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::EstimateError;
use super::sorted::median;

/// Number of values from which on the distribution of signed ranks is approximated by a normal distribution, as in R.
const NORMAL_FROM: usize = 50;
/// Largest number of values; the pairs of more values are too many to compute.
const MOST: usize = 10_000;

/// The Hodges-Lehmann estimate of a location.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct HodgesLehmann {
    /// Median of the means of all pairs of values. Each value also forms a pair with itself.
    pub value: f64,
    /// The interval that the signed-rank test does not reject at 5 %; absent below six values, with which that test rejects
    /// nothing.
    pub confidence_interval: Option<(f64, f64)>,
    /// Number of values.
    pub launches: usize,
}

/// The location of symmetric values, one per launch, by all their pairs: (x_i + x_j)/2, i ≤ j. The interval's ends are two
/// of these, by the distribution of Wilcoxon's signed ranks: exact below fifty values, normal from there on, as in R's
/// `wilcox.test`. Hodges & Lehmann, <https://doi.org/10.1214/aoms/1177704172>. Takes n² time, which is why it works on
/// launches. Validated against R (`tests/reference`).
///
/// # Errors
/// Without a value, for one that is not finite, and for more than 10,000.
pub fn hodges_lehmann(values: &[f64]) -> Result<HodgesLehmann, EstimateError> {
    EstimateError::check(values, 1)?;
    if values.len() > MOST {
        return Err(EstimateError::Overflow);
    }
    let mut pairs: Vec<f64> = values
        .iter()
        .enumerate()
        .flat_map(|(index, one)| values[index..].iter().map(|other| f64::midpoint(*one, *other)))
        .collect();
    pairs.sort_by(f64::total_cmp);
    let first = lower_quantile(values.len());
    Ok(HodgesLehmann {
        value: median(&pairs),
        confidence_interval: (first > 0).then(|| (pairs[first - 1], pairs[pairs.len() - first])),
        launches: values.len(),
    })
}

/// Smallest sum of signed ranks whose distribution function is at least 2.5 %; 0 where even the sum zero is likelier.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks of at most 10,000 launches"
)]
fn lower_quantile(n: usize) -> usize {
    const TAIL: f64 = 0.025;
    if n >= NORMAL_FROM {
        let ranks = n as f64;
        let mean = ranks * (ranks + 1.0) / 4.0;
        let sd = (ranks * (ranks + 1.0) * (2.0 * ranks + 1.0) / 24.0).sqrt();
        return (mean + Normal::standard().inverse_cdf(TAIL) * sd).round() as usize;
    }
    // Of 2^n sums of some of the ranks 1 to n, how many are each number.
    let most = n * (n + 1) / 2;
    let mut counts = vec![0.0_f64; most + 1];
    counts[0] = 1.0;
    for rank in 1..=n {
        for sum in (rank..=most).rev() {
            counts[sum] += counts[sum - rank];
        }
    }
    let all = 2.0_f64.powi(n as i32);
    let mut share = 0.0;
    for (sum, count) in counts.iter().enumerate() {
        share += count / all;
        if share >= TAIL {
            return sum;
        }
    }
    0
}
