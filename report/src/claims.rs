//! The verdicts of the claims over all runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use analysis::claims::{
    CurrentPlan, Evidence, JudgedRecommendation, LeftOut, Misses, RunOrigin, examine_stability, judge, misses, table,
};
use anyhow::{Context, Result};
use dataset::{Grid, OBSERVED_FILE, ObservedServers, Run};
use model::Manifest;
use samples::imported_recordings;
use serde::Serialize;

use crate::calibration::{self, CALIBRATION};
use crate::claim_definitions::{current_plan, stated_claims};
use crate::evidence;
use crate::exhibits::{self, RecordedExperiment};
use crate::left_out::left_out;
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
    /// The misses of the controls on each machine, over all runs.
    pub misses: Vec<Misses>,
}

impl JudgedClaims {
    /// Judges the project's claims by evidence and the registered plan.
    ///
    /// # Errors
    /// When `claims.toml` or `plan.toml` are not as expected, or a quantity has the wrong unit.
    pub fn of(evidence: &Evidence) -> Result<Self> {
        Self::by(&current_plan()?, evidence)
    }

    /// Judges the project's claims by evidence and a plan.
    ///
    /// # Errors
    /// The errors of [`Self::of`].
    pub fn by(plan: &CurrentPlan, evidence: &Evidence) -> Result<Self> {
        Ok(Self {
            recommendations: judge(&stated_claims()?, Some(plan), evidence)?,
            misses: misses(&evidence.controls),
        })
    }

