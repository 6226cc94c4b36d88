//! Secondary estimates of contrasts: other estimators of the same launches, in `results.json` and in a folded part of the
//! page.

use analysis::claims::{Interval, Unit};
use analysis::stats::components::{Component, of_segments};
use analysis::{
    Bootstrap, Estimate, HodgesLehmann, LatencyMetric, LaunchEffect, LaunchSamples, QuantileShift, RandomEffects,
    Resampling, bootstrap, difference_of_estimates, differences, dominance, effect, estimate, hodges_lehmann, holm,
    quantile_shift, random_effects, ratio_of_means,
};
use anyhow::{Context, Result};
use maud::{Markup, html};
use model::Manifest;
use model::{Contrast, ContrastRole, Location};
use serde::Serialize;

use crate::contrasts::contrasts;
use crate::table::{self, or_dash};
use samples::RunSamples;

/// The seed of all resampling. It is fixed, so that a table is reproducible.
const SEED: u64 = 2_023;

/// The secondary estimates of a run.
#[derive(Clone, Debug, Serialize)]
pub struct SecondaryEstimates {
    /// The estimates by condition and contrast, in the order of the manifest.
    pub contrasts: Vec<ContrastEstimates>,
    /// The summaries over conditions, by contrast; only for runs with two conditions or more.
    pub over_conditions: Vec<OverConditions>,
}

/// The estimates of one contrast in one condition. Times in ns. An estimate that the data do not give is absent, and
/// `missing` has the reason.
#[derive(Clone, Debug, Serialize)]
pub struct ContrastEstimates {
    /// The condition.
    pub condition: String,
    /// The contrast's name.
    pub name: String,
    /// The purpose of the comparison.
    pub role: ContrastRole,
    /// The primary quantity: wire time, or RTT where the kernel gave no stamps.
    pub quantity: LatencyMetric,
    /// The primary effect.
    pub primary: Estimate,
    /// Two-sided p value of the primary effect, t over launches.
    pub p: f64,
    /// The p value adjusted by Holm's method over all effects of the condition; for effects only.
    pub p_holm: Option<f64>,
    /// The primary effect's intervals by resampling launches.
    pub bootstrap: Option<Bootstrap>,
    /// The Hodges-Lehmann estimate of the primary effect.
    pub hodges_lehmann: Option<HodgesLehmann>,
    /// Welch's interval, which takes the launches of both arms as independent. It shows the precision that a design without
    /// common launches would have.
    pub unpaired: Option<Interval>,
    /// Difference of means.
    pub mean: Option<Estimate>,
    /// Difference of trimmed means.
    pub trimmed_mean: Option<Estimate>,
    /// Difference of 99th percentiles.
    pub p99: Option<Estimate>,
    /// Ratio of means, with an interval of the ratio.
    pub ratio_of_means: Option<Estimate>,
    /// The probability that a request of the arm takes longer than a request of the baseline.
    pub a12: Option<Estimate>,
    /// Differences of quantiles with their band.
    pub quantile_shift: Option<QuantileShift>,
    /// Variance of the primary effect between launches and between segments, ns².
    pub components: Option<[Component; 2]>,
    /// The reasons for absent estimates.
    pub missing: Vec<String>,
}

/// One contrast over all conditions that measured it.
#[derive(Clone, Debug, Serialize)]
pub struct OverConditions {
    /// The contrast's name.
    pub name: String,
    /// The summary, ns.
    pub summary: RandomEffects,
}

/// Returns a result, or notes the reason for which it is missing.
fn kept<T, E: std::fmt::Display>(what: &str, result: Result<T, E>, missing: &mut Vec<String>) -> Option<T> {
    result
        .inspect_err(|error| missing.push(format!("{what}: {error}")))
        .ok()
}

/// Computes the secondary estimates of a run.
///
/// # Errors
/// When the manifest's plan has no contrasts, or an arm that they name has no observation.
pub fn secondary_estimates(manifest: &Manifest, run: &RunSamples) -> Result<SecondaryEstimates> {
    let contrasts = contrasts(manifest)?;
    let mut found: Vec<ContrastEstimates> = Vec::new();
    for condition in &manifest.conditions {
        let launches = run.launches_in(&condition.name);
        if launches.is_empty() {
            continue;
        }
        let mut others = contrasts
            .iter()
            .map(|contrast| other(contrast, launches, run))
            .collect::<Result<Vec<ContrastEstimates>>>()
            .with_context(|| format!("condition {}", condition.name))?;
        adjust(&mut others)?;
        found.extend(others);
    }
    let over = contrasts
        .iter()
        .filter_map(|contrast| over_conditions(&contrast.name, &found));
    Ok(SecondaryEstimates {
        over_conditions: over.collect(),
        contrasts: found,
    })
}

