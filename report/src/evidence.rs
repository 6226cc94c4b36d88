//! From runs and recordings to what claims are held against.

use std::collections::BTreeMap;

use analysis::claims::{Control, ControlKind, Evidence, Interval, Measured, Provenance, Unit};
use analysis::ssp2023::{BLOCK, StudyRow};
use analysis::{
    Estimate, LaunchSamples, Location, Quantity, difference_of_estimates, differences, estimate,
    inverse_variance_interval, paired_spread_ratio, proportion, spread_ratio,
};
use anyhow::Result;
use dataset::{LaunchRecord, Manifest};
use serde::Deserialize;

use crate::results::{ConditionResults, Effect, Results, Role, server};
use crate::study::StudyResults;

/// What claims call the study's recordings.
const STUDY: &str = "ssp2023";
/// How a record's warnings begin that say that a resource limit was hit.
const LIMIT: &str = "limit hit: ";

/// The quantities and controls of one run.
///
/// # Errors
/// When an interval cannot be computed.
pub fn of_run(manifest: &Manifest, launches: &[LaunchSamples], results: &Results) -> Result<Evidence> {
    let mut evidence = Evidence::default();
    let ran: Vec<&ConditionResults> = results
        .conditions
        .iter()
        .filter(|condition| !condition.effects.is_empty())
        .collect();
    for condition in &ran {
        evidence.controls.extend(controls(manifest, condition));
        let of = Of::new(manifest, condition, None);
        for effect in &condition.effects {
            let mut measured = of.measured(format!("effect {}", effect.name), Unit::Ns, effect.primary().into());
            measured.without_flagged = effect.wire_median_without_flagged.as_ref().map(Interval::from);
            evidence.measured.push(measured);
        }
        evidence.measured.extend(beyond(&of, condition, launches)?);
        evidence.measured.extend(farther_observer(&of, condition, launches));
    }
    for (index, quieter) in ran.iter().enumerate() {
        for noisier in &ran[index + 1..] {
            evidence.measured.extend(compared(manifest, noisier, quieter)?);
        }
    }
    Ok(evidence)
}

/// What all quantities of a condition share.
struct Of<'a> {
    manifest: &'a Manifest,
    condition: &'a str,
    reference: Option<&'a str>,
    limits_hit: Vec<String>,
}

impl<'a> Of<'a> {
    fn new(manifest: &'a Manifest, condition: &'a ConditionResults, reference: Option<&'a ConditionResults>) -> Self {
        let reference = reference.map(|reference| reference.condition.as_str());
        let condition = condition.condition.as_str();
        let mut limits_hit: BTreeMap<&str, usize> = BTreeMap::new();
        let here = |launch: &&LaunchRecord| launch.condition == condition || Some(&*launch.condition) == reference;
        for warning in manifest
            .launches
            .iter()
            .filter(here)
            .flat_map(|launch| &launch.warnings)
        {
            if let Some(limit) = warning.strip_prefix(LIMIT) {
                *limits_hit.entry(limit).or_default() += 1;
            }
        }
        Self {
            manifest,
            condition,
            reference,
            limits_hit: limits_hit
                .into_iter()
                .map(|(limit, launches)| format!("{limit} (in {launches} launches)"))
                .collect(),
        }
    }

    fn measured(&self, quantity: String, unit: Unit, interval: Interval) -> Measured {
        Measured {
            experiment: self.manifest.experiment.clone(),
            run: self.manifest.run_id.clone(),
            quantity,
            condition: self.condition.to_owned(),
            reference: self.reference.map(str::to_owned),
            provenance: Provenance::of(self.condition),
            unit,
            interval,
            without_flagged: None,
            limits_hit: self.limits_hit.clone(),
        }
    }
}

fn controls(manifest: &Manifest, condition: &ConditionResults) -> Vec<Control> {
    let control = |kind, estimate: &Estimate| Control {
        kind,
        run: manifest.run_id.clone(),
        condition: condition.condition.clone(),
        server: server(manifest).to_owned(),
        interval: estimate.into(),
    };
    condition
        .effects
        .iter()
        .filter_map(|effect| match effect.role {
            Role::Effect => None,
            Role::Control => Some(control(ControlKind::AA, effect.primary())),
            Role::Calibration => effect
                .error
                .as_ref()
                .map(|error| control(ControlKind::Calibration, error)),
        })
        .collect()
}

/// By how much one effect exceeds the one before it, for each two that follow each other: each launch has both, so that
/// the difference is taken within launches.
fn beyond(of: &Of<'_>, condition: &ConditionResults, launches: &[LaunchSamples]) -> Result<Vec<Measured>> {
    let effects: Vec<&Effect> = condition
        .effects
        .iter()
        .filter(|one| one.role == Role::Effect)
        .collect();
    let mut found = Vec::new();
    for pair in effects.windows(2) {
        let (Some(before), Some(after)) = (
            per_launch(condition, launches, pair[0], primary(pair[0])),
            per_launch(condition, launches, pair[1], primary(pair[1])),
        ) else {
            continue;
        };
        let further: Vec<f64> = after
            .iter()
            .zip(&before)
            .map(|(after, before)| after - before)
            .collect();
        if further.len() >= 2 {
            let quantity = format!("effect {} beyond effect {}", pair[1].name, pair[0].name);
            found.push(of.measured(quantity, Unit::Ns, (&estimate(&further)?).into()));
        }
    }
    Ok(found)
}

