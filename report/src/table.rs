//! Results as text tables.

use std::fmt::Write as _;

use analysis::Estimate;
use analysis::claims::Unit;
use model::{ContrastRole, LaunchWarning, Manifest, flagged_line};

use crate::layers::LayerEffect;
use crate::micro_prediction::MicroPrediction;
use crate::results::{ConditionResults, Effect, Results, Settling};

/// An effect in microseconds with its interval: `+1.23 [+1.10, +1.36]`.
#[must_use]
pub fn microseconds(estimate: &Estimate) -> String {
    let (low, high) = estimate.confidence_interval;
    format!("{} [{}, {}]", signed(estimate.value), signed(low), signed(high))
}

/// Nanoseconds as signed microseconds with two decimals and a true minus sign.
#[must_use]
pub fn signed(nanoseconds: f64) -> String {
    format!("{:+.2}", nanoseconds / 1e3).replace('-', "\u{2212}")
}

/// The number of characters of the longest name.
pub(crate) fn longest<'a>(names: impl Iterator<Item = &'a String>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}

/// Text of a cell without a value.
pub(crate) const DASH: &str = "\u{2013}";

/// Returns the text of a value, or a dash without a value.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| DASH.to_owned(), |value| value.to_string())
}

/// The effects of every condition, one line each, for a terminal.
#[must_use]
pub fn effects(results: &Results) -> String {
    let mut text = format!(
        "{} ({}) on {}, microseconds, 95 % intervals over launches\n",
        results.run_id, results.experiment, results.machine
    );
    for condition in &results.conditions {
        _ = writeln!(text, "\n{}", heading(condition));
        let width = longest(condition.effects.iter().map(|effect| &effect.name));
        for effect in &condition.effects {
            _ = writeln!(
                text,
                "  {:width$}  wire {:26}  RTT {:26}  MDE {:5.2}  {}",
                effect.name,
                effect
                    .wire_median
                    .as_ref()
                    .map_or_else(|| "no kernel stamps".to_owned(), microseconds),
                microseconds(&effect.rtt_median),
                effect.primary().mde / 1e3,
                judged(effect),
            );
        }
        text += &layers(&condition.layers);
        text += &isolated(&condition.isolated);
        if let Some(noise) = &condition.noise {
            _ = writeln!(text, "  {}", noise.text());
        }
        let settling = &condition.steadiness;
        if !settling.launches.is_empty() {
            _ = writeln!(text, "  {}", settled(settling));
        }
        for order in &condition.order {
            _ = writeln!(text, "  order: {}: {}", order.name, microseconds(&order.estimate));
        }
    }
    text
}

/// Returns the effects at every layer, one line for each effect.
fn layers(layers: &[LayerEffect]) -> String {
    let mut text = String::new();
    for row in layers {
        _ = writeln!(
            text,
            "  layer {:9} {}: {}, SD {:.3}, signal to noise {}, launches for 80 % power {}",
            row.layer.to_string(),
            row.contrast,
            microseconds(&row.effect),
            row.effect.launch_sd / 1e3,
            or_dash(row.signal_to_noise.map(|ratio| format!("{ratio:.1}"))),
            or_dash(row.launches_needed),
        );
    }
    text
}

/// Returns the effects beside their predictions, one line for each effect.
fn isolated(isolated: &[MicroPrediction]) -> String {
    let mut text = String::new();
    for row in isolated {
        let ratio = row.ratio.as_ref().map(|ratio| Unit::Ratio.interval(ratio));
        _ = writeln!(
            text,
            "  tight loop {}: predicts {}, observed {}, {:.2} calls a request, observed by predicted {}",
            row.contrast,
            microseconds(&row.predicted),
            microseconds(&row.observed),
            row.calls_per_request,
            or_dash(ratio),
        );
    }
    text
}

/// The reasons of each flagged launch, a line each, after a line with their counts.
#[must_use]
pub fn flags(manifest: &Manifest) -> String {
    let mut text = flagged_line(&manifest.launches) + "\n";
    for launch in manifest.launches.iter().filter(|launch| !launch.valid) {
        for warning in launch
            .warnings()
            .iter()
            .filter(|warning| LaunchWarning::invalidates(warning))
        {
            _ = writeln!(text, "  {} launch {}: {warning}", launch.condition, launch.launch);
        }
    }
    text
}

/// Every limit that was hit, by launch, and the number of launches in which limits were not watched.
#[must_use]
pub fn limits(manifest: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    for launch in &manifest.launches {
        let name = format!("{} launch {}", launch.condition, launch.launch);
        for hit in launch.limit_hits.iter().flatten() {
            found.push(format!("{name}: {hit}"));
        }
    }
    let unwatched = manifest
        .launches
        .iter()
        .filter(|launch| launch.limit_hits.is_none())
        .count();
    if unwatched > 0 {
        found.push(format!("in {unwatched} launches limits were not watched"));
    }
    found
}

/// Returns a sentence that counts the launches of a condition by their steadiness, and the launches that settled late.
#[must_use]
pub fn settled(settling: &Settling) -> String {
    let kinds: Vec<String> = settling
        .launches
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    format!(
        "launches by changepoints: {}; {} settled after the {} rounds that count as warm-up",
        kinds.join(", "),
        settling.settled_later.len(),
        settling.flagged_rounds
    )
}

/// A condition's name, level and launches, or the reason for which it did not run.
#[must_use]
pub fn heading(condition: &ConditionResults) -> String {
    match &condition.not_run {
        Some(reason) => format!("{}: not run ({reason})", condition.condition),
        None => format!(
            "{} ({}), {} launches, {} flagged",
            condition.condition, condition.level, condition.launches, condition.flagged
        ),
    }
}

/// The total interval of an effect, or the bound on the error that a control shows, µs.
#[must_use]
pub fn systematic(effect: &Effect) -> String {
    match (effect.role, effect.total) {
        (ContrastRole::Effect, Some(total)) => format!("[{}, {}]", signed(total.low), signed(total.high)),
        (ContrastRole::Effect, None) => "no control".to_owned(),
        (ContrastRole::Control | ContrastRole::Calibration, _) => effect.bound_ns(effect.location).map_or_else(
            || "no error known".to_owned(),
            |bound_ns| format!("error at most {:.2}", bound_ns / 1e3),
        ),
    }
}

/// The total interval and the verdict of an effect, or the error that a control shows.
fn judged(effect: &Effect) -> String {
    let text = systematic(effect);
    match (effect.verdict, effect.truth_ns, &effect.error) {
        (Some(verdict), ..) => format!("total {text}, above zero: {verdict}"),
        (None, Some(truth_ns), Some(error)) => {
            format!("{text}; truth {}, error {}", signed(truth_ns), microseconds(error))
        }
        _ => text,
    }
}
