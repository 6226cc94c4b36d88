//! The figures of the report and of the notebooks.

use analysis::claims::Interval;
use analysis::figures::{
    BoxGroup, BoxPlot, BoxSeries, Figure, Forest, ForestRow, Panel, RunSequence, Sequence, Thinned, box_plot, forest,
    run_sequence,
};
use analysis::ssp2023::WARM_UP_ROWS;
use analysis::{Distribution, FiveNumbers};
use anyhow::{Context, Result};
use rayon::prelude::*;
use samples::{RunSamples, StudyRecording};
use serde::{Deserialize, Serialize};

use crate::results::{ConditionResults, Results};
use model::ContrastRole;

/// The number of iterations in the study's run-sequence figure.
const STUDY_ITERATIONS: usize = 10_000;
/// Number of columns to which a sequence is thinned. At print resolution a figure has fewer pixels than columns.
const COLUMNS: usize = 1_200;
/// The arms that are drawn as sequences. More arms would cover each other.
const SEQUENCE_ARMS: [&str; 3] = ["unmodified", "log", "with hook"];

/// A condition's boxes in the study's first figure.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Boxes {
    /// The condition.
    pub condition: String,
    /// RTT of the unmodified and of the hooked program, ms.
    pub boxes_ms: (FiveNumbers, FiveNumbers),
}

/// Returns both figures of the study, from its recordings.
///
/// # Errors
/// When there are no recordings.
pub fn study(recordings: &[StudyRecording]) -> Result<Vec<Figure>> {
    Ok(vec![study_boxes(recordings)?, study_sequence(recordings)?])
}

/// Returns the study's box plot for our own run of its experiment: the first launch of each condition. `places` names
/// the conditions in the caption.
///
/// # Errors
/// When there is no condition.
pub(crate) fn reproduced_boxes(measured: &[Boxes], places: &str) -> Result<Figure> {
    boxes(
        measured,
        "ours-box-plot",
        &format!(
            "Round-trip time in our run of the study's experiment, {places}: the first launch, whiskers at 1.5 IQR, \
             outliers not shown."
        ),
        None,
    )
}

/// Returns the study's run-sequence plot for our own run of its experiment.
///
/// # Errors
/// When there is no condition.
pub(crate) fn reproduced_sequence(recordings: &[StudyRecording]) -> Result<Figure> {
    let panels: Vec<[&str; 1]> = recordings.iter().map(|ours| [ours.condition.as_str()]).collect();
    let panels: Vec<&[&str]> = panels.iter().map(|names| &names[..]).collect();
    sequence(
        recordings,
        "ours-run-sequence",
        "The first 10,000 requests to the unmodified program in our run of the study's experiment, warm-up included.",
        None,
        &panels,
    )
}

/// The study's box plot: RTT by condition and arm, after the warm-up.
///
/// # Errors
/// When a recording is empty.
pub fn study_boxes(recordings: &[StudyRecording]) -> Result<Figure> {
    let recorded = recordings.par_iter().map(|recording| {
        Ok(Boxes {
            condition: recording.condition.clone(),
            boxes_ms: five_numbers_ms(recording, WARM_UP_ROWS)?,
        })
    });
    boxes(
        &recorded.collect::<Result<Vec<_>>>()?,
        "study-box-plot",
        "Round-trip time in the 2023 study, redrawn from its recordings: 46,000 requests a box, whiskers at 1.5 IQR, \
         outliers not shown.",
        Some((0.0, 5.0)),
    )
}

/// Returns the five numbers of the RTTs of each arm of a recording, ms, without the first `cut` requests.
///
/// # Errors
/// When no request is left.
pub(crate) fn five_numbers_ms(recording: &StudyRecording, cut: usize) -> Result<(FiveNumbers, FiveNumbers)> {
    let numbers = |rtt_ns: &[i64]| {
        let rest = rtt_ns.get(cut..).unwrap_or_default();
        five_numbers(&recording.condition, &rest.iter().copied().collect(), 1e-6)
    };
    Ok((numbers(&recording.unmodified_ns)?, numbers(&recording.hook_ns)?))
}

fn boxes(recorded: &[Boxes], name: &str, caption: &str, y_limits: Option<(f64, f64)>) -> Result<Figure> {
    let series = |name: &str, numbers: FiveNumbers| BoxSeries {
        name: name.to_owned(),
        numbers,
    };
    let groups = recorded.iter().map(|one| {
        let (unmodified, hook) = one.boxes_ms;
        BoxGroup {
            label: one.condition.clone(),
            series: vec![series("unmodified", unmodified), series("with hook", hook)],
        }
    });
    let groups = groups.collect();
    Ok(box_plot(&BoxPlot {
        name: name.to_owned(),
        caption: caption.to_owned(),
        y_title: "RTT (ms)".to_owned(),
        y_limits,
        groups,
    })?)
}

/// The study's run-sequence plot: unmodified program, warm-up included.
///
/// # Errors
/// When a condition is missing.
pub fn study_sequence(recordings: &[StudyRecording]) -> Result<Figure> {
    sequence(
        recordings,
        "study-run-sequence",
        "The first 10,000 requests to the unmodified program in the 2023 study, warm-up included.",
        Some((1.0, 20.0)),
        &[&["docker", "kind"], &["eks-pod", "eks-nodes"]],
    )
}

