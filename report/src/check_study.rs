//! The study of the self-checks: errors of estimates with known truth by the dose of a disturbance, and the launches that the
//! checks flag.

use std::path::Path;

use analysis::{LatencyMetric, LaunchSamples, mean, text_table};
use anyhow::{Result, ensure};
use model::{Contrast, ContrastRole, LaunchRecord, LaunchWarning, LoadCheckKind, WarningKind};

use crate::contrasts::contrasts;
use crate::exhibits::RecordedExperiment;
use crate::table::{or_dash, signed};

/// Smallest error that a dose adds if it disturbs the estimates, ns.
const DISTURBED_NS: f64 = 100.0;

/// The launches of a dose.
struct Dose {
    name: String,
    /// Errors of each held-out contrast, ns.
    errors_ns: Vec<Vec<f64>>,
    records: Vec<LaunchRecord>,
}

impl Dose {
    /// The root mean square of all errors, from which the mean error of each contrast in undisturbed launches is
    /// subtracted, ns.
    fn error_ns(&self, undisturbed_means_ns: &[f64]) -> f64 {
        let errors = self.errors_ns.iter().zip(undisturbed_means_ns);
        let squares: Vec<f64> = errors
            .flat_map(|(errors, mean_ns)| errors.iter().map(move |error_ns| (error_ns - mean_ns).powi(2)))
            .collect();
        mean(&squares).sqrt()
    }

    /// The median over launches of a share; `None` if no launch has it.
    fn median(&self, share: impl Fn(&LaunchRecord) -> Option<f64>) -> Option<String> {
        let mut shares: Vec<f64> = self.records.iter().filter_map(share).collect();
        shares.sort_by(f64::total_cmp);
        shares
            .get(shares.len() / 2)
            .map(|share| format!("{:.1} %", 100.0 * share))
    }

    fn flagged(&self) -> usize {
        self.records.iter().filter(|record| !record.valid).count()
    }
}

/// The table of doses of a recorded `experiments/checks.toml`. Contrasts with the role `effect` are the held-out estimates.
/// Their true value is the hook's known delay, or zero without one. Cells without a neighbour are undisturbed.
///
/// # Errors
/// When a file is missing or damaged, no cell is undisturbed, or an arm was never observed.
pub fn text(folder: &Path) -> Result<String> {
    let recorded = RecordedExperiment::open(folder)?;
    let mut doses: Vec<Dose> = Vec::new();
    for cell in &recorded.cells {
        let neighbour = cell.manifest.plan.as_ref().and_then(|plan| plan.neighbour.as_ref());
        let name = neighbour.map_or_else(
            || "none".to_owned(),
            |_| cell.levels.values().cloned().collect::<Vec<_>>().join(", "),
        );
        let held_out: Vec<Contrast> = contrasts(&cell.manifest)?
            .into_iter()
            .filter(|contrast| contrast.role == ContrastRole::Effect)
            .collect();
        ensure!(
            !held_out.is_empty(),
            "{}: no contrast has the role `effect`; expected a run of experiments/checks.toml",
            folder.display()
        );
        let launches = &cell.samples.launches;
        let records = &cell.manifest.launches;
        let errors_ns = held_out.iter().map(|contrast| errors_ns(contrast, launches, records));
        let errors_ns: Vec<Vec<f64>> = errors_ns.collect();
        let records = records.clone();
        match doses.iter_mut().find(|dose| dose.name == name) {
            Some(dose) => {
                for (all, more) in dose.errors_ns.iter_mut().zip(errors_ns) {
                    all.extend(more);
                }
                dose.records.extend(records);
            }
            None => doses.push(Dose {
                name,
                errors_ns,
                records,
            }),
        }
    }
    table(&doses)
}

/// The errors of the launches that have both arms, ns.
fn errors_ns(contrast: &Contrast, launches: &[LaunchSamples], records: &[LaunchRecord]) -> Vec<f64> {
    let errors = launches.iter().filter_map(|launch| {
        let located = |arm: &String| {
            launch
                .arms
                .get(arm)?
                .of(LatencyMetric::WireTime)
                .location(contrast.location)
        };
        let record = records
            .iter()
            .find(|record| (&record.condition, record.launch) == (&launch.condition, launch.launch))?;
        let truth_ns = record.held_longer_ns(&contrast.arm, &contrast.baseline, contrast.location);
        Some(located(&contrast.arm)? - located(&contrast.baseline)? - truth_ns.unwrap_or(0.0))
    });
    errors.collect()
}

