//! The errors of recovered delays and the coverage of intervals, computed from calibration runs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use analysis::claims::UNKNOWN_MACHINE;
use analysis::figures::{Figure, Forest, forest};
use analysis::{
    CacheCooling, DelayError, Estimate, LatencyMetric, LaunchSamples, Proportion, differences, estimate, mean,
    proportion,
};
use anyhow::{Context as _, Result, ensure};
use model::{Contrast, ContrastRole, Location};
use model::{LaunchRecord, Manifest};
use samples::RunSamples;
use serde::{Deserialize, Serialize};

use crate::contrasts::{contrasts, plan};
use crate::figures::forest_row;
use crate::ground_truth::{RoundTripParts, calibration_errors, parts};
use crate::table::{longest, microseconds, signed};

/// The nominal confidence of the intervals.
const NOMINAL: f64 = 0.95;
/// The target for bias and half-width of the interval, ns.
const TARGET_NS: f64 = 100.0;

/// One known delay in one condition of one run. All times in ns.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveredDelay {
    /// The contrast's name.
    pub name: String,
    /// The location that is compared: the median, or the mean where few requests are delayed.
    pub location: Location,
    /// Mean over launches of the true difference.
    pub truth_ns: f64,
    /// Recovered minus true, of the wire time.
    pub wire_error: Option<Estimate>,
    /// Recovered minus true, of the round trip.
    pub rtt_error: Estimate,
    /// The differences of the client's parts of the round trip, which should be zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<RoundTripParts>,
}

impl RecoveredDelay {
    /// The reason for which bias or half-width exceed the target, by part of the round trip; `None` if wire time and round
    /// trip are within it.
    fn missed(&self) -> Option<String> {
        let within = |error: &Estimate| {
            let (low, high) = error.confidence_interval;
            error.value.abs() <= TARGET_NS && (high - low) / 2.0 <= TARGET_NS
        };
        let missed: Vec<&str> = [("wire time", self.wire_error.as_ref()), ("RTT", Some(&self.rtt_error))]
            .into_iter()
            .filter(|(_, error)| error.is_some_and(|error| !within(error)))
            .map(|(name, _)| name)
            .collect();
        if missed.is_empty() {
            return None;
        }
        let parts = match (&self.parts, &self.wire_error) {
            (Some(parts), Some(wire)) => format!(
                "send path {}, wire and server {}, wake-up {}",
                microseconds(&parts.send_path),
                microseconds(wire),
                microseconds(&parts.wake_up)
            ),
            _ => "without kernel stamps the parts of the RTT are not known".to_owned(),
        };
        Some(format!(
            "{} beyond the target of {:.1} µs for bias and half-width; by part: {parts}",
            missed.join(" and "),
            TARGET_NS / 1e3
        ))
    }
}

/// The coverage of the intervals of repeated experiments.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedControl {
    /// The contrast's name.
    pub name: String,
    /// The purpose of the contrast: the truth is a delay, or zero.
    pub role: ContrastRole,
    /// The number of launches of each repetition.
    pub launches: usize,
    /// The repetitions whose 95 % interval contains the truth.
    pub covered: Proportion,
    /// The exact binomial test against a coverage of 95 %.
    pub p_value: f64,
    /// Recovered minus true of each launch, ns, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors_ns: Vec<f64>,
}

/// One condition of a run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationResults {
    /// The run.
    pub run_id: String,
    /// The machine; `None` in files that were written before results named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The schedule of the plan.
    pub schedule: String,
    /// The condition.
    pub condition: String,
    /// Launches.
    pub launches: usize,
    /// The recovered delays.
    pub recovered: Vec<RecoveredDelay>,
    /// The coverage by contrast, where there are launches for two repetitions or more.
    pub repeated: Vec<RepeatedControl>,
}

impl CalibrationResults {
    /// The machine, or a text that says that it is not known.
    #[must_use]
    pub fn machine(&self) -> &str {
        self.machine.as_deref().unwrap_or(UNKNOWN_MACHINE)
    }
}

/// The file that `report calibration` writes.
pub(crate) const CALIBRATION: &str = "calibration.json";

/// Reads a file that `report calibration` wrote.
///
/// # Errors
/// When the file cannot be read, or is of another form.
pub fn read(path: &Path) -> Result<Vec<CalibrationResults>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{}: expected the output of `report calibration`", path.display()))
}

