//! A list of words of the experiment's own, compiled for the hook.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use model::Experiment;

/// Name of the compiled words in the run's folder.
pub(crate) const WORDS: &str = "keywords.words";

/// Compiles the experiment's words into the run's folder and says where they are; `None` where it has none, and the hook
/// takes those that it carries.
pub(crate) fn compile(experiment: &Experiment, folder: &Path) -> Result<Option<PathBuf>> {
    let Some(list) = &experiment.words else { return Ok(None) };
    let text = fs::read(list).with_context(|| {
        format!(
            "words: cannot read {}; the study's come with `cargo xtask import ssp2023`",
            list.display()
        )
    })?;
    let compiled = readhook_compile::compile(&text).with_context(|| format!("words: {}", list.display()))?;
    let path = std::path::absolute(folder.join(WORDS))?;
    dataset::write_file(&path, &compiled)?;
    Ok(Some(path))
}
