//! The verdicts of the claims over all runs.

use std::fs;
use std::path::{Path, PathBuf};

use analysis::claims::{Evidence, JudgedRecommendation, Misses, RunOrigin, judge, misses, table};
use anyhow::{Context, Result};
use dataset::{Grid, OBSERVED_FILE, ObservedServers, Run};
use model::Manifest;
use samples::imported_recordings;
use serde::Serialize;

use crate::calibration::{self, CALIBRATION};
use crate::claim_definitions::{current_plan, stated_claims};
use crate::evidence;
use crate::exhibits::{self, RecordedExperiment};
use crate::study::StudyResults;

/// The file with the kept quantities of a run whose observations are not kept.
const QUANTITIES: &str = "quantities.json";
/// The folder of the runs that the project recorded, a folder for each machine. Any other run is the reader's.
const RECORDED: &str = "data/reference";

/// Recommendations, claims, verdicts, and how often controls missed.
#[derive(Clone, Debug, Serialize)]
pub struct JudgedClaims {
    /// The recommendations in the study's order.
    pub recommendations: Vec<JudgedRecommendation>,
    /// The misses of the controls over all runs.
    pub misses: Vec<Misses>,
}

impl JudgedClaims {
    /// Judges the project's claims by evidence and the registered plan.
    ///
    /// # Errors
    /// When `claims.toml` or `plan.toml` are not as expected, or a quantity has the wrong unit.
    pub fn of(evidence: &Evidence) -> Result<Self> {
        Ok(Self {
            recommendations: judge(&stated_claims()?, Some(&current_plan()?), evidence)?,
            misses: misses(&evidence.controls),
        })
    }

    /// The claims of one recommendation as text, for a notebook.
    #[must_use]
    pub fn about(&self, number: u8) -> String {
        let one: Vec<JudgedRecommendation> = self
            .recommendations
            .iter()
            .filter(|recommendation| recommendation.number == number)
            .cloned()
            .collect();
        table(&one, &[])
    }

    /// All claims as text, for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        table(&self.recommendations, &self.misses)
    }
}

/// Gathers the evidence of folders and of the study. A folder is a run, a grid, a folder with kept quantities, repeated
/// calibrations or observed servers, or a folder of such folders.
///
/// # Errors
/// When a named folder cannot be read. A folder inside a named folder that cannot be read is left out with a message on
/// standard error; a folder without evidence is skipped.
pub fn gather(folders: &[PathBuf], study: &Path) -> Result<Evidence> {
    let mut found = Evidence::default();
    for folder in folders {
        found.extend(of_folder(folder)?.of(source(folder)));
    }
    if let Some(recordings) = imported_recordings(study)? {
        found.extend(evidence::of_study(&StudyResults::compute(&recordings)?)?);
    }
    Ok(found)
}

fn source(folder: &Path) -> RunOrigin {
    if is_recorded(folder) {
        RunOrigin::Recorded
    } else {
        RunOrigin::Yours
    }
}

/// Returns true if `folder` is the folder of the recorded runs or lies in it.
fn is_recorded(folder: &Path) -> bool {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.ancestors().any(|outer| outer.ends_with(RECORDED))
}

fn of_folder(folder: &Path) -> Result<Evidence> {
    if let Some(found) = of_one(folder).with_context(|| format!("the evidence of {}", folder.display()))? {
        return Ok(found);
    }
    // Only recorded runs have a folder for each machine. Elsewhere such a folder belongs to an unfinished grid.
    of_inner(folder, if is_recorded(folder) { 2 } else { 1 })
}

/// The evidence of the runs in `folder` and, up to `levels` deep, in the folders of runs in it.
fn of_inner(folder: &Path, levels: usize) -> Result<Evidence> {
    let mut found = Evidence::default();
    if levels == 0 {
        return Ok(found);
    }
    let listing = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut inner: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
    // The order of a listing is not defined.
    inner.sort();
    for folder in inner.iter().filter(|path| path.is_dir()) {
        match of_one(folder) {
            Ok(Some(one)) => found.extend(one),
            Ok(None) => found.extend(of_inner(folder, levels - 1)?),
            // The command did not name this folder: the others are judged without it.
            Err(error) => eprintln!("left out: {}: {error:#}", folder.display()),
        }
    }
    Ok(found)
}

/// The evidence of one folder; `None` for a folder of another kind and for an unfinished run.
fn of_one(folder: &Path) -> Result<Option<Evidence>> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"));
    if folder.join(QUANTITIES).exists() {
        let kept: Evidence = serde_json::from_str(&read(QUANTITIES)?).context(QUANTITIES)?;
        return Ok(Some(kept));
    }
    let mut found = None;
    if Grid::is_at(folder) {
        found = Some(exhibits::evidence(&RecordedExperiment::open(folder)?)?);
    } else if folder.join("manifest.json").exists() {
        found = of_run(folder)?;
    }
    if folder.join(OBSERVED_FILE).exists() {
        let manifest = manifest_of(folder)?;
        let observed = evidence::of_observed(&ObservedServers::read(folder)?, manifest.as_ref());
        found.get_or_insert_default().extend(observed);
    }
    if found.is_some() {
        return Ok(found);
    }
    let repetitions = folder.join(CALIBRATION);
    if repetitions.exists() {
        return evidence::of_repetitions(&calibration::read(&repetitions)?).map(Some);
    }
    Ok(None)
}

/// The manifest of the run in a folder, or of the first cell of the grid; `None` without either.
fn manifest_of(folder: &Path) -> Result<Option<Manifest>> {
    if Grid::is_at(folder) {
        let first = Grid::open(folder)?.cells.into_iter().next();
        Ok(first.map(|(_, run)| run.manifest))
    } else if folder.join("manifest.json").exists() {
        Ok(Some(Run::open(folder)?.manifest))
    } else {
        Ok(None)
    }
}

/// The evidence of a run; `None` without contrasts or with too few launches for an interval.
fn of_run(folder: &Path) -> Result<Option<Evidence>> {
    let manifest = Run::open(folder)?.manifest;
    if manifest.contrasts().is_empty() {
        return Ok(None);
    }
    let most = manifest
        .conditions
        .iter()
        .map(|condition| manifest.launches_in(&condition.name).count());
    if most.max().unwrap_or(0) < 2 {
        return Ok(None);
    }
    exhibits::evidence(&RecordedExperiment::open(folder)?).map(Some)
}