/// Computes the errors and the coverage of a run. Each repetition has `repetition_launches` launches.
///
/// # Errors
/// When the run has no contrast with a known answer, or an arm was never observed.
pub fn calibrations(
    manifest: &Manifest,
    run: &RunSamples,
    repetition_launches: usize,
) -> Result<Vec<CalibrationResults>> {
    let contrasts = contrasts(manifest)?;
    ensure!(
        contrasts
            .iter()
            .any(|contrast| contrast.role == ContrastRole::Calibration),
        "{} has no contrast with the role calibration; run experiments/calibration.toml",
        manifest.run_id
    );
    let schedule = plan(manifest)?.load.schedule;
    let mut found = Vec::new();
    for condition in &manifest.conditions {
        let samples = run.launches_in(&condition.name);
        if samples.is_empty() {
            continue;
        }
        let records: Vec<&LaunchRecord> = manifest.launches_in(&condition.name).collect();
        let mut calibration = CalibrationResults {
            run_id: manifest.run_id.clone(),
            machine: Some(manifest.machine.described()),
            schedule: schedule.to_string(),
            condition: condition.name.clone(),
            launches: samples.len(),
            recovered: Vec::new(),
            repeated: Vec::new(),
        };
        for contrast in &contrasts {
            let errors = |quantity| errors(contrast, samples, &records, quantity);
            if contrast.role == ContrastRole::Calibration {
                let rtt = errors(LatencyMetric::Rtt)
                    .with_context(|| format!("contrast {}: a launch has no telemetry", contrast.name))?;
                let (truths_ns, rtt_ns): (Vec<f64>, Vec<f64>) = rtt.into_iter().unzip();
                let wire =
                    errors(LatencyMetric::WireTime).map(|wire| wire.into_iter().unzip::<_, _, Vec<f64>, Vec<f64>>().1);
                calibration.recovered.push(RecoveredDelay {
                    name: contrast.name.clone(),
                    location: contrast.location,
                    truth_ns: mean(&truths_ns),
                    wire_error: wire.map(|wire_ns| estimate(&wire_ns)).transpose()?,
                    rtt_error: estimate(&rtt_ns)?,
                    parts: parts(samples, contrast),
                });
            }
            let all = errors(LatencyMetric::WireTime).or_else(|| errors(LatencyMetric::Rtt));
            if let Some(all) = all.filter(|_| contrast.role != ContrastRole::Effect) {
                let values: Vec<f64> = all.iter().map(|(_, error_ns)| *error_ns).collect();
                calibration
                    .repeated
                    .extend(repeated(contrast, &values, repetition_launches)?);
            }
        }
        found.push(calibration);
    }
    Ok(found)
}

/// The true difference, and recovered minus true, of each launch, ns. Between like arms the truth is zero.
fn errors(
    contrast: &Contrast,
    launches: &[LaunchSamples],
    records: &[&LaunchRecord],
    quantity: LatencyMetric,
) -> Option<Vec<(f64, f64)>> {
    match contrast.role {
        ContrastRole::Calibration => calibration_errors(contrast, launches, records, quantity),
        ContrastRole::Control | ContrastRole::Effect => {
            let found = differences(launches, &contrast.baseline, &contrast.arm, quantity, contrast.location).ok()?;
            Some(found.into_iter().map(|difference_ns| (0.0, difference_ns)).collect())
        }
    }
}

/// Takes consecutive launches as one repetition of the experiment. Remaining launches are left out.
fn repeated(contrast: &Contrast, errors_ns: &[f64], launches: usize) -> Result<Option<RepeatedControl>> {
    let repetitions = errors_ns.chunks_exact(launches);
    if repetitions.len() < 2 {
        return Ok(None);
    }
    let trials = repetitions.len() as u64;
    let mut covered = 0;
    for repetition in repetitions {
        let (low, high) = estimate(repetition)?.confidence_interval;
        covered += u64::from(low <= 0.0 && high >= 0.0);
    }
    let covered = proportion(covered, trials)?;
    Ok(Some(RepeatedControl {
        name: contrast.name.clone(),
        role: contrast.role,
        launches,
        p_value: covered.p_value(NOMINAL),
        covered,
        errors_ns: errors_ns.to_vec(),
    }))
}

/// The calibrations as tables for a terminal.
#[must_use]
pub fn text(calibrations: &[CalibrationResults]) -> String {
    let mut text = String::new();
    for calibration in calibrations {
        _ = writeln!(
            text,
            "{}, {}, {} launches ({}) on {}; µs, 95 % intervals over launches",
            calibration.schedule,
            calibration.condition,
            calibration.launches,
            calibration.run_id,
            calibration.machine()
        );
        let width = longest(calibration.recovered.iter().map(|row| &row.name));
        for row in &calibration.recovered {
            _ = writeln!(
                text,
                "  {:width$}  {:6}  truth {:>8}  wire error {:26}  RTT error {}",
                row.name,
                row.location.to_string(),
                signed(row.truth_ns),
                row.wire_error
                    .as_ref()
                    .map_or_else(|| "no kernel stamps".to_owned(), microseconds),
                microseconds(&row.rtt_error),
            );
            if let Some(missed) = row.missed() {
                _ = writeln!(text, "  {:width$}  {missed}", "");
            }
        }
        text += &cooling(&calibration.recovered).unwrap_or_default();
        for row in &calibration.repeated {
            _ = writeln!(
                text,
                "  {:width$}  {} of {} repetitions of {} launches held {}: {}, p = {:.3} against 95 %",
                row.name,
                row.covered.successes,
                row.covered.trials,
                row.launches,
                if row.role == ContrastRole::Control {
                    "zero"
                } else {
                    "the truth"
                },
                row.covered.percent(),
                row.p_value,
            );
        }
        text.push('\n');
    }
    text
}

