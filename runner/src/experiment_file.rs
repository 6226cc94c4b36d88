//! Experiments from files: definitions in TOML.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use model::{Experiment, GridExtent, ServerUnderTest, parse_definition};

use crate::program::{copied_files, read_server_file};
use crate::proxies;

/// Reads a definition: one experiment, or one for each cell of its grid. The content of the files that the definition
/// names takes the place of their paths.
///
/// # Errors
/// If a file cannot be read or is no definition; the error names line, column and key.
pub(crate) fn read(path: &Path, extent: GridExtent) -> Result<Vec<Experiment>> {
    let mut experiments = definition(path, extent)?;
    experiments.iter_mut().try_for_each(resolve)?;
    Ok(experiments)
}

fn definition(path: &Path, extent: GridExtent) -> Result<Vec<Experiment>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}; the definitions are in experiments/", path.display()))?;
    parse_definition(&text, extent).with_context(|| format!("{} is no experiment", path.display()))
}

/// Returns the files that a definition names: servers, proxies, delays, words, and the files that these copy.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn named_files(path: &Path, extent: GridExtent) -> Result<BTreeSet<PathBuf>> {
    let mut named = BTreeSet::new();
    for experiment in definition(path, extent)? {
        named.extend(experiment.words);
        if let ServerUnderTest::File { file } = experiment.sut {
            named.extend(copied_files(&file)?);
            named.insert(file);
        }
        for proxy in experiment.proxies {
            named.extend(proxies::named_files(proxy)?);
        }
    }
    Ok(named)
}

/// Replaces the paths of files by their content.
fn resolve(experiment: &mut Experiment) -> Result<()> {
    if let ServerUnderTest::File { file } = &experiment.sut {
        experiment.sut = ServerUnderTest::Command(Box::new(read_server_file(file)?.server));
    }
    experiment.proxies.iter_mut().try_for_each(proxies::resolve)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_our_definitions_is_valid_in_every_condition() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments");
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let plan = folder.join("plan.toml");
        let definitions = files.filter(|path| path.extension().is_some_and(|end| end == "toml") && *path != plan);
        let mut cells = 0;
        for path in definitions {
            for mut experiment in parse_definition(&fs::read_to_string(&path).unwrap(), GridExtent::Full).unwrap() {
                for condition in [
                    "local-pod",
                    "local-nodes",
                    "local-service",
                    "docker",
                    "kind",
                    "eks-nodes",
                    "kubernetes-node",
                ] {
                    experiment.conditions = vec![condition.parse().unwrap()];
                    experiment
                        .validate()
                        .unwrap_or_else(|error| panic!("{} in {condition}: {error}", path.display()));
                }
                // Fewer segments have no variance between them, and a report has no row for the share of launches.
                let load = &experiment.load;
                let segments = (load.rounds - load.warm_up_rounds) / load.segment_rounds;
                assert!(segments >= 2, "{}: {segments} measured segments", path.display());
                cells += 1;
            }
        }
        assert!(cells > 60, "{cells}");
    }
}