/// Returns a figure with one panel for each condition.
fn sequence(
    recordings: &[StudyRecording],
    name: &str,
    caption: &str,
    y_limits: Option<(f64, f64)>,
    panels: &[&[&str]],
) -> Result<Figure> {
    let series = |name: &&str| {
        let recording = recordings.iter().find(|recording| recording.condition == *name);
        let recording = recording.with_context(|| format!("the study has no condition {name}"))?;
        let shown = recording.unmodified_ns.len().min(STUDY_ITERATIONS);
        let mut values = Thinned::new(shown as u64, COLUMNS);
        for (iteration, &rtt_ns) in (0..).zip(&recording.unmodified_ns[..shown]) {
            values.push(iteration, milliseconds(rtt_ns));
        }
        Ok(Sequence {
            name: (*name).to_owned(),
            values,
        })
    };
    let panels = panels.iter().map(|names| {
        let series = names.iter().map(series).collect::<Result<_>>()?;
        Ok(Panel { series })
    });
    Ok(run_sequence(&RunSequence {
        name: name.to_owned(),
        caption: caption.to_owned(),
        x_title: "Iteration".to_owned(),
        y_title: "RTT (ms)".to_owned(),
        y_limits,
        panels: panels.collect::<Result<_>>()?,
    })?)
}

/// The figures of a run: effects, distributions, sequences. Empty if no condition ran.
///
/// # Errors
/// When an arm of the run has no observation.
pub fn run(results: &Results, samples: &RunSamples) -> Result<Vec<Figure>> {
    if samples.launches.is_empty() {
        return Ok(Vec::new());
    }
    let drawn = vec![run_forest(results)?, run_boxes(samples)?, run_sequences(samples)?];
    Ok(drawn.into_iter().map(|figure| figure.on(&results.machine)).collect())
}

/// Every effect with its interval.
///
/// # Errors
/// When there is none.
pub fn run_forest(results: &Results) -> Result<Figure> {
    let of_condition = |condition: &ConditionResults| -> Vec<ForestRow> {
        let rows = condition.effects.iter().map(|effect| {
            // A calibration is judged by its error, which is comparable with the other rows.
            let (label, estimate) = match (effect.role, &effect.error) {
                (ContrastRole::Calibration, Some(error)) => (format!("{}, error", effect.name), error),
                _ => (effect.name.clone(), effect.primary()),
            };
            forest_row(label, Some(&condition.condition), estimate)
        });
        rows.collect()
    };
    Ok(forest(&Forest {
        name: "effects".to_owned(),
        caption: "Differences of median wire time with 95 % intervals over launches. Grey intervals contain zero."
            .to_owned(),
        x_title: "Difference (µs)".to_owned(),
        x_limits: None,
        rows: results.conditions.iter().flat_map(of_condition).collect(),
    })?)
}

/// A row of a forest plot in µs, from a value with its interval in ns.
pub(crate) fn forest_row(label: impl Into<String>, group: Option<&str>, interval_ns: impl Into<Interval>) -> ForestRow {
    let Interval { value, low, high } = interval_ns.into();
    ForestRow {
        label: label.into(),
        group: group.map(str::to_owned),
        value: value / 1e3,
        confidence_interval: (low / 1e3, high / 1e3),
    }
}

/// Returns the box plot of the RTT by condition and arm, over all launches together.
///
/// # Errors
/// When an arm has no observation.
pub fn run_boxes(samples: &RunSamples) -> Result<Figure> {
    let conditions = samples.launches.chunk_by(|one, other| one.condition == other.condition);
    let groups = conditions
        .map(|launches| {
            let series = SEQUENCE_ARMS.iter().filter_map(|name| {
                let arms = launches.iter().filter_map(|launch| launch.arms.get(*name));
                let all = arms.map(|arm| arm.rtt.clone()).reduce(|mut all, next| {
                    all.merge(&next);
                    all
                })?;
                Some(boxed(name, &all, 1e-3))
            });
            Ok(BoxGroup {
                label: launches[0].condition.clone(),
                series: series.collect::<Result<_>>()?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(box_plot(&BoxPlot {
        name: "box-plot".to_owned(),
        caption: "Round-trip time measured here, all launches together, after the warm-up; whiskers at 1.5 IQR, \
                  outliers not shown."
            .to_owned(),
        y_title: "RTT (µs)".to_owned(),
        y_limits: None,
        groups,
    })?)
}

/// Returns the run sequences of the first launch of every condition, warm-up included.
///
/// # Errors
/// When there is none.
pub fn run_sequences(samples: &RunSamples) -> Result<Figure> {
    let panels = samples
        .sequences
        .iter()
        .map(|(condition, arms)| Panel {
            series: arms
                .iter()
                .filter(|(arm, _)| SEQUENCE_ARMS.contains(&arm.as_str()))
                .map(|(arm, values)| Sequence {
                    name: format!("{condition}, {arm}"),
                    values: values.clone(),
                })
                .collect(),
        })
        .collect();
    Ok(run_sequence(&RunSequence {
        name: "run-sequence".to_owned(),
        caption: "Every request of the first launch, warm-up included.".to_owned(),
        x_title: "Iteration".to_owned(),
        y_title: "RTT (µs)".to_owned(),
        y_limits: None,
        panels,
    })?)
}

/// Nanoseconds to milliseconds, for drawing.
#[expect(clippy::cast_precision_loss, reason = "a drawing needs fewer digits than f64 has")]
fn milliseconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e6
}

fn boxed(name: &str, distribution: &Distribution, unit: f64) -> Result<BoxSeries> {
    Ok(BoxSeries {
        name: name.to_owned(),
        numbers: five_numbers(name, distribution, unit)?,
    })
}

fn five_numbers(name: &str, distribution: &Distribution, unit: f64) -> Result<FiveNumbers> {
    let numbers = FiveNumbers::of(distribution).with_context(|| format!("{name} has no observation"))?;
    Ok(numbers.scaled(unit))
}
