//! The claims, held against all runs that there are.

use std::fs;
use std::path::{Path, PathBuf};

use analysis::claims::{Evidence, JudgedRecommendation, Misses, RunOrigin, judge, misses, table};
use anyhow::{Context, Result};
use dataset::{Grid, OBSERVED_FILE, ObservedServers, Run};
use samples::imported_recordings;
use serde::Serialize;

use crate::calibration::{self, CALIBRATION};
use crate::claim_definitions::stated_claims;
use crate::evidence;
use crate::exhibits::{self, RecordedExperiment};
use crate::study::StudyResults;

/// Kept quantities of a run, instead of its observations.
const QUANTITIES: &str = "quantities.json";
/// The folder of the runs that the project recorded, a folder for each machine. Any other run is the reader's.
const RECORDED: &str = "data/reference";

/// Recommendations, claims, verdicts, and how often controls missed.
#[derive(Clone, Debug, Serialize)]
pub struct JudgedClaims {
    /// In the study's order.
    pub recommendations: Vec<JudgedRecommendation>,
    /// Over all runs.
    pub misses: Vec<Misses>,
}

impl JudgedClaims {
    /// Holds the project's claims against what was measured.
    ///
    /// # Errors
    /// When `claims.toml` is not as expected or a quantity has the wrong unit.
    pub fn of(evidence: &Evidence) -> Result<Self> {
        Ok(Self {
            recommendations: judge(&stated_claims()?, evidence)?,
            misses: misses(&evidence.controls),
        })
    }

    /// One recommendation, for a notebook.
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

    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        table(&self.recommendations, &self.misses)
    }
}

/// The evidence of folders: runs, folders of kept quantities, of repetitions or of observed servers, or folders of such; and of the study.
///
/// # Errors
/// When a folder that was named cannot be read. One found inside of it that cannot is left out, which is said on standard
/// error; one that holds nothing of the kind is passed over.
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

/// Whether `folder` is that of the recorded runs or within it.
fn is_recorded(folder: &Path) -> bool {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.ancestors().any(|outer| outer.ends_with(RECORDED))
}

fn of_folder(folder: &Path) -> Result<Evidence> {
    if let Some(found) = of_one(folder).with_context(|| format!("the evidence of {}", folder.display()))? {
        return Ok(found);
    }
    // Only recorded runs stand in a folder for each machine. Elsewhere such a folder is an unfinished grid's.
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
    // The order of a listing is chance.
    inner.sort();
    for folder in inner.iter().filter(|path| path.is_dir()) {
        match of_one(folder) {
            Ok(Some(one)) => found.extend(one),
            Ok(None) => found.extend(of_inner(folder, levels - 1)?),
            // Nobody named this one, so that it does not keep the others from being judged.
            Err(error) => eprintln!("left out: {}: {error:#}", folder.display()),
        }
    }
    Ok(found)
}

/// `None` for a folder that is none of ours, or an unfinished run's.
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
        found
            .get_or_insert_default()
            .extend(evidence::of_observed(&ObservedServers::read(folder)?));
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

/// `None` for a run without contrasts or with too few launches for an interval.
fn of_run(folder: &Path) -> Result<Option<Evidence>> {
    let manifest = Run::open(folder)?.manifest;
    if manifest.contrasts().is_empty() {
        return Ok(None);
    }
    let most = manifest.conditions.iter().map(|condition| {
        let here = manifest
            .launches
            .iter()
            .filter(|launch| launch.condition == condition.name);
        here.count()
    });
    if most.max().unwrap_or(0) < 2 {
        return Ok(None);
    }
    exhibits::evidence(&RecordedExperiment::open(folder)?).map(Some)
}
