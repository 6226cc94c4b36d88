//! The launches of recorded runs, from which simulated experiments draw.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use dataset::{Grid, Run};
use model::{Contrast, LaunchRecord};
use samples::run_samples;

use crate::layers::{Layer, per_launch};

/// One contrast in one condition of one run.
#[derive(Clone, Debug)]
pub struct RecordedContrast {
    /// The run's experiment.
    pub experiment: String,
    /// The level of each factor; empty for a run that is no grid's.
    pub levels: BTreeMap<String, String>,
    /// The condition.
    pub condition: String,
    /// The contrast.
    pub contrast: Contrast,
    /// The difference of medians of each launch at the layers that have it, ns, in the order of the launches.
    pub layers: Vec<(Layer, Vec<f64>)>,
}

impl RecordedContrast {
    /// The difference of medians of each launch at a layer, ns.
    #[must_use]
    pub fn at(&self, layer: Layer) -> Option<&[f64]> {
        let mut layers = self.layers.iter();
        layers.find(|(one, _)| *one == layer).map(|(_, values)| &values[..])
    }
}

/// Reads all runs and grids in a folder, at any depth, in the order of their paths.
///
/// # Errors
/// When a run cannot be read, or when the folder has none.
pub fn recorded_contrasts(folder: &Path) -> Result<Vec<RecordedContrast>> {
    let mut found = Vec::new();
    read(folder, &mut found)?;
    ensure!(
        !found.is_empty(),
        "{}: no run with contrasts; expected a folder of recorded runs",
        folder.display()
    );
    Ok(found)
}

fn read(folder: &Path, found: &mut Vec<RecordedContrast>) -> Result<()> {
    if Grid::is_at(folder) {
        for (levels, run) in Grid::open(folder)?.cells {
            read_run(&levels, &run, found)?;
        }
    } else if folder.join("manifest.json").exists() {
        read_run(&BTreeMap::new(), &Run::open(folder)?, found)?;
    } else {
        let listing = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        let mut inner: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
        inner.sort();
        for folder in inner.iter().filter(|path| path.is_dir()) {
            read(folder, found)?;
        }
    }
    Ok(())
}

fn read_run(levels: &BTreeMap<String, String>, run: &Run, found: &mut Vec<RecordedContrast>) -> Result<()> {
    let samples = run_samples(run).with_context(|| format!("the launches of {}", run.directory.display()))?;
    for condition in &run.manifest.conditions {
        let launches = samples.launches_in(&condition.name);
        let records: Vec<&LaunchRecord> = run.manifest.launches_in(&condition.name).collect();
        for contrast in run.manifest.contrasts() {
            let at = |layer| Some((layer, per_launch(contrast, layer, launches, &records)?));
            let layers: Vec<(Layer, Vec<f64>)> = Layer::ALL.into_iter().filter_map(at).collect();
            if !launches.is_empty() && !layers.is_empty() {
                found.push(RecordedContrast {
                    experiment: run.manifest.experiment.clone(),
                    levels: levels.clone(),
                    condition: condition.name.clone(),
                    contrast: contrast.clone(),
                    layers,
                });
            }
        }
    }
    Ok(())
}
