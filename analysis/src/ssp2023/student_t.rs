//! Student's t test over requests.

use super::p_value::PValue;
use crate::stats::{Distribution, student};

pub(super) struct StudentT {
    pub(super) mean_ns: (f64, f64),
    pub(super) pooled_std_ns: f64,
    pub(super) t: f64,
    pub(super) degrees_of_freedom: f64,
    pub(super) p: PValue,
}

/// Computes Student's t test of the second sample against the first; `None` if there is no spread or a sample has
/// fewer than two values.
pub(super) fn student_t(first: &[i64], second: &[i64]) -> Option<StudentT> {
    student_t_of(
        (first.len() as u64, moments(first)?),
        (second.len() as u64, moments(second)?),
    )
}

/// Returns the p value of the study's test over the requests of two recordings; `None` if there is no spread or a
/// recording has fewer than two requests.
#[must_use]
pub fn requests_differ(first: &Distribution, second: &Distribution) -> Option<PValue> {
    let of = |times: &Distribution| Some((times.len(), (times.mean()?, times.variance()?)));
    Some(student_t_of(of(first)?, of(second)?)?.p)
}

/// Computes Student's t test from counts, means and sample variances.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn student_t_of(first: (u64, (f64, f64)), second: (u64, (f64, f64))) -> Option<StudentT> {
    let ((n1, (mean1_ns, variance1)), (n2, (mean2_ns, variance2))) = (first, second);
    let (n1, n2) = (n1 as f64, n2 as f64);
    let degrees_of_freedom = n1 + n2 - 2.0;
    let pooled_variance = ((n1 - 1.0) * variance1 + (n2 - 1.0) * variance2) / degrees_of_freedom;
    if pooled_variance <= 0.0 {
        return None;
    }
    let pooled_std_ns = pooled_variance.sqrt();
    let t = (mean2_ns - mean1_ns) / (pooled_std_ns * (1.0 / n1 + 1.0 / n2).sqrt());
    let p = PValue::from_ln(student::ln_two_sided_p(t, degrees_of_freedom));
    Some(StudentT {
        mean_ns: (mean1_ns, mean2_ns),
        pooled_std_ns,
        t,
        degrees_of_freedom,
        p,
    })
}

/// Returns the mean and the sample variance, without counting equal values as [`crate::Distribution`] does; `None` for
/// fewer than two values.
#[expect(clippy::cast_precision_loss, reason = "moments have the precision of f64")]
pub(super) fn moments(values_ns: &[i64]) -> Option<(f64, f64)> {
    let n = values_ns.len();
    if n < 2 {
        return None;
    }
    let sum: i128 = values_ns.iter().map(|&value_ns| i128::from(value_ns)).sum();
    let (whole, rest) = (sum / n as i128, sum % n as i128);
    // Deviations from the whole part of the mean are exact. The sum of the deviations corrects for the fractional
    // part.
    let (mut squares, mut deviations) = (0.0, 0.0);
    for &value_ns in values_ns {
        let deviation = (i128::from(value_ns) - whole) as f64;
        squares += deviation * deviation;
        deviations += deviation;
    }
    let variance = ((squares - deviations * deviations / n as f64) / (n as f64 - 1.0)).max(0.0);
    Some((whole as f64 + rest as f64 / n as f64, variance))
}
