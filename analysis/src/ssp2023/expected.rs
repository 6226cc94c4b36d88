//! The known numbers of the recordings.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::study_row::{StudyError, StudyRow, median_text};

/// The known numbers of one condition as text. All their digits must agree with the recomputed numbers. Pairs are
/// [unmodified, hook]. Times are in ms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Name of the condition.
    #[serde(rename = "name")]
    pub condition: String,
    /// Number of requests of each arm after the cut of 4,000.
    pub n: String,
    /// Means.
    pub mean_ms: [String; 2],
    /// Medians.
    pub median_ms: [String; 2],
    /// Pooled standard deviation.
    pub pooled_std_ms: String,
    /// Student's t.
    pub t: String,
    /// Two-sided p value.
    pub p: String,
}

/// The known numbers of the study, in the study's order of conditions.
pub static EXPECTED: LazyLock<Vec<Expected>> = LazyLock::new(|| {
    let mut conditions: BTreeMap<String, Vec<Expected>> =
        toml::from_str(include_str!("expected.toml")).expect("a test reads the file");
    conditions.remove("condition").unwrap_or_default()
});

/// One number of a condition: the known and the recomputed value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Name of the condition.
    pub condition: String,
    /// The name of the number.
    pub what: String,
    /// The known number.
    pub expected: String,
    /// The recomputed number with as many digits as the known number. It has one more digit if it lies exactly between
    /// two numbers of that many digits.
    pub recomputed: String,
    /// True if the recomputed number, rounded to the digits of the known number, equals the known number.
    pub agrees: bool,
}

/// Compares a recomputed condition with [`EXPECTED`], number by number.
///
/// # Errors
/// For a condition that the study does not have.
pub fn check(row: &StudyRow) -> Result<Vec<Check>, StudyError> {
    let expected = EXPECTED
        .iter()
        .find(|expected| expected.condition == row.condition)
        .ok_or_else(|| StudyError::UnknownCondition {
            condition: row.condition.clone(),
        })?;
    let six = |number: f64| format!("{number:.6}");
    Ok([
        ("n, unmodified", &expected.n, row.n.0.to_string()),
        ("n, hook", &expected.n, row.n.1.to_string()),
        ("mean, unmodified (ms)", &expected.mean_ms[0], six(row.mean_ms.0)),
        ("mean, hook (ms)", &expected.mean_ms[1], six(row.mean_ms.1)),
        (
            "median, unmodified (ms)",
            &expected.median_ms[0],
            median_text(row.median_ms.0),
        ),
        (
            "median, hook (ms)",
            &expected.median_ms[1],
            median_text(row.median_ms.1),
        ),
        ("pooled std (ms)", &expected.pooled_std_ms, six(row.pooled_std_ms)),
        ("Student t", &expected.t, six(row.t)),
        ("p", &expected.p, row.p.to_string()),
    ]
    .into_iter()
    .map(|(what, expected, recomputed)| Check {
        condition: row.condition.clone(),
        what: what.to_owned(),
        expected: expected.to_owned(),
        agrees: rounds_to(&recomputed, expected),
        recomputed,
    })
    .collect())
}

/// Returns true if both texts are equal, or if `recomputed` has one more digit, a five, and `expected` is `recomputed`
/// rounded up or down.
fn rounds_to(recomputed: &str, expected: &str) -> bool {
    let nanoseconds = |text: &str| text.replace('.', "").parse::<i64>().ok();
    match (recomputed.strip_suffix('5'), nanoseconds(expected)) {
        (Some(down), Some(rounded)) if recomputed.len() == expected.len() + 1 => {
            nanoseconds(down).is_some_and(|below| rounded == below || rounded == below + 1)
        }
        _ => recomputed == expected,
    }
}
