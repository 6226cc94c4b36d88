//! What is shown for each of the ten recommendations: of a recorded experiment one figure, one table, and the quantities that
//! only several cells together give. Terminal, page, notebooks and paper show the same.

mod environments;
mod idle;
mod isolation;
mod neighbours;
mod observers;
mod positions;
mod power;
mod proxies;
mod quotas;
mod recorded;
mod spot;
mod table;
mod topology;

use std::path::Path;

use analysis::claims::{Evidence, Measured};
use analysis::figures::Figure;
use anyhow::{Context as _, Result, bail};

pub use recorded::{Cell, Recorded};
pub use table::Table;

use crate::evidence;

/// An experiment's exhibit.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// The experiment's name, such as `r03`.
    pub experiment: String,
    /// What it asks.
    pub question: String,
    /// The one to put on a slide.
    pub figure: Figure,
    /// The numbers behind it.
    pub table: Table,
    /// What several cells say together.
    pub measured: Vec<Measured>,
}

/// Figure and table of a recorded experiment.
///
/// # Errors
/// When the folder holds no finished run or grid of r01 to r10 or idle, or what its figure needs was not measured.
pub fn read(folder: &Path) -> Result<Exhibit> {
    let recorded = Recorded::open(folder)?;
    exhibit(&recorded)?.with_context(|| {
        format!(
            "{} is of the experiment {}, for which there is no exhibit; expected r01 to r10 or idle",
            folder.display(),
            recorded.experiment
        )
    })
}

/// `None` for experiments other than r01 to r10 and idle.
///
/// # Errors
/// When what the figure needs was not measured.
pub fn exhibit(recorded: &Recorded) -> Result<Option<Exhibit>> {
    let (figure, table, measured) = match recorded.experiment.as_str() {
        "r01" | "r02" => topology::of(recorded)?,
        "r03" => proxies::of(recorded)?,
        "r04" => neighbours::of(recorded)?,
        "r05" => observers::of(recorded)?,
        "r06" => isolation::of(recorded)?,
        "r07" => positions::of(recorded)?,
        "r08" => quotas::of(recorded)?,
        "r09" => power::of(recorded)?,
        "r10" => environments::of(recorded)?,
        "idle" => idle::of(recorded)?,
        _ => return Ok(None),
    };
    Ok(Some(Exhibit {
        experiment: recorded.experiment.clone(),
        question: recorded.question.clone(),
        figure,
        table,
        measured,
    }))
}

/// Everything that claims can be held against of a run or of a grid.
///
/// # Errors
/// When an interval cannot be computed.
pub fn evidence(recorded: &Recorded) -> Result<Evidence> {
    let mut found = Evidence::default();
    for cell in &recorded.cells {
        found.extend(evidence::of_run(&cell.manifest, &cell.samples, &cell.results)?);
    }
    if found.measured.is_empty() && found.controls.is_empty() {
        bail!("no condition of {} was measured", recorded.id);
    }
    if let Some(exhibit) = exhibit(recorded)? {
        found.measured.extend(exhibit.measured);
    }
    Ok(found)
}
