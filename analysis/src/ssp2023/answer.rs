//! The answers of the recordings about the hook.

use serde::Serialize;

use super::method::{Dependence, HalvesRow};
use super::study_row::StudyRow;

/// The start times of two recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RecordingOrder {
    /// Start of the unmodified program's first request, ns since the epoch.
    pub unmodified_unix_ns: i64,
    /// Start of the hooked program's first request, ns since the epoch.
    pub hook_unix_ns: i64,
}

/// The attribution of a difference between two recordings to the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The difference can be attributed to the hook: no reason against it applies.
    Yes,
    /// The recordings do not separate the hook from other causes.
    CannotBeTold,
}

/// The answer of the recordings of one condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StudyAnswer {
    /// Name of the condition.
    pub condition: String,
    /// hook - unmodified, ms.
    pub difference_ms: f64,
    /// The attribution of the difference to the hook.
    pub told: Told,
    /// Recordings of each arm; the study has one.
    pub launches: usize,
    /// The start of the hooked program's recording minus the start of the unmodified program's, s.
    pub later_s: f64,
    /// Mean of a recording's second half minus mean of its first half, ms, for the recording with the larger
    /// difference. No change of the program causes this difference.
    pub itself_ms: f64,
    /// The reasons why the difference cannot be attributed to the hook.
    pub reasons: Vec<String>,
}

/// The answer for one condition, which has one recording of each arm. Each of these reasons makes the difference inconclusive:
/// one launch of each arm gives no spread between launches; arms that were recorded one after the other also differ in time; a
/// difference between the halves of one program has no hook as its cause; an interval that contains zero shows no effect.
#[must_use]
pub fn answer(row: &StudyRow, dependence: &Dependence, halves: &[HalvesRow], order: RecordingOrder) -> StudyAnswer {
    let difference_ms = row.mean_ms.1 - row.mean_ms.0;
    let itself_ms = halves
        .iter()
        .filter(|half| half.condition == row.condition)
        .map(|half| half.mean_ms.1 - half.mean_ms.0)
        .fold(
            0.0,
            |most: f64, change| if change.abs() > most.abs() { change } else { most },
        );
    let later_s = seconds(order.hook_unix_ns - order.unmodified_unix_ns);
    let mut reasons = vec!["one launch of each arm: how launches differ is not known".to_owned()];
    // Interleaved arms begin within a round.
    if later_s.abs() >= 1.0 {
        reasons.push(format!(
            "arms were recorded one after the other, {:.0} minutes apart: the effects of time and hook cannot be separated",
            later_s.abs() / 60.0
        ));
    }
    if itself_ms.abs() >= difference_ms.abs() {
        reasons.push(format!(
            "the halves of one program differ by {itself_ms:+.3} ms, at least as much as the two programs"
        ));
    }
    let (low, high) = dependence.bootstrap_interval_ms;
    if low <= 0.0 && 0.0 <= high {
        reasons.push("the interval of these recordings contains zero".to_owned());
    }
    if difference_ms < 0.0 {
        reasons.push("the hooked program is faster, and a hook cannot make a program faster".to_owned());
    }
    StudyAnswer {
        condition: row.condition.clone(),
        difference_ms,
        told: if reasons.is_empty() {
            Told::Yes
        } else {
            Told::CannotBeTold
        },
        launches: 1,
        later_s,
        itself_ms,
        reasons,
    }
}

/// The answers as text.
#[must_use]
pub fn answers_text(answers: &[StudyAnswer]) -> String {
    let mut text = "The cost of the hook by these recordings\n".to_owned();
    for answer in answers {
        let told = match answer.told {
            Told::Yes => "is told".to_owned(),
            Told::CannotBeTold => "cannot be told from this data".to_owned(),
        };
        text += &format!("{}: {:+.3} ms, {told}\n", answer.condition, answer.difference_ms);
        for reason in &answer.reasons {
            text += &format!("  - {reason}\n");
        }
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "seconds between recordings")]
fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}
