//! The study's statistics of one condition.

use serde::Serialize;

use super::p_value::PValue;
use super::student_t::student_t;
use crate::stats::median;

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
    /// Two-sided p-value. The test treats requests as independent; they are not.
    pub p: PValue,
}

/// The reason why the statistics of a recording cannot be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StudyError {
    /// Too few rows remain after the cut.
    #[error(
        "condition {condition}, {what}: {rows} rows, of which the cut of {cut} leaves fewer than {needed}; check the \
         recording or cut less"
    )]
    TooShort {
        /// The condition.
        condition: String,
        /// The recording.
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
        /// The condition.
        condition: String,
        /// The recordings.
        what: String,
    },
    /// A condition that the study does not have.
    #[error("condition {condition} is not of the 2023 study; it has docker, kind, eks-pod and eks-nodes")]
    UnknownCondition {
        /// The name.
        condition: String,
    },
}

/// Returns the study's statistics of one condition. The two recordings are response times in ns, in the order
/// recorded. The first `cut` rows of each are left out ([`WARM_UP_ROWS`] in the study).
///
/// t = (m₂ - m₁) / (s √(1/n₁ + 1/n₂)) with the pooled variance s² = ((n₁-1)s₁² + (n₂-1)s₂²)/(n₁+n₂-2). Assumes
/// independent requests of equal variance. Equal to SciPy's `ttest_ind` (`tests/reference`).
///
/// # Errors
/// When fewer than two rows are left of a recording or they do not vary.
pub fn recompute(condition: &str, unmodified_ns: &[i64], hook_ns: &[i64], cut: usize) -> Result<StudyRow, StudyError> {
    let unmodified = after_cut(condition, "unmodified", unmodified_ns, cut, 2)?;
    let hook = after_cut(condition, "hook", hook_ns, cut, 2)?;
    let test = student_t(unmodified, hook).ok_or_else(|| no_spread(condition, "unmodified and hook"))?;
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

pub(super) fn no_spread(condition: &str, what: &str) -> StudyError {
    StudyError::NoSpread {
        condition: condition.to_owned(),
        what: what.to_owned(),
    }
}

/// Nanoseconds of a millisecond.
pub(super) const NS_PER_MS: f64 = 1e6;

pub(super) fn after_cut<'a>(
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

/// Returns a median in ms as text, exact to the nanosecond, or to half a nanosecond if it is the mean of two values.
///
/// Four of the study's medians end in half a nanosecond, such as 2.8161405 ms of docker's unmodified recording. The
/// study's tools subtract floating-point numbers with an error of 1e-10 ms, and therefore round three of these medians
/// up and one down. Whole nanoseconds have no such error, so all seven digits are correct.
pub(super) fn median_text(median_ms: f64) -> String {
    if between_nanoseconds(median_ms) {
        format!("{median_ms:.7}")
    } else {
        format!("{median_ms:.6}")
    }
}

pub(super) fn between_nanoseconds(median_ms: f64) -> bool {
    (median_ms * 2e6).round() % 2.0 != 0.0
}
