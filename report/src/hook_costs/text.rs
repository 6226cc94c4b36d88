//! The costs of hooks as text.

use std::fmt::Write as _;

use analysis::{Estimate, EstimateError};
use dataset::StartCosts;

use super::measurement::{HookCost, HookCosts};
use super::start::StartEstimates;
use crate::results::Effect;
use crate::table::{microseconds, signed};

/// An estimate in a unit, with a number of decimals.
fn in_unit(estimate: &Estimate, unit: f64, decimals: usize) -> String {
    let number = |value: f64| format!("{:+.decimals$}", value / unit).replace('-', "\u{2212}");
    let (low, high) = estimate.confidence_interval;
    format!("{} [{}, {}]", number(estimate.value), number(low), number(high))
}

/// A line for a terminal.
fn line((name, value, what): (&str, String, &str)) -> String {
    format!("  {name:<11} {value:<28} {what}\n")
}

/// The lines of a hook's cost: name, value, unit with description.
#[must_use]
pub(super) fn lines(cost: &HookCost) -> Vec<(&'static str, String, &'static str)> {
    let latency = &cost.latency;
    let what = if latency.wire_median.is_some() {
        "µs of wire time"
    } else {
        "µs of round-trip time: the kernel gives no stamps"
    };
    let mut lines = vec![("median", microseconds(latency.primary()), what)];
    lines.extend(
        latency
            .wire_mean
            .as_ref()
            .map(|mean| ("mean", microseconds(mean), what)),
    );
    lines.extend(latency.wire_p99.as_ref().map(|p99| ("p99", microseconds(p99), what)));
    lines.push((
        "MDE",
        signed(latency.primary().mde),
        "µs: the smallest effect on the median that is found in 4 of 5 such runs",
    ));
    let change = |name, estimate: &Option<Estimate>, unit, decimals, what| {
        estimate
            .as_ref()
            .map(|estimate| (name, in_unit(estimate, unit, decimals), what))
    };
    lines.extend(change(
        "throughput",
        &cost.throughput,
        0.01,
        2,
        "% of one connection's requests a second",
    ));
    lines.extend(change(
        "CPU",
        &cost.cpu_ns,
        1e3,
        2,
        "µs of the server's processor time a request",
    ));
    lines.extend(change("RSS", &cost.rss_bytes, 1024.0, 0, "KiB of resident memory"));
    lines.extend(change(
        "PSS",
        &cost.pss_bytes,
        1024.0,
        0,
        "KiB of memory, shared pages divided",
    ));
    lines
}

/// The lines of the costs of loading a hook: name, value, unit with description.
#[must_use]
pub(super) fn start_lines(start: &StartEstimates) -> Vec<(&'static str, String, &'static str)> {
    vec![
        (
            "starts",
            in_unit(&start.time_ns, 1e6, 3),
            "ms of a program's time from start to end",
        ),
        (
            "faults",
            in_unit(&start.page_faults, 1.0, 1),
            "page faults at the start",
        ),
        (
            "start RSS",
            in_unit(&start.rss_bytes, 1024.0, 0),
            "KiB of resident memory of a program that waits",
        ),
        (
            "start PSS",
            in_unit(&start.pss_bytes, 1024.0, 0),
            "KiB of its memory, shared pages divided",
        ),
        ("relocations", start.relocations.to_string(), "of the shared object"),
    ]
}

/// The costs of loading a hook as text for a terminal.
///
/// # Errors
/// With fewer than two blocks.
pub fn start_text(costs: &StartCosts) -> Result<String, EstimateError> {
    let starts = costs.blocks.len() * costs.starts_per_block as usize;
    let mut text = format!(
        "The hook in {}: {starts} starts with it and as many without it in turn, 95 % intervals over {} blocks\n",
        costs.started.display(),
        costs.blocks.len()
    );
    text.extend(start_lines(&StartEstimates::of(costs)?).into_iter().map(line));
    Ok(text)
}

/// The costs as text for a terminal.
#[must_use]
pub fn text(measured: &HookCosts) -> String {
    let mut text = format!(
        "{}: {} launches, 95 % intervals over launches\n",
        measured.server, measured.launches
    );
    if let Some(manifest) = &measured.manifest {
        _ = writeln!(text, "machine: {}", manifest.machine.described());
    }
    for hook in &measured.hooks {
        _ = writeln!(text, "\n{}", hook.name);
        if let Some(fault) = &hook.fault {
            _ = writeln!(text, "  not measured: {fault}");
        }
        let start = hook.start.iter().flat_map(start_lines);
        text.extend(hook.cost.iter().flat_map(lines).chain(start).map(line));
    }
    text.push('\n');
    for effect in &measured.comparisons {
        _ = writeln!(text, "{}: {} µs", effect.name, microseconds(effect.primary()));
    }
    if let Some(control) = &measured.control {
        _ = writeln!(
            text,
            "control, no hook against no hook: {} µs",
            microseconds(control.primary())
        );
    }
    if let Some(calibration) = &measured.calibration {
        _ = writeln!(text, "{}", calibrated(calibration));
    }
    for warning in &measured.warnings {
        _ = writeln!(text, "note: {warning}");
    }
    text
}

/// A sentence with the known delay and the error of its recovery.
#[must_use]
pub(super) fn calibrated(effect: &Effect) -> String {
    match (effect.truth_ns, &effect.error) {
        (Some(truth_ns), Some(error)) => format!(
            "calibration, a delay of {} µs: recovered with an error of {} µs",
            signed(truth_ns),
            microseconds(error)
        ),
        _ => "calibration: the truth is not known without telemetry and kernel stamps".to_owned(),
    }
}
