//! The statistics of the 2023 study, recomputed from its recordings, and what they leave out.
//!
//! Kahlhofer, Kern, Henning & Rass, *Benchmarking Function Hook Latency in Cloud-Native Environments*
//! (<https://doi.org/10.48550/arXiv.2310.12702>): per condition one recording of 50,000 requests of the unmodified
//! program and one of the hooked program, compared by Student's t test over requests from iteration 4,000 on. [`method`]
//! shows from the same recordings why that test misleads here: requests are not independent, and the arms were recorded
//! one after the other.

mod answer;
mod expected;
pub mod method;
mod p_value;
mod table;

use serde::Serialize;

use crate::stats::{Distribution, median, student};

pub use answer::{Answer, Order, Told, answer, answers_text};
pub use expected::{Check, EXPECTED, EXPECTED_SIGNIFICANT_HALVES, Expected, check};
pub use method::{BLOCK, CUTS, Dependence, HalvesRow, a_a_by_halves, cut_sensitivity, dependence, significant_halves};
pub use p_value::PValue;
pub use table::{method_table, table};

/// Rows that the study drops from the start of each recording as warm-up.
pub const WARM_UP_ROWS: usize = 4_000;

/// One condition of the study. Pairs are (unmodified, hook).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StudyRow {
    /// `docker`, `kind`, `eks-pod` or `eks-nodes`.
    pub condition: String,
    /// Rows dropped from the start of each recording.
    pub cut: usize,
    /// Requests of each arm that are left.
    pub n: (u64, u64),
    /// Mean response time, ms.
    pub mean_ms: (f64, f64),
    /// Median response time, ms.
    pub median_ms: (f64, f64),
    /// Pooled standard deviation of a request, ms.
    pub pooled_std_ms: f64,
    /// Student's t, positive where the hooked program is slower.
    pub t: f64,
    /// n1 + n2 - 2.
    pub degrees_of_freedom: f64,
    /// Two-sided, taking requests as independent, which they are not.
    pub p: PValue,
}

/// Why a recording has no such statistics.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StudyError {
    /// The cut leaves too little.
    #[error(
        "condition {condition}, {what}: {rows} rows, of which the cut of {cut} leaves fewer than {needed}; check the \
         recording or cut less"
    )]
    TooShort {
        /// Which condition.
        condition: String,
        /// Which recording.
        what: String,
        /// Rows it has.
        rows: usize,
        /// Rows to drop.
        cut: usize,
        /// Rows that must be left.
        needed: usize,
    },
    /// All requests took the same time.
    #[error("condition {condition}, {what}: response times do not vary, so there is no test; check the recording")]
    NoSpread {
        /// Which condition.
        condition: String,
        /// Which recordings.
        what: String,
    },
    /// A condition that the study does not have.
    #[error("condition {condition} is not of the 2023 study; it has docker, kind, eks-pod and eks-nodes")]
    UnknownCondition {
        /// The name.
        condition: String,
    },
}

/// The study's statistics of one condition from its two recordings (response times in ns, in the order recorded), the
/// first `cut` rows of each left out ([`WARM_UP_ROWS`] in the study).
///
/// t = (m₂ - m₁) / (s √(1/n₁ + 1/n₂)) with the pooled variance s² = ((n₁-1)s₁² + (n₂-1)s₂²)/(n₁+n₂-2). Assumes
/// independent requests of equal variance. Equal to SciPy's `ttest_ind` (`tests/reference`).
///
/// # Errors
/// When fewer than two rows are left of a recording or they do not vary.
pub fn recompute(condition: &str, unmodified_ns: &[i64], hook_ns: &[i64], cut: usize) -> Result<StudyRow, StudyError> {
    let unmodified = after_cut(condition, "unmodified", unmodified_ns, cut, 2)?;
    let hook = after_cut(condition, "hook", hook_ns, cut, 2)?;
    let test = student_t(unmodified, hook).ok_or_else(|| StudyError::NoSpread {
        condition: condition.to_owned(),
        what: "unmodified and hook".to_owned(),
    })?;
    let median = |recording_ns: &[i64]| median(&mut recording_ns.to_vec()).unwrap_or_default();
    Ok(StudyRow {
        condition: condition.to_owned(),
        cut,
        n: (unmodified.len() as u64, hook.len() as u64),
        mean_ms: (test.mean_ns.0 / NS_PER_MS, test.mean_ns.1 / NS_PER_MS),
        median_ms: (median(unmodified) / NS_PER_MS, median(hook) / NS_PER_MS),
        pooled_std_ms: test.pooled_std_ns / NS_PER_MS,
        t: test.t,
        degrees_of_freedom: test.degrees_of_freedom,
        p: test.p,
    })
}

const NS_PER_MS: f64 = 1e6;

struct StudentT {
    mean_ns: (f64, f64),
    pooled_std_ns: f64,
    t: f64,
    degrees_of_freedom: f64,
    p: PValue,
}

/// Student's t test of second against first; `None` where there is no spread or fewer than two values.
fn student_t(first: &[i64], second: &[i64]) -> Option<StudentT> {
    student_t_of(
        (first.len() as u64, moments(first)?),
        (second.len() as u64, moments(second)?),
    )
}

/// The study's test over the requests of two recordings; `None` where there is no spread or fewer than two requests.
#[must_use]
pub fn requests_differ(first: &Distribution, second: &Distribution) -> Option<PValue> {
    let of = |times: &Distribution| Some((times.len(), (times.mean()?, times.variance()?)));
    Some(student_t_of(of(first)?, of(second)?)?.p)
}

/// The same from counts, means and sample variances.
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

/// Mean and sample variance, as [`crate::Distribution`] has them, without counting; `None` below two values.
#[expect(clippy::cast_precision_loss, reason = "moments have the precision of f64")]
fn moments(values_ns: &[i64]) -> Option<(f64, f64)> {
    let n = values_ns.len();
    if n < 2 {
        return None;
    }
    let sum: i128 = values_ns.iter().map(|&value_ns| i128::from(value_ns)).sum();
    let (whole, rest) = (sum / n as i128, sum % n as i128);
    // Deviations from the whole part of the mean are exact; the second sum corrects for the rest of it.
    let (mut squares, mut deviations) = (0.0, 0.0);
    for &value_ns in values_ns {
        let deviation = (i128::from(value_ns) - whole) as f64;
        squares += deviation * deviation;
        deviations += deviation;
    }
    let variance = ((squares - deviations * deviations / n as f64) / (n as f64 - 1.0)).max(0.0);
    Some((whole as f64 + rest as f64 / n as f64, variance))
}

fn after_cut<'a>(
    condition: &str,
    what: &str,
    recording_ns: &'a [i64],
    cut: usize,
    needed: usize,
) -> Result<&'a [i64], StudyError> {
    recording_ns
        .get(cut..)
        .filter(|rest| rest.len() >= needed)
        .ok_or_else(|| StudyError::TooShort {
            condition: condition.to_owned(),
            what: what.to_owned(),
            rows: recording_ns.len(),
            cut,
            needed,
        })
}