/// Adjusts the p values of the effects of a condition by Holm's method.
fn adjust(others: &mut [ContrastEstimates]) -> Result<()> {
    let effects = || (0..others.len()).filter(|index| others[*index].role == ContrastRole::Effect);
    let p_values: Vec<f64> = effects().map(|index| others[index].p).collect();
    let indices: Vec<usize> = effects().collect();
    for (index, p) in indices.into_iter().zip(holm(&p_values)?) {
        others[index].p_holm = Some(p);
    }
    Ok(())
}

/// The summary of a contrast over conditions; `None` with fewer than two conditions or for an effect without spread.
fn over_conditions(name: &str, found: &[ContrastEstimates]) -> Option<OverConditions> {
    let effects: Vec<(f64, f64)> = found
        .iter()
        .filter(|other| other.name == name)
        .map(|other| (other.primary.value, other.primary.standard_error()))
        .collect();
    Some(OverConditions {
        name: name.to_owned(),
        summary: random_effects(&effects).ok()?,
    })
}

/// Returns the difference `arm - baseline` of medians in each launch of a condition, and in each of its segments, ns.
/// The segments have wire times if there are kernel stamps, and RTTs otherwise.
///
/// # Errors
/// For an arm that a launch does not have or that observed nothing.
pub fn launch_effects(
    run: &RunSamples,
    condition: &str,
    baseline: &str,
    arm: &str,
    quantity: LatencyMetric,
) -> Result<Vec<LaunchEffect>> {
    let pairs = run.launches.iter().zip(&run.timelines);
    pairs
        .filter(|(launch, _)| launch.condition == condition)
        .map(|(launch, timeline)| {
            let launch = std::slice::from_ref(launch);
            let value = differences(launch, baseline, arm, quantity, Location::Median)?[0];
            Ok(LaunchEffect {
                value,
                segments: timeline.differences(baseline, arm),
            })
        })
        .collect()
}

fn other(contrast: &Contrast, launches: &[LaunchSamples], run: &RunSamples) -> Result<ContrastEstimates> {
    let (baseline, arm) = (contrast.baseline.as_str(), contrast.arm.as_str());
    let wire = differences(launches, baseline, arm, LatencyMetric::WireTime, Location::Median);
    let quantity = if wire.is_ok() {
        LatencyMetric::WireTime
    } else {
        LatencyMetric::Rtt
    };
    let effects = launch_effects(run, &launches[0].condition, baseline, arm, quantity)
        .with_context(|| format!("contrast {}", contrast.name))?;
    let values: Vec<f64> = effects.iter().map(|effect| effect.value).collect();
    let primary = estimate(&values).with_context(|| format!("contrast {}", contrast.name))?;
    let segments: Vec<Vec<f64>> = effects.iter().map(|effect| effect.segments.clone()).collect();
    let resampling = Resampling {
        seed: SEED,
        ..Resampling::default()
    };
    let mut missing = Vec::new();
    let located = |location| effect(launches, baseline, arm, quantity, location);
    Ok(ContrastEstimates {
        condition: launches[0].condition.clone(),
        name: contrast.name.clone(),
        role: contrast.role,
        quantity,
        primary,
        p: primary.p_value(),
        p_holm: None,
        bootstrap: kept("bootstrap", bootstrap(&effects, resampling), &mut missing),
        hodges_lehmann: kept("Hodges-Lehmann", hodges_lehmann(&values), &mut missing),
        unpaired: kept("unpaired", unpaired(launches, (baseline, arm), quantity), &mut missing),
        mean: kept("mean", located(Location::Mean), &mut missing),
        trimmed_mean: kept("trimmed mean", located(Location::TrimmedMean), &mut missing),
        p99: kept("p99", located(Location::P99), &mut missing),
        ratio_of_means: kept(
            "ratio of means",
            ratio_of_means(launches, baseline, arm, quantity),
            &mut missing,
        ),
        a12: kept("A12", dominance(launches, baseline, arm, quantity), &mut missing),
        quantile_shift: kept(
            "quantile shift",
            quantile_shift(launches, baseline, arm, quantity, SEED),
            &mut missing,
        ),
        components: kept("variance components", of_segments(&segments), &mut missing),
        missing,
    })
}

