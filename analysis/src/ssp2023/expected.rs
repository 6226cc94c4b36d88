//! The known numbers of the recordings.

use serde::Serialize;

use super::study_row::{StudyError, StudyRow, median_text};

/// The numbers of one condition as text, with all the digits that are to agree. Pairs are (unmodified, hook); times in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Name of the condition.
    pub condition: &'static str,
    /// Requests of each arm after the cut of 4,000.
    pub n: &'static str,
    /// Means.
    pub mean_ms: (&'static str, &'static str),
    /// Medians.
    pub median_ms: (&'static str, &'static str),
    /// Pooled standard deviation.
    pub pooled_std_ms: &'static str,
    /// Student's t.
    pub t: &'static str,
    /// Two-sided p value.
    pub p: &'static str,
}

/// The study's numbers, computed with NumPy and SciPy from the published recordings, in the study's order of conditions.
/// The script that does it is `tests/reference/ssp2023.py`.
pub const EXPECTED: [Expected; 4] = [
    Expected {
        condition: "docker",
        n: "46000",
        mean_ms: ("2.795459", "3.081986"),
        median_ms: ("2.816141", "3.013161"),
        pooled_std_ms: "0.496399",
        t: "87.538411",
        p: "< 1e-300",
    },
    Expected {
        condition: "kind",
        n: "46000",
        mean_ms: ("3.261880", "3.385635"),
        median_ms: ("3.072137", "3.188987"),
        pooled_std_ms: "0.837246",
        t: "22.416948",
        p: "5.344368e-111",
    },
    Expected {
        condition: "eks-pod",
        n: "46000",
        mean_ms: ("2.108284", "1.992955"),
        median_ms: ("1.528994", "1.573803"),
        pooled_std_ms: "1.639600",
        t: "-10.667537",
        p: "1.496638e-26",
    },
    Expected {
        condition: "eks-nodes",
        n: "46000",
        mean_ms: ("2.851350", "2.865478"),
        median_ms: ("2.168946", "2.186606"),
        pooled_std_ms: "1.947653",
        t: "1.100069",
        p: "0.271305",
    },
];

/// One number, expected and recomputed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Name of the condition.
    pub condition: String,
    /// The name of the number.
    pub what: String,
    /// The known number.
    pub expected: String,
    /// The recomputed number with as many digits; with one more digit if it lies exactly between two numbers of that many digits.
    pub recomputed: String,
    /// Whether both numbers agree to every digit of the expected one.
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
        ("n, unmodified", expected.n, row.n.0.to_string()),
        ("n, hook", expected.n, row.n.1.to_string()),
        ("mean, unmodified (ms)", expected.mean_ms.0, six(row.mean_ms.0)),
        ("mean, hook (ms)", expected.mean_ms.1, six(row.mean_ms.1)),
        (
            "median, unmodified (ms)",
            expected.median_ms.0,
            median_text(row.median_ms.0),
        ),
        ("median, hook (ms)", expected.median_ms.1, median_text(row.median_ms.1)),
        ("pooled std (ms)", expected.pooled_std_ms, six(row.pooled_std_ms)),
        ("Student t", expected.t, six(row.t)),
        ("p", expected.p, row.p.to_string()),
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

/// The same text, or a recomputed number of which the last digit is a five that the expected one has rounded, up or down.
fn rounds_to(recomputed: &str, expected: &str) -> bool {
    let nanoseconds = |text: &str| text.replace('.', "").parse::<i64>().ok();
    match (recomputed.strip_suffix('5'), nanoseconds(expected)) {
        (Some(down), Some(rounded)) if recomputed.len() == expected.len() + 1 => {
            nanoseconds(down).is_some_and(|below| rounded == below || rounded == below + 1)
        }
        _ => recomputed == expected,
    }
}
