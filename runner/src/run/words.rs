//! Compilation of an experiment's word list for the hook.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use model::Experiment;

/// Name of the file with the compiled words in the run's folder.
pub(crate) const WORDS: &str = "keywords.words";

/// Compiles the experiment's word list into the run's folder and returns the path of the file. Returns `None` for an experiment
/// without a word list, for which the hook uses its built-in words.
///
/// # Errors
/// If the list cannot be read or compiled.
pub(crate) fn compile(experiment: &Experiment, folder: &Path) -> Result<Option<PathBuf>> {
    let Some(list) = &experiment.words else { return Ok(None) };
    let text = fs::read(list).with_context(|| {
        format!(
            "words: cannot read {}; `cargo xtask import ssp2023` downloads the list of the study",
            list.display()
        )
    })?;
    let compiled = readhook_compile::compile(&text).with_context(|| format!("words: {}", list.display()))?;
    let path = std::path::absolute(folder.join(WORDS))?;
    dataset::write_file(&path, &compiled)?;
    Ok(Some(path))
}
