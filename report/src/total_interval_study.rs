//! The coverage of total intervals, by simulation with the launches of recorded runs and systematic errors of known size.

use analysis::simulation::{ControlledCell, SystematicErrors, TotalCoverage, total_interval_study};
use analysis::text_table;
use anyhow::{Result, ensure};
use model::ContrastRole;

use crate::layers::Layer;
use crate::recorded_launches::RecordedContrast;

/// Launches of a simulated cell.
const LAUNCHES: [usize; 2] = [10, 20];
/// Standard deviations of the systematic errors, ns.
const SDS_NS: [f64; 4] = [0.0, 50.0, 100.0, 200.0];
/// The fewest recorded launches of a cell from which launches are drawn.
const FEWEST_RECORDED: usize = 10;

/// The cells of recorded runs with an A/A control, a calibration and an effect at the wire time. The effect is the last of its
/// condition: by convention the whole hook.
#[must_use]
pub fn cells(recorded: &[RecordedContrast]) -> Vec<ControlledCell> {
    let place = |one: &RecordedContrast| (one.experiment.clone(), one.levels.clone(), one.condition.clone());
    let same_cell = recorded.chunk_by(|one, other| place(one) == place(other));
    let cell = |contrasts: &[RecordedContrast]| {
        let last = |role| {
            let mut of_role = contrasts.iter().rev().filter(|one| one.contrast.role == role);
            of_role.find_map(|one| one.at(Layer::WireTime))
        };
        let [a_a, calibration, effect] =
            [ContrastRole::Control, ContrastRole::Calibration, ContrastRole::Effect].map(last);
        let (a_a, calibration, effect) = (a_a?, calibration?, effect?);
        (effect.len() >= FEWEST_RECORDED).then(|| ControlledCell::centred(a_a, calibration, effect))
    };
    same_cell.filter_map(cell).collect()
}

/// Simulates all relations and sizes of the systematic errors.
///
/// # Errors
/// Without a cell that has both controls, and without an experiment.
pub fn simulate(cells: &[ControlledCell], experiments: u32, seed: u64) -> Result<Vec<TotalCoverage>> {
    ensure!(
        !cells.is_empty(),
        "no recorded run has an A/A control, a calibration and an effect with {FEWEST_RECORDED} launches; name a folder with such runs by \
         --recorded, as runs of experiments/overhead.toml"
    );
    let mut found = Vec::new();
    for errors in SystematicErrors::ALL {
        for sd_ns in SDS_NS {
            // Without an error the relations are the same.
            if sd_ns == 0.0 && errors != SystematicErrors::Shared {
                continue;
            }
            for launches in LAUNCHES {
                found.push(total_interval_study(
                    cells,
                    (errors, sd_ns),
                    launches,
                    experiments.into(),
                    seed,
                )?);
            }
        }
    }
    Ok(found)
}

/// The outcomes as a table for a terminal.
#[must_use]
pub fn text(outcomes: &[TotalCoverage]) -> String {
    let headings = [
        "systematic errors",
        "SD, µs",
        "launches",
        "statistical, %",
        "total, %",
        "statistical ±, µs",
        "total ±, µs",
    ];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    rows.extend(outcomes.iter().map(|one| {
        let share = |share: f64| format!("{:.1}", 100.0 * share);
        let microseconds = |ns: f64| format!("{:.3}", ns / 1e3);
        vec![
            if one.sd_ns == 0.0 {
                "none".to_owned()
            } else {
                one.errors.to_string()
            },
            format!("{:.2}", one.sd_ns / 1e3),
            one.launches.to_string(),
            share(one.statistical.value),
            share(one.total.value),
            microseconds(one.statistical_half_ns),
            microseconds(one.total_half_ns),
        ]
    }));
    text_table(&rows)
}
