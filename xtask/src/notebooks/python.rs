//! nbconvert with everything it needs, in a virtual environment of our own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::programs::{Program, find};

/// Every package with its version.
const REQUIREMENTS: &str = "notebooks/requirements.txt";

/// The file that says that the environment is complete and what it was made from.
pub(super) fn marker(cache: &Path) -> PathBuf {
    cache.join("nbconvert").join("complete.txt")
}

/// Makes the environment where it is missing or was made from other requirements; returns its Python.
///
/// # Errors
/// When Python or its `venv` is missing, or the packages cannot be had.
pub(super) fn provide(cache: &Path) -> Result<PathBuf> {
    let environment = cache.join("nbconvert");
    let python = environment.join("bin").join("python3");
    let wanted = std::fs::read_to_string(REQUIREMENTS).with_context(|| format!("reading {REQUIREMENTS}"))?;
    let marker = marker(cache);
    if python.is_file() && std::fs::read_to_string(&marker).is_ok_and(|made_from| made_from == wanted) {
        return Ok(python);
    }
    if find("python3").is_none() {
        bail!("nbconvert executes the notebooks and needs python3; install it (Debian: apt-get install python3-venv)");
    }
    eprintln!("installing nbconvert, once for this user");
    Program::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&environment)
        .run()
        .context("python3 cannot make a virtual environment (Debian: apt-get install python3-venv)")?;
    Program::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--quiet",
        ])
        .args(["--requirement", REQUIREMENTS])
        .run()
        .context("nbconvert could not be installed")?;
    std::fs::write(&marker, wanted).with_context(|| format!("writing {}", marker.display()))?;
    Ok(python)
}
