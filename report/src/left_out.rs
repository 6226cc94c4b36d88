//! The quantities of an experiment without one launch, for the stability of verdicts.

use std::collections::BTreeMap;

use analysis::claims::{Evidence, FEWEST_LAUNCHES, LeftOut, MeasuredQuantity, Quantity};
use anyhow::{Context as _, Result};

use crate::exhibits::{RecordedExperiment, cell_evidence, exhibit};

/// Run, quantity, condition, compared run, levels and parameters, which tell the quantities of an experiment apart.
pub(crate) type QuantityKey = (
    String,
    Quantity,
    String,
    Option<String>,
    BTreeMap<String, String>,
    BTreeMap<String, String>,
);

/// The key of a quantity.
pub(crate) fn key(measured: &MeasuredQuantity) -> QuantityKey {
    (
        measured.run.clone(),
        measured.quantity.clone(),
        measured.place(),
        measured.reference.as_ref().map(|reference| reference.run.clone()),
        measured.cell.clone(),
        measured.parameters.clone(),
    )
}

/// Computes all quantities of `found`, the evidence of the experiment, without each launch in turn. A quantity that does not
/// depend on the launch is left out.
///
/// # Errors
/// When a quantity cannot be computed without a launch.
pub(crate) fn left_out(recorded: &mut RecordedExperiment, found: &Evidence) -> Result<Vec<LeftOut>> {
    let indices: BTreeMap<QuantityKey, usize> = found.measured.iter().map(key).zip(0..).collect();
    let has_exhibit = exhibit(recorded)?.is_some_and(|exhibit| !exhibit.measured.is_empty());
    let mut all = Vec::new();
    for cell in 0..recorded.cells.len() {
        for index in 0..recorded.cells[cell].samples.launches.len() {
            let launch = &recorded.cells[cell].samples.launches[index];
            let (condition, number) = (launch.condition.clone(), launch.launch);
            // With fewer launches a row decides nothing.
            if recorded.cells[cell].samples.launches_in(&condition).len() < FEWEST_LAUNCHES {
                continue;
            }
            let name = format!(
                "launch {number} of {condition} of {}",
                recorded.cells[cell].manifest.run_id
            );
            let taken = recorded.cells[cell]
                .take_launch(index)
                .with_context(|| format!("without {name}"))?;
            let mut again = cell_evidence(&recorded.cells[cell])?.measured;
            if has_exhibit {
                again.extend(exhibit(recorded)?.into_iter().flat_map(|exhibit| exhibit.measured));
            }
            recorded.cells[cell].put_back(taken);
            for measured in again {
                let Some(&quantity) = indices.get(&key(&measured)) else {
                    continue;
                };
                let all_launches = &found.measured[quantity];
                if all_launches.interval != measured.interval || all_launches.total != measured.total {
                    all.push(LeftOut {
                        quantity,
                        launch: name.clone(),
                        interval: measured.interval,
                        tail: measured.tail,
                        total: measured.total,
                    });
                }
            }
        }
    }
    Ok(all)
}
