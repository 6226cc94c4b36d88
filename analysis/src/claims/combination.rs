//! The combination of the rows of one machine to a verdict, and of the verdicts of machines.
//!
//! `Every` is an intersection-union test (Berger 1982, <https://doi.org/10.1080/00401706.1982.10487790>): the claim is supported
//! if each row supports it at one-sided 2.5 %, which needs no correction. `Any` is a union-intersection test, in which the p
//! values of the rows are adjusted by Holm's method, so that all rows together support a false claim in at most 2.5 % of the
//! recordings.

use model::RowCombination;

use super::expectation::{PValues, Verdict};
use crate::holm;

/// The one-sided level of each verdict.
const LEVEL: f64 = 0.025;

/// The verdict of the rows of one machine. A row that decides nothing, and a planned row that is missing, take part with
/// [`PValues::UNDECIDED`]. [`Verdict::NotRun`] without rows.
pub(super) fn of_rows(combine: RowCombination, rows: &[PValues]) -> Verdict {
    if rows.is_empty() {
        return Verdict::NotRun;
    }
    let of = |side: fn(&PValues) -> f64| rows.iter().map(side).collect::<Vec<f64>>();
    let (supported, refuted) = (of(|row| row.supported), of(|row| row.refuted));
    let all = |p_values: &[f64]| p_values.iter().all(|p| *p <= LEVEL);
    // The smallest adjusted p value decides whether any row does.
    let any = |p_values: &[f64]| holm(p_values).is_ok_and(|adjusted| adjusted.iter().any(|p| *p <= LEVEL));
    match combine {
        RowCombination::Every if all(&supported) => Verdict::Supported,
        RowCombination::Every if any(&refuted) => Verdict::NotSupported,
        RowCombination::Any if any(&supported) && !any(&refuted) => Verdict::Supported,
        RowCombination::Any if all(&refuted) => Verdict::NotSupported,
        RowCombination::Every | RowCombination::Any => Verdict::Inconclusive,
    }
}

/// The verdict over machines: the verdict of each machine where all agree. [`Verdict::NotRun`] without machines.
pub(super) fn of_machines(mut verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let Some(first) = verdicts.next() else {
        return Verdict::NotRun;
    };
    if verdicts.all(|verdict| verdict == first) {
        first
    } else {
        Verdict::Inconclusive
    }
}
