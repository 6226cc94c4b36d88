//! The exhibits of experiments: one figure, one table, and the quantities that only several cells together give. Terminal,
//! page, notebooks and paper show the same exhibit.

mod condition_cell;
mod delays;
mod environments;
mod idle;
mod isolation;
mod load;
mod neighbours;
mod observers;
mod positions;
mod power;
mod proxies;
mod quotas;
mod recorded_experiment;
mod table;
mod topology;

use std::path::Path;

use analysis::claims::{Evidence, MeasuredQuantity};
use analysis::figures::Figure;
use anyhow::{Context as _, Result, bail};
use model::ExhibitKind;

pub use recorded_experiment::{RecordedCell, RecordedExperiment};
pub use table::Table;

use crate::evidence;

/// The exhibit of an experiment.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// The experiment's name, such as `r03`.
    pub experiment: String,
    /// The question that it asks.
    pub question: String,
    /// The machine of all cells ([`model::Machine::described`]).
    pub machine: String,
    /// The figure.
    pub figure: Figure,
    /// The table with the numbers of the figure.
    pub table: Table,
    /// The quantities of several cells together.
    pub measured: Vec<MeasuredQuantity>,
}

/// Figure and table of a recorded experiment.
///
/// # Errors
/// When the folder holds no finished run or grid, the experiment names no exhibit, or data that the figure needs are missing.
pub fn read(folder: &Path) -> Result<Exhibit> {
    let recorded = RecordedExperiment::open(folder)?;
    exhibit(&recorded)?.with_context(|| {
        format!(
            "{}: the experiment {} names no exhibit; expected a run whose definition has `exhibit = …`, one of {}",
            folder.display(),
            recorded.experiment,
            ExhibitKind::ALL
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        )
    })
}

/// The exhibit that the experiment names; `None` where it names none.
///
/// # Errors
/// When data that the figure needs are missing.
pub fn exhibit(recorded: &RecordedExperiment) -> Result<Option<Exhibit>> {
    let Some(kind) = recorded.exhibit else {
        return Ok(None);
    };
    let (figure, mut table, measured) = match kind {
        ExhibitKind::Topology => topology::of(recorded)?,
        ExhibitKind::Delays => delays::of(recorded)?,
        ExhibitKind::Proxies => proxies::of(recorded)?,
        ExhibitKind::Neighbours => neighbours::of(recorded)?,
        ExhibitKind::Observers => observers::of(recorded)?,
        ExhibitKind::Isolation => isolation::of(recorded)?,
        ExhibitKind::Positions => positions::of(recorded)?,
        ExhibitKind::Quotas => quotas::of(recorded)?,
        ExhibitKind::Power => power::of(recorded)?,
        ExhibitKind::Environments => environments::of(recorded)?,
        ExhibitKind::Idle => idle::of(recorded)?,
        ExhibitKind::Load => load::of(recorded)?,
    };
    table.notes.push(format!("Machine: {}.", recorded.machine));
    Ok(Some(Exhibit {
        experiment: recorded.experiment.clone(),
        question: recorded.question.clone(),
        figure: figure.on(&recorded.machine),
        machine: recorded.machine.clone(),
        table,
        measured,
    }))
}

/// The evidence of a run or of a grid, its exhibit included.
///
/// # Errors
/// When an interval cannot be computed.
pub fn evidence(recorded: &RecordedExperiment) -> Result<Evidence> {
    let mut found = Evidence::default();
    for cell in &recorded.cells {
        found.extend(cell_evidence(cell)?);
    }
    if found.measured.is_empty() && found.controls.is_empty() {
        bail!("no condition of {} was measured", recorded.id);
    }
    if let Some(exhibit) = exhibit(recorded)? {
        found.measured.extend(exhibit.measured);
    }
    Ok(found)
}

/// The evidence of one cell, without the exhibit.
///
/// # Errors
/// When an interval cannot be computed.
pub(crate) fn cell_evidence(cell: &RecordedCell) -> Result<Evidence> {
    let mut found = evidence::of_run(&cell.manifest, &cell.samples, &cell.results)?;
    let levels = found.measured.iter_mut().map(|measured| &mut measured.cell);
    levels.for_each(|levels| levels.clone_from(&cell.levels));
    Ok(found)
}
