//! The input of the paper, computed from recorded runs: numbers as JSON and as LaTeX macros, and figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use analysis::Estimate;
use analysis::claims::{Interval, UNKNOWN_MACHINE};
use analysis::figures::Figure;
use anyhow::{Context, Result};
use dataset::Run;
use samples::{imported_recordings, run_samples};
use serde_json::{Map, Value, json};

use crate::calibration::{self, CalibrationResults};
use crate::claims::{self, JudgedClaims};
use crate::exhibits::{self, Exhibit};
use crate::figures::{self, Boxes};
use crate::reproduction;
use crate::results::{Results, results};
use crate::study::StudyResults;

/// The recorded run of each kind, within the folder of recorded runs.
const RUN: &str = "overhead";
const DELAYS: &str = "calibration/calibration.json";
const REPETITIONS: &str = "coverage/calibration.json";
const STUDY_AGAIN: &str = "ssp2023/reproduction.json";

/// The input of the paper.
#[derive(Clone, Debug)]
pub struct Paper {
    /// The numbers as JSON, which the paper reads.
    pub numbers: Value,
    /// The numbers as LaTeX macros, for citations.
    pub macros: String,
    /// The figures in the order of the paper.
    pub figures: Vec<Figure>,
}

impl Paper {
    /// Computes the input from recorded runs and the imported study. Without the study, its numbers and figures are left out.
    ///
    /// # Errors
    /// When a recorded run is missing or damaged.
    pub fn of(reference: &Path, study: &Path) -> Result<Self> {
        let run = Run::open(&reference.join(RUN))?;
        let samples = run_samples(&run)?;
        let results = results(&run.manifest, &samples)?;
        let recordings = imported_recordings(study)?;
        let recomputed = recordings.as_deref().map(StudyResults::compute).transpose()?;
        let mut drawn = figures::run(&results, &samples)?;
        if let Some(recordings) = &recordings {
            drawn.extend(figures::study(recordings)?);
        }
        let again = recorded(&reference.join(STUDY_AGAIN))?;
        let boxes: Vec<Boxes> = serde_json::from_value(again["conditions"].clone()).with_context(|| {
            format!(
                "{}: conditions are not what `report html` writes of a run of ssp2023; write it anew",
                reference.join(STUDY_AGAIN).display()
            )
        })?;
        let machine = again["cpu_model"].as_str().unwrap_or(UNKNOWN_MACHINE);
        drawn.push(reproduction::box_plot(&boxes)?.on(machine));
        let judged = JudgedClaims::of(&claims::gather(&[reference.to_owned()], study)?)?;
        let mut tables = Map::new();
        for number in 1..=10 {
            let exhibit = exhibits::read(&reference.join(format!("r{number:02}")))?;
            let Exhibit {
                question,
                table,
                figure,
                ..
            } = &exhibit;
            let shown = json!({
                "question": question, "machine": exhibit.machine, "caption": figure.caption, "headings": table.headings, "rows": table.rows,
                "notes": table.notes,
            });
            tables.insert(exhibit.experiment, shown);
            drawn.push(exhibit.figure);
        }
        let numbers = json!({
            "run": results,
            "study": recomputed,
            "reproduction": again,
            "calibration": calibrations(&reference.join(DELAYS))?,
            "coverage": calibrations(&reference.join(REPETITIONS))?,
            "claims": judged,
            "exhibits": tables,
        });
        Ok(Self {
            macros: macros(&results) + &claimed(&judged),
            numbers,
            figures: drawn,
        })
    }
}

/// Returns the calibrations in a file without the errors of single launches, which are thousands.
fn calibrations(path: &Path) -> Result<Vec<CalibrationResults>> {
    let mut calibrations = calibration::read(path)?;
    for calibration in &mut calibrations {
        for repeated in &mut calibration.repeated {
            repeated.errors_ns.clear();
        }
    }
    Ok(calibrations)
}

/// Returns the JSON of a results file.
fn recorded(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// Returns LaTeX macros for each effect in each condition, in µs: `\HookLocalPodLogging`, and `…Low` and `…High` for
/// its interval.
fn macros(results: &Results) -> String {
    let mut text = format!(
        "% Run {}: effects in microseconds with their 95 % intervals.\n",
        results.run_id
    );
    for condition in &results.conditions {
        for effect in &condition.effects {
            let name = format!("Hook{}{}", camel(&condition.condition), camel(&effect.name));
            let Estimate {
                value,
                confidence_interval: (low, high),
                ..
            } = effect.primary();
            for (end, value_ns) in [("", value), ("Low", low), ("High", high)] {
                // Writing to a String cannot fail.
                _ = writeln!(text, "\\newcommand{{\\{name}{end}}}{{{:.3}}}", value_ns / 1e3);
            }
        }
    }
    text
}

/// Returns LaTeX macros for each claim: each quantity by which it was judged, in the unit in which it is shown
/// (`\\ClaimRZeroThreeCostLocalPod`, with a letter for each further run, and `…Low` and `…High` for its interval), and
/// its verdicts (`\\ClaimRZeroThreeCostVerdict` and `\\ClaimRZeroThreeCostExploratory`).
fn claimed(judged: &JudgedClaims) -> String {
    let mut text = "% Claims: quantities with their 95 % intervals, and verdicts.\n".to_owned();
    for claim in judged.recommendations.iter().flat_map(|one| &one.claims) {
        let claim_name = format!("Claim{}", camel(&claim.id));
        for (name, judgement) in [("Verdict", &claim.registered), ("Exploratory", &claim.exploratory)] {
            _ = writeln!(text, "\\newcommand{{\\{claim_name}{name}}}{{{}}}", judgement.verdict);
        }
        let mut seen: BTreeMap<String, u8> = BTreeMap::new();
        for row in &claim.rows {
            let place = camel(&row.condition);
            let number = seen.entry(place.clone()).or_default();
            let further = if *number == 0 {
                String::new()
            } else {
                char::from(b'A' + number.min(&mut 25).to_owned()).to_string()
            };
            *number += 1;
            let Interval { value, low, high } = row.interval;
            for (end, value) in [("", value), ("Low", low), ("High", high)] {
                let number = row.unit.number(value).replace('\u{2212}', "-");
                _ = writeln!(text, "\\newcommand{{\\{claim_name}{place}{further}{end}}}{{{number}}}");
            }
        }
    }
    text
}

/// Returns the words of `text` joined in camel case, with digits as words, because the name of a macro consists of
/// letters only.
fn camel(text: &str) -> String {
    const DIGITS: [&str; 10] = [
        "Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine",
    ];
    let mut name = String::new();
    let mut begins = true;
    for letter in text.replace('µ', "u").chars() {
        match letter.to_digit(10) {
            Some(digit) => name += DIGITS[digit as usize],
            None if letter.is_ascii_alphabetic() && begins => name.extend(letter.to_uppercase()),
            None if letter.is_ascii_alphabetic() => name.push(letter),
            None => {}
        }
        begins = !letter.is_ascii_alphabetic();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::camel;

    #[test]
    fn macro_names_hold_letters_only() {
        assert_eq!(camel("local-pod"), "LocalPod");
        assert_eq!(camel("calibration, 5 µs"), "CalibrationFiveUs");
        assert_eq!(camel("A/A"), "AA");
    }
}
