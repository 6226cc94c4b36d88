//! A run, or the runs of a grid, read and computed.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use dataset::{Grid, Run};
use model::ExhibitKind;
use model::Manifest;

use crate::results::{Results, results};
use samples::{RunSamples, run_samples};

/// An experiment as it was recorded.
#[derive(Debug)]
pub struct RecordedExperiment {
    /// Its name.
    pub experiment: String,
    /// The question that it asks.
    pub question: String,
    /// The exhibit that it names.
    pub exhibit: Option<ExhibitKind>,
    /// The folder's name.
    pub id: String,
    /// One for a run; of a grid all, in the order of its levels: the first is what the others are compared with.
    pub cells: Vec<RecordedCell>,
}

/// One run of it.
#[derive(Debug)]
pub struct RecordedCell {
    /// The level of each factor; empty for a run that is no grid's.
    pub levels: BTreeMap<String, String>,
    /// As recorded.
    pub manifest: Manifest,
    /// Its observations.
    pub samples: RunSamples,
    /// What is to be said of them.
    pub results: Results,
}

impl RecordedExperiment {
    /// Reads a run's folder, or a grid's.
    ///
    /// # Errors
    /// When it is neither, or a file is missing or damaged.
    pub fn open(folder: &Path) -> Result<Self> {
        let cells = if Grid::is_at(folder) {
            Grid::open(folder)?.cells
        } else {
            vec![(BTreeMap::new(), Run::open(folder)?)]
        };
        let cells: Vec<RecordedCell> = cells
            .into_iter()
            .map(|(levels, run)| {
                let samples = run_samples(&run)?;
                let results = results(&run.manifest, &samples)?;
                Ok(RecordedCell {
                    levels,
                    manifest: run.manifest,
                    samples,
                    results,
                })
            })
            .collect::<Result<_>>()?;
        let first = &cells.first().context("the grid has no cell")?.manifest;
        Ok(Self {
            experiment: first.experiment.clone(),
            exhibit: exhibit(first)?,
            question: first.plan["question"].as_str().unwrap_or_default().to_owned(),
            id: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            cells,
        })
    }
}

/// The exhibit that a recorded experiment names.
fn exhibit(manifest: &Manifest) -> Result<Option<ExhibitKind>> {
    match manifest.plan.get("exhibit") {
        Some(named) => Ok(Some(
            serde_json::from_value(named.clone()).context("manifest.json: plan.exhibit")?,
        )),
        None => Ok(exhibit_before_definitions_named_one(&manifest.experiment)),
    }
}

/// The exhibit of an experiment that was recorded when definitions did not name one.
fn exhibit_before_definitions_named_one(experiment: &str) -> Option<ExhibitKind> {
    Some(match experiment {
        "r01" | "r02" => ExhibitKind::Topology,
        "r03" => ExhibitKind::Proxies,
        "r04" => ExhibitKind::Neighbours,
        "r05" => ExhibitKind::Observers,
        "r06" => ExhibitKind::Isolation,
        "r07" => ExhibitKind::Positions,
        "r08" => ExhibitKind::Quotas,
        "r09" => ExhibitKind::Power,
        "r10" => ExhibitKind::Environments,
        "idle" => ExhibitKind::Idle,
        _ => return None,
    })
}

impl RecordedCell {
    /// The level of a factor; empty where the grid does not have it.
    #[must_use]
    pub fn level(&self, factor: &str) -> &str {
        self.levels.get(factor).map_or("", String::as_str)
    }
}
