//! The study's numbers as text tables.

use super::expected::EXPECTED;
use super::method::{Dependence, HalvesRow, significant_halves};
use super::study_row::{StudyRow, WARM_UP_ROWS, between_nanoseconds, median_text};
use crate::text_table;

/// A line of a table: its name and one cell per condition.
type TableLine = (&'static str, Vec<String>);

/// The study's statistics, one column per condition.
#[must_use]
pub fn table(rows: &[StudyRow]) -> String {
    let cells = |cell: &dyn Fn(&StudyRow) -> String| rows.iter().map(cell).collect::<Vec<_>>();
    let lines = [
        ("unmodified -> hook", cells(&|row| row.condition.clone())),
        ("mean (ms)", cells(&|row| pair(row.mean_ms))),
        (
            "median (ms)",
            cells(&|row| format!("{} -> {}", median_text(row.median_ms.0), median_text(row.median_ms.1))),
        ),
        ("pooled std (ms)", cells(&|row| format!("{:.6}", row.pooled_std_ms))),
        ("Student t", cells(&|row| format!("{:.6}", row.t))),
        ("p", cells(&|row| row.p.to_string())),
        (
            "n",
            cells(&|row| {
                if row.n.0 == row.n.1 {
                    row.n.0.to_string()
                } else {
                    format!("{} -> {}", row.n.0, row.n.1)
                }
            }),
        ),
        ("rows cut", cells(&|row| row.cut.to_string())),
    ];
    aligned(&lines) + &halves_note(rows)
}

/// Returns a note with the medians that lie between two nanoseconds, as the study's tools write them. Empty if no
/// median does.
fn halves_note(rows: &[StudyRow]) -> String {
    let known: Vec<String> = rows
        .iter()
        .filter(|row| row.cut == WARM_UP_ROWS)
        .filter(|row| {
            [row.median_ms.0, row.median_ms.1]
                .iter()
                .any(|&median_ms| between_nanoseconds(median_ms))
        })
        .filter_map(|row| EXPECTED.iter().find(|expected| expected.condition == row.condition))
        .map(|expected| {
            format!(
                "{} {} -> {}",
                expected.condition, expected.median_ms[0], expected.median_ms[1]
            )
        })
        .collect();
    if known.is_empty() {
        return String::new();
    }
    format!(
        "\nMedians with seven decimals lie exactly between two nanoseconds. With the floating-point noise of the \
         published milliseconds they are written: {}.\n",
        known.join(", ")
    )
}

/// Returns the tables about the study's method: tests between the halves of a recording, dependence of requests, and
/// the study's test at several cuts.
#[must_use]
pub fn method_table(halves: &[HalvesRow], dependences: &[Dependence], cuts: &[StudyRow]) -> String {
    let mut text = format!(
        "A/A by halves: the study's test finds a recording different from itself (p < 0.05) in {} of {}\n",
        significant_halves(halves),
        halves.len()
    );
    let cells = |cell: &dyn Fn(&HalvesRow) -> String| halves.iter().map(cell).collect::<Vec<_>>();
    text += &aligned_rows(&[
        ("condition", cells(&|row| row.condition.clone())),
        ("recording", cells(&|row| row.arm.clone())),
        ("first half -> second (ms)", cells(&|row| pair(row.mean_ms))),
        ("t", cells(&|row| format!("{:.3}", row.t))),
        ("p", cells(&|row| row.p.to_string())),
    ]);
    text += "\nDependence between requests (unmodified -> hook)\n";
    let cells = |cell: &dyn Fn(&Dependence) -> String| dependences.iter().map(cell).collect::<Vec<_>>();
    text += &aligned_rows(&[
        ("condition", cells(&|row| row.condition.clone())),
        (
            "autocorrelation, lag 1",
            cells(&|row| format!("{:.2} -> {:.2}", row.lag_1.0, row.lag_1.1)),
        ),
        (
            "lag 100",
            cells(&|row| format!("{:.2} -> {:.2}", row.lag_100.0, row.lag_100.1)),
        ),
        (
            "effective n",
            cells(&|row| format!("{:.0} -> {:.0}", row.effective_n.0, row.effective_n.1)),
        ),
        (
            "mean difference (ms), block bootstrap 95 %",
            cells(&|row| {
                let (low, high) = row.bootstrap_interval_ms;
                format!("{:+.3} [{low:+.3}, {high:+.3}]", row.mean_difference_ms)
            }),
        ),
    ]);
    text += "\nThe study's p by warm-up cut\n";
    let cells = |cell: &dyn Fn(&StudyRow) -> String| cuts.iter().map(cell).collect::<Vec<_>>();
    text += &aligned_rows(&[
        ("condition", cells(&|row| row.condition.clone())),
        ("rows cut", cells(&|row| row.cut.to_string())),
        ("Student t", cells(&|row| format!("{:.6}", row.t))),
        ("p", cells(&|row| row.p.to_string())),
    ]);
    text
}

fn pair((one, other): (f64, f64)) -> String {
    format!("{one:.6} -> {other:.6}")
}

/// The lines as rows of a table: the names on the left, the cells on the right of their columns.
fn aligned(lines: &[TableLine]) -> String {
    let rows = lines.iter().map(|(name, cells)| {
        let name = std::iter::once((*name).to_owned());
        name.chain(cells.iter().cloned()).collect()
    });
    text_table(&rows.collect::<Vec<_>>())
}

/// The columns as a table with the names as its heading.
fn aligned_rows(columns: &[TableLine]) -> String {
    let rows = columns.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let heading = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let row = |row| {
        let cells = columns.iter().map(|(_, cells)| cells.get(row).cloned());
        cells.map(Option::unwrap_or_default).collect()
    };
    text_table(&std::iter::once(heading).chain((0..rows).map(row)).collect::<Vec<_>>())
}