fn table(doses: &[Dose]) -> Result<String> {
    let undisturbed = doses.iter().find(|dose| dose.name == "none");
    ensure!(
        undisturbed.is_some(),
        "no cell is without a neighbour; expected undisturbed launches to compare with"
    );
    let means_ns: Vec<f64> = undisturbed
        .iter()
        .flat_map(|dose| &dose.errors_ns)
        .map(|errors| mean(errors))
        .collect();
    let undisturbed_ns = undisturbed.map_or(f64::NAN, |dose| dose.error_ns(&means_ns));
    let header = [
        "disturbance",
        "launches",
        "load generator waits",
        "servers wait",
        "error, µs",
        "beyond undisturbed, µs",
        "flagged",
        "reasons",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let (mut quiet, mut disturbed) = ((0, 0), (0, 0));
    for dose in doses {
        let error_ns = dose.error_ns(&means_ns);
        let excess = error_ns.powi(2) - undisturbed_ns.powi(2);
        let excess_ns = excess.abs().sqrt().copysign(excess);
        let counted = if dose.name == "none" {
            Some(&mut quiet)
        } else {
            (excess_ns > DISTURBED_NS).then_some(&mut disturbed)
        };
        if let Some((flagged, all)) = counted {
            *flagged += dose.flagged();
            *all += dose.records.len();
        }
        let waited = |record: &LaunchRecord| {
            let checks = &record.loadgen.as_ref()?.checks;
            checks.iter().find(|check| check.kind == LoadCheckKind::CpuWait)?.value
        };
        let reasons = dose.records.iter().flat_map(LaunchRecord::warnings);
        let reasons = WarningKind::counted(reasons.filter(LaunchWarning::invalidates));
        let reasons: Vec<String> = reasons.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        rows.push(vec![
            dose.name.clone(),
            dose.records.len().to_string(),
            or_dash(dose.median(waited)),
            or_dash(dose.median(|record| record.monitor.as_ref()?.arms_wait_share)),
            signed(error_ns),
            if dose.name == "none" {
                or_dash(None::<String>)
            } else {
                signed(excess_ns)
            },
            dose.flagged().to_string(),
            reasons.join(", "),
        ]);
    }
    Ok(format!(
        "{}flagged: {} of {} undisturbed launches, {} of {} launches of doses that add more than {:.1} µs\n",
        text_table(&rows),
        quiet.0,
        quiet.1,
        disturbed.0,
        disturbed.1,
        DISTURBED_NS / 1e3
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dose(name: &str, errors_ns: &[f64], flagged: usize) -> Dose {
        let records = (0_u32..).zip(errors_ns).map(|(launch, _)| LaunchRecord {
            valid: launch as usize >= flagged,
            ..LaunchRecord::of_observations("local-pod", launch)
        });
        Dose {
            name: name.to_owned(),
            errors_ns: vec![errors_ns.to_vec()],
            records: records.collect(),
        }
    }

    #[test]
    fn a_dose_disturbs_if_its_errors_exceed_those_of_undisturbed_launches() {
        // The bias of 500 ns is in all launches. Beyond it, undisturbed launches err by 30 ns.
        let doses = [
            dose("none", &[470.0, 530.0, 470.0, 530.0], 1),
            dose("weak", &[460.0, 540.0], 2),
            dose("strong", &[300.0, 700.0], 1),
        ];
        let text = table(&doses).unwrap();
        assert!(
            text.contains("flagged: 1 of 4 undisturbed launches, 1 of 2 launches of doses that add more than 0.1 µs"),
            "{text}"
        );
        let strong = text.lines().find(|line| line.starts_with("strong")).unwrap();
        assert!(strong.contains("+0.20"), "{text}");
        assert!(table(&doses[1..]).is_err());
    }
}