/// Returns the difference of the two arms' medians. Each median is an estimate over the launches of its own arm.
fn unpaired(launches: &[LaunchSamples], (baseline, arm): (&str, &str), quantity: LatencyMetric) -> Result<Interval> {
    let of = |name: &str| {
        let medians = launches.iter().map(|launch| {
            let samples = launch.arms.get(name).with_context(|| format!("no arm {name}"))?;
            samples
                .of(quantity)
                .location(Location::Median)
                .context("nothing was observed")
        });
        anyhow::Ok(estimate(&medians.collect::<Result<Vec<f64>>>()?)?)
    };
    let (value, ends) = difference_of_estimates(&of(arm)?, &of(baseline)?)?;
    Ok(Interval::new(value, ends))
}

/// The folded part of the page.
#[must_use]
pub fn section(further: &SecondaryEstimates) -> Markup {
    html! {
        @if !further.contrasts.is_empty() {
            details {
                summary { "Other estimators of the same launches" }
                p { "Differences in µs of the primary quantity. p is of the t test over launches; Holm's holds for all effects of a condition together." }
                table {
                    thead { tr {
                        th { "contrast" } th { "p" } th { "p, Holm" } th { "percentile-t" } th { "BCa" } th { "Hodges-Lehmann" } th { "unpaired" }
                        th { "trimmed mean" } th { "ratio of means" } th { "A12" } th { "SD of launches, of segments" }
                    } }
                    tbody { @for other in &further.contrasts { (row(other)) } }
                }
                @for other in &further.contrasts { (shift(other)) }
                @for over in &further.over_conditions { p { (over_text(over)) } }
            }
        }
    }
}

fn row(other: &ContrastEstimates) -> Markup {
    let interval = |(low, high): (f64, f64)| format!("[{}, {}]", table::signed(low), table::signed(high));
    let plain = |found: &Option<Estimate>| {
        or_dash(found.map(|found| {
            let (low, high) = found.confidence_interval;
            format!("{:.3} [{low:.3}, {high:.3}]", found.value)
        }))
    };
    html! {
        tr {
            td { (other.name) br; span.note { (other.condition) ", " (other.quantity) } }
            td.number { (p_text(other.p)) }
            td.number { (or_dash(other.p_holm.map(p_text))) }
            td.number { (or_dash(other.bootstrap.map(|found| interval(found.percentile_t)))) }
            td.number { (or_dash(other.bootstrap.map(|found| interval(found.bca)))) }
            td.number { (or_dash(other.hodges_lehmann.map(|found| {
                format!("{} {}", table::signed(found.value), or_dash(found.confidence_interval.map(interval)))
            }))) }
            td.number { (or_dash(other.unpaired.as_ref().map(|found| Unit::Ns.interval(found)))) }
            td.number { (or_dash(other.trimmed_mean.as_ref().map(table::microseconds))) }
            td.number { (plain(&other.ratio_of_means)) }
            td.number { (plain(&other.a12)) }
            td.number { (or_dash(other.components.map(|[launch, segment]| {
                format!("{:.3}, {:.3}", launch.variance.sqrt() / 1e3, segment.variance.sqrt() / 1e3)
            }))) }
        }
        @if !other.missing.is_empty() { tr { td.note colspan="11" { (other.missing.join("; ")) } } }
    }
}

pub(crate) fn p_text(p: f64) -> String {
    if p < 1e-4 {
        format!("{p:.1e}")
    } else {
        format!("{p:.4}")
    }
}

/// The quantile-shift function as a line of numbers.
fn shift(other: &ContrastEstimates) -> Markup {
    html! {
        @if let Some(shift) = &other.quantile_shift {
            p.note {
                (other.name) " in " (other.condition) ", by quantile, with a 95 % band that holds for all together: "
                @for (index, point) in shift.points.iter().enumerate() {
                    @if index > 0 { ", " }
                    (format!("{:.0} %", point.p * 100.0)) " " (table::signed(point.value))
                    " [" (table::signed(point.band.0)) ", " (table::signed(point.band.1)) "]"
                }
                "."
            }
        }
    }
}

fn over_text(over: &OverConditions) -> String {
    let summary = &over.summary;
    let (low, high) = summary.confidence_interval;
    let further = summary.prediction_interval.map_or_else(String::new, |(low, high)| {
        format!("; another condition: {} to {}", table::signed(low), table::signed(high))
    });
    format!(
        "{} over {} conditions: {} [{}, {}], I² {:.0} %{further}",
        over.name,
        summary.conditions,
        table::signed(summary.value),
        table::signed(low),
        table::signed(high),
        100.0 * summary.i_squared
    )
}
