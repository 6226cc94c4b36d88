//! The evidence of the 2023 recordings and of repeated calibrations.

use analysis::claims::{
    ControlKind, ControlResult, Evidence, Interval, IntervalTail, MeasuredQuantity, Provenance, Quantity, Reference,
    systematic,
};
use analysis::ssp2023::{BLOCK, StudyRow};
use analysis::{estimate, inverse_variance_interval, proportion};
use anyhow::Result;

use crate::calibration::CalibrationResults;
use crate::study::StudyResults;
use model::ContrastRole;

/// The name of the study's recordings in claims.
const STUDY: &str = "ssp2023";

/// Returns the quantities of the 2023 recordings: the information of a request, the ratios of the standard deviations of two
/// conditions, and the share of recordings in which the study's test finds a difference between the two halves.
///
/// # Errors
/// When there are no recordings.
pub fn of_study(study: &StudyResults) -> Result<Evidence> {
    let measured = |run: &str, quantity, condition: &str, interval| MeasuredQuantity {
        provenance: Provenance::Recorded,
        machine: STUDY.to_owned(),
        ..MeasuredQuantity::new(STUDY, run, condition, quantity, (interval, IntervalTail::share()))
    };
    let mut found = Vec::new();
    for (dependence, row) in study.dependences.iter().zip(&study.rows) {
        for (arm, effective_n, n) in recordings(dependence.effective_n, row) {
            if let Some(interval) = information(effective_n, n) {
                let run = format!("{STUDY} {} {arm}", row.condition);
                found.push(measured(
                    &run,
                    Quantity::InformationPerRequest,
                    &row.condition,
                    interval,
                ));
            }
        }
    }
    for one in &study.sd_ratios {
        let run = format!("{STUDY} {}", one.condition);
        let interval = Interval::new(one.ratio, one.confidence_interval);
        let reference = Reference {
            run: run.clone(),
            condition: one.other.clone(),
        };
        found.push(MeasuredQuantity {
            reference: Some(reference),
            // The percentiles of a bootstrap have no degrees of freedom.
            tail: IntervalTail {
                degrees_of_freedom: None,
                scale: Quantity::RecordedSdRatio.scale(),
            },
            ..measured(&run, Quantity::RecordedSdRatio, &one.condition, interval)
        });
    }
    let apart = study.halves.iter().filter(|row| row.significant).count();
    let apart = proportion(apart as u64, study.halves.len() as u64)?;
    found.push(measured(
        STUDY,
        Quantity::HalvesToldApart,
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

/// The effective number of requests, divided by their number. It is inversely proportional to the variance of the batches'
/// means, from which its interval comes.
#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
fn information(effective_n: f64, n: u64) -> Option<Interval> {
    let share = effective_n / n as f64;
    let batches = usize::try_from(n).ok()? / BLOCK;
    Some(Interval::new(share, inverse_variance_interval(share, batches)?))
}

/// The controls of each repetition of the interleaved design.
///
/// # Errors
/// When a repetition has no interval.
pub fn of_repetitions(calibrations: &[CalibrationResults]) -> Result<Evidence> {
    let mut controls = Vec::new();
    for calibration in calibrations.iter().filter(|one| one.schedule == "interleaved") {
        for repeated in &calibration.repeated {
            let kind = match repeated.role {
                ContrastRole::Control => ControlKind::AA,
                ContrastRole::Calibration => ControlKind::Calibration,
                ContrastRole::Effect => continue,
            };
            for (number, errors_ns) in repeated.errors_ns.chunks_exact(repeated.launches.max(2)).enumerate() {
                let error = estimate(errors_ns)?;
                controls.push(ControlResult {
                    kind,
                    run: format!("{} repetition {number}", calibration.run_id),
                    source: None,
                    machine: calibration.machine().to_owned(),
                    condition: calibration.condition.clone(),
                    interval: (&error).into(),
                    bound_ns: systematic::bound(&error),
                });
            }
        }
    }
    Ok(Evidence {
        measured: Vec::new(),
        controls,
    })
}