/// How much more the client's own round trip spreads launches than the wire time of the same requests.
fn farther_observer(of: &Of<'_>, condition: &ConditionResults, launches: &[LaunchSamples]) -> Option<Measured> {
    let control = a_a(condition)?;
    let rtt = per_launch(condition, launches, control, Quantity::Rtt)?;
    let wire = per_launch(condition, launches, control, Quantity::WireTime)?;
    let (value, ends) = paired_spread_ratio(&rtt, &wire)?;
    let quantity = "RTT spread by wire time spread".to_owned();
    Some(of.measured(quantity, Unit::Ratio, Interval::new(value, ends)))
}

/// One condition beside another of the same run.
fn compared(manifest: &Manifest, noisier: &ConditionResults, quieter: &ConditionResults) -> Result<Vec<Measured>> {
    let of = Of::new(manifest, noisier, Some(quieter));
    let mut found = Vec::new();
    if let (Some(one), Some(other)) = (a_a(noisier), a_a(quieter))
        && let Some((value, ends)) = spread_ratio(one.primary(), other.primary())
    {
        found.push(of.measured("A/A spread ratio".to_owned(), Unit::Ratio, Interval::new(value, ends)));
    }
    for one in noisier.effects.iter().filter(|one| one.role == Role::Effect) {
        if let Some(other) = quieter.effects.iter().find(|other| other.name == one.name) {
            let (value, ends) = difference_of_estimates(one.primary(), other.primary())?;
            let quantity = format!("difference of the effect {}", one.name);
            found.push(of.measured(quantity, Unit::Ns, Interval::new(value, ends)));
        }
    }
    Ok(found)
}

fn a_a(condition: &ConditionResults) -> Option<&Effect> {
    condition.effects.iter().find(|effect| effect.role == Role::Control)
}

fn primary(effect: &Effect) -> Quantity {
    if effect.wire_median.is_some() {
        Quantity::WireTime
    } else {
        Quantity::Rtt
    }
}

fn per_launch(
    condition: &ConditionResults,
    launches: &[LaunchSamples],
    effect: &Effect,
    quantity: Quantity,
) -> Option<Vec<f64>> {
    let here: Vec<LaunchSamples> = launches
        .iter()
        .filter(|launch| launch.condition == condition.condition)
        .cloned()
        .collect();
    differences(&here, &effect.baseline, &effect.arm, quantity, Location::Median).ok()
}

/// What the 2023 recordings say of the study's method.
///
/// # Errors
/// When there are no recordings.
pub fn of_study(study: &StudyResults) -> Result<Evidence> {
    let measured = |run: String, quantity: &str, condition: &str, interval| Measured {
        experiment: STUDY.to_owned(),
        run,
        quantity: quantity.to_owned(),
        condition: condition.to_owned(),
        reference: None,
        provenance: Provenance::Recorded,
        unit: Unit::Share,
        interval,
        without_flagged: None,
        limits_hit: Vec::new(),
    };
    let mut found = Vec::new();
    for (dependence, row) in study.dependences.iter().zip(&study.rows) {
        for (arm, effective_n, n) in recordings(dependence.effective_n, row) {
            if let Some(interval) = information(effective_n, n) {
                let run = format!("{STUDY} {} {arm}", row.condition);
                found.push(measured(run, "information per request", &row.condition, interval));
            }
        }
    }
    let apart = study.halves.iter().filter(|row| row.significant).count();
    let apart = proportion(apart as u64, study.halves.len() as u64)?;
    found.push(measured(
        STUDY.to_owned(),
        "halves that the study's test tells apart",
        "all recordings",
        Interval::new(apart.value, apart.confidence_interval),
    ));
    Ok(Evidence {
        measured: found,
        controls: Vec::new(),
    })
}

fn recordings(effective_n: (f64, f64), row: &StudyRow) -> [(&'static str, f64, u64); 2] {
    [("unmodified", effective_n.0, row.n.0), ("hook", effective_n.1, row.n.1)]
}

/// Effective by actual number of requests. Its interval is that of the variance of the batches' means, which it is
/// inversely proportional to.
#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
fn information(effective_n: f64, n: u64) -> Option<Interval> {
    let share = effective_n / n as f64;
    let batches = usize::try_from(n).ok()? / BLOCK;
    Some(Interval::new(share, inverse_variance_interval(share, batches)?))
}

/// What is kept of repeated experiments whose observations are not.
#[derive(Deserialize)]
struct KeptCalibration {
    run_id: String,
    schedule: String,
    condition: String,
    repeated: Vec<KeptRepetitions>,
}

#[derive(Deserialize)]
struct KeptRepetitions {
    role: Role,
    launches: usize,
    errors_ns: Vec<f64>,
}

/// The controls of each repetition in a `calibration.json`, of the interleaved design.
///
/// # Errors
/// When the text is not what `report calibration` writes, or a repetition has no interval.
pub fn of_repetitions(json: &str) -> Result<Evidence> {
    let calibrations: Vec<KeptCalibration> = serde_json::from_str(json)?;
    let mut controls = Vec::new();
    for calibration in calibrations.iter().filter(|one| one.schedule == "interleaved") {
        for repeated in &calibration.repeated {
            let kind = match repeated.role {
                Role::Control => ControlKind::AA,
                Role::Calibration => ControlKind::Calibration,
                Role::Effect => continue,
            };
            for (number, errors_ns) in repeated.errors_ns.chunks_exact(repeated.launches.max(2)).enumerate() {
                controls.push(Control {
                    kind,
                    run: format!("{} repetition {number}", calibration.run_id),
                    condition: calibration.condition.clone(),
                    server: crate::results::SYNTHETIC.to_owned(),
                    interval: (&estimate(errors_ns)?).into(),
                });
            }
        }
    }
    Ok(Evidence {
        measured: Vec::new(),
        controls,
    })
}