    /// Makes verdicts that depend on one launch or on one machine inconclusive.
    ///
    /// # Errors
    /// The errors of [`Self::of`].
    pub fn examine_stability(&mut self, plan: &CurrentPlan, gathered: &GatheredEvidence) -> Result<()> {
        let GatheredEvidence { evidence, left_out, .. } = gathered;
        let claims = stated_claims()?;
        Ok(examine_stability(
            &mut self.recommendations,
            &claims,
            Some(plan),
            evidence,
            left_out,
        )?)
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

/// The evidence of folders, and its origin.
#[derive(Clone, Debug, Default)]
pub struct GatheredEvidence {
    /// The evidence.
    pub evidence: Evidence,
    /// The quantities without one launch; empty unless they were asked for.
    pub left_out: Vec<LeftOut>,
    /// The folder of each run, by origin, machine and name of the run.
    pub folders: BTreeMap<(Option<RunOrigin>, String, String), PathBuf>,
}

impl GatheredEvidence {
    /// The evidence of one folder.
    fn of(evidence: Evidence, left_out: Vec<LeftOut>) -> Self {
        Self {
            evidence,
            left_out,
            folders: BTreeMap::new(),
        }
    }

    /// Adds the evidence of another folder.
    fn extend(&mut self, other: Self) {
        let before = self.evidence.measured.len();
        self.evidence.extend(other.evidence);
        self.folders.extend(other.folders);
        let moved = other.left_out.into_iter().map(|left_out| LeftOut {
            quantity: before + left_out.quantity,
            ..left_out
        });
        self.left_out.extend(moved);
    }

    /// Returns the evidence with its origin and its folder.
    fn found_in(mut self, folder: &Path) -> Self {
        let origin = source(folder);
        self.evidence = self.evidence.of(origin);
        let runs = self.evidence.measured.iter();
        let runs = runs.map(|measured| {
            let run = measured
                .run
                .split_once('/')
                .map_or(measured.run.as_str(), |(run, _)| run);
            (Some(origin), measured.machine.clone(), run.to_owned())
        });
        self.folders = runs.map(|run| (run, folder.to_owned())).collect();
        self
    }
}

/// Gathers the evidence of folders and of the study. A folder is a run, a grid, a folder with kept quantities, repeated
/// calibrations or observed servers, or a folder of such folders.
///
/// # Errors
/// When a named folder cannot be read. A folder inside a named folder that cannot be read is left out with a message on
/// standard error; a folder without evidence is skipped.
pub fn gather(folders: &[PathBuf], study: &Path) -> Result<Evidence> {
    Ok(gather_from(folders, study, false)?.evidence)
}

/// Gathers the evidence of folders and of the study, with the folder of each run. With `leave_out`, all quantities are also computed
/// without each launch in turn; a folder with kept quantities and the study have no launches.
///
/// # Errors
/// The errors of [`gather`], and an error if a quantity cannot be computed without a launch.
pub fn gather_from(folders: &[PathBuf], study: &Path, leave_out: bool) -> Result<GatheredEvidence> {
    let mut found = GatheredEvidence::default();
    for folder in folders {
        found.extend(of_folder(folder, leave_out)?);
    }
    if let Some(recordings) = imported_recordings(study)? {
        let of_study = evidence::of_study(&StudyResults::compute(&recordings)?)?;
        found.extend(GatheredEvidence::of(of_study, Vec::new()));
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

fn of_folder(folder: &Path, leave_out: bool) -> Result<GatheredEvidence> {
    if let Some(found) = of_one(folder, leave_out).with_context(|| format!("the evidence of {}", folder.display()))? {
        return Ok(found);
    }
    // Only recorded runs have a folder for each machine. Elsewhere such a folder belongs to an unfinished grid.
    of_inner(folder, if is_recorded(folder) { 2 } else { 1 }, leave_out)
}

/// The evidence of the runs in `folder` and, up to `levels` deep, in the folders of runs in it.
fn of_inner(folder: &Path, levels: usize, leave_out: bool) -> Result<GatheredEvidence> {
    let mut found = GatheredEvidence::default();
    if levels == 0 {
        return Ok(found);
    }
    let listing = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut inner: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
    // The order of a listing is not defined.
    inner.sort();
    for folder in inner.iter().filter(|path| path.is_dir()) {
        match of_one(folder, leave_out) {
            Ok(Some(one)) => found.extend(one),
            Ok(None) => found.extend(of_inner(folder, levels - 1, leave_out)?),
            // The command did not name this folder: the others are judged without it.
            Err(error) => eprintln!("left out: {}: {error:#}", folder.display()),
        }
    }
    Ok(found)
}

/// The evidence of one folder; `None` for a folder of another kind and for an unfinished run.
fn of_one(folder: &Path, leave_out: bool) -> Result<Option<GatheredEvidence>> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"));
    if folder.join(QUANTITIES).exists() {
        let kept: Evidence = serde_json::from_str(&read(QUANTITIES)?).context(QUANTITIES)?;
        return Ok(Some(GatheredEvidence::of(kept, Vec::new()).found_in(folder)));
    }
    let mut found = None;
    if Grid::is_at(folder) || has_launches(folder)? {
        let mut recorded = RecordedExperiment::open(folder)?;
        let evidence = exhibits::evidence(&recorded)?;
        let left_out = if leave_out {
            left_out(&mut recorded, &evidence)?
        } else {
            Vec::new()
        };
        found = Some(GatheredEvidence::of(evidence, left_out));
    }
    if folder.join(OBSERVED_FILE).exists() {
        let manifest = manifest_of(folder)?;
        let observed = evidence::of_observed(&ObservedServers::read(folder)?, manifest.as_ref());
        found
            .get_or_insert_default()
            .extend(GatheredEvidence::of(observed, Vec::new()));
    }
    let repetitions = folder.join(CALIBRATION);
    if found.is_none() && repetitions.exists() {
        let controls = evidence::of_repetitions(&calibration::read(&repetitions)?)?;
        found = Some(GatheredEvidence::of(controls, Vec::new()));
    }
    Ok(found.map(|found| found.found_in(folder)))
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

/// Returns true for the folder of a run with contrasts and with enough launches for an interval.
fn has_launches(folder: &Path) -> Result<bool> {
    if !folder.join("manifest.json").exists() {
        return Ok(false);
    }
    let manifest = Run::open(folder)?.manifest;
    let most = manifest
        .conditions
        .iter()
        .map(|condition| manifest.launches_in(&condition.name).count());
    Ok(!manifest.contrasts().is_empty() && most.max().unwrap_or(0) >= 2)
}