/// The model of caches that cool during a delay, fitted to every other delay, and its predictions for the others. `None` with
/// fewer than four delays.
fn cooling(recovered: &[RecoveredDelay]) -> Option<String> {
    let mut delays: Vec<(&RecoveredDelay, &Estimate)> = recovered
        .iter()
        .filter(|row| row.location == Location::Median && row.truth_ns > TARGET_NS)
        .filter_map(|row| Some((row, row.wire_error.as_ref()?)))
        .collect();
    delays.sort_by(|one, other| one.0.truth_ns.total_cmp(&other.0.truth_ns));
    if delays.len() < 4 {
        return None;
    }
    let fitted: Vec<DelayError> = delays
        .iter()
        .skip(1)
        .step_by(2)
        .map(|(row, error)| DelayError {
            delay_ns: row.truth_ns,
            error_ns: error.value,
            standard_error_ns: error.standard_error(),
        })
        .collect();
    let model = CacheCooling::fit(&fitted)?;
    let mut text = format!(
        "  caches that cool: error = {:.2} µs × (1 − exp(−delay / {:.0} µs)), fitted to every other delay; the others:\n",
        model.amplitude_ns / 1e3,
        model.time_constant_ns / 1e3
    );
    for (row, error) in delays.iter().step_by(2) {
        let (low, high) = error.confidence_interval;
        let predicted_ns = model.at(row.truth_ns);
        _ = writeln!(
            text,
            "    {}: predicted {}, measured {}{}",
            row.name,
            signed(predicted_ns),
            microseconds(error),
            if (low..=high).contains(&predicted_ns) {
                ""
            } else {
                ", which leaves out the prediction"
            }
        );
    }
    Some(text)
}

/// Recovered minus true by delay, one figure for each condition and design of a run with several delays.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn figures(calibrations: &[CalibrationResults]) -> Result<Vec<Figure>> {
    let several = calibrations
        .iter()
        .filter(|calibration| calibration.recovered.len() > 1);
    several.map(figure).collect()
}

fn figure(calibration: &CalibrationResults) -> Result<Figure> {
    let row = |group: &str, recovered: &RecoveredDelay, error: &Estimate| {
        let label = match recovered.location {
            Location::Median => recovered.name.clone(),
            other => format!("{}, {other}", recovered.name),
        };
        forest_row(label, Some(group), error)
    };
    let wire = calibration
        .recovered
        .iter()
        .filter_map(|recovered| Some(row("wire time", recovered, recovered.wire_error.as_ref()?)));
    let rtt = calibration
        .recovered
        .iter()
        .map(|recovered| row("round trip", recovered, &recovered.rtt_error));
    Ok(forest(&Forest {
        name: format!("calibration-{}-{}", calibration.condition, calibration.schedule),
        caption: format!(
            "Known delays, recovered minus true, by the {} schedule on {}: {} launches.",
            calibration.schedule, calibration.condition, calibration.launches
        ),
        x_title: "recovered − true delay (µs), 95 % intervals".to_owned(),
        x_limits: None,
        rows: wire.chain(rtt).collect(),
    })?
    .on(calibration.machine()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(microseconds: f64, error_ns: f64) -> RecoveredDelay {
        let errors = estimate(&[error_ns - 1.0, error_ns, error_ns + 1.0]).unwrap();
        RecoveredDelay {
            name: format!("{microseconds} µs"),
            location: Location::Median,
            truth_ns: microseconds * 1e3,
            wire_error: Some(errors),
            rtt_error: errors,
            parts: None,
        }
    }

    #[test]
    fn the_model_of_cooling_caches_is_tested_on_delays_to_which_it_is_not_fitted() {
        let error_ns = |delay: f64| -700.0 * (-delay / 50.0).exp_m1();
        let mut delays: Vec<RecoveredDelay> = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
            .map(|microseconds| delay(microseconds, error_ns(microseconds)))
            .into();
        let text = cooling(&delays).unwrap();
        assert!(text.contains("error = 0.70 µs × (1 − exp(−delay / 50 µs))"), "{text}");
        assert_eq!(text.matches("predicted").count(), 4, "{text}");
        assert!(!text.contains("leaves out"), "{text}");
        delays[6] = delay(100.0, 900.0);
        let text = cooling(&delays).unwrap();
        let missed = text.lines().find(|line| line.contains("leaves out")).unwrap();
        assert!(missed.contains("100 µs: predicted +0.6"), "{text}");
        assert_eq!(cooling(&delays[..3]), None);
    }
}
