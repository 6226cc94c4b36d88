//! Python packages with fixed versions, in virtual environments of this project.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::programs::{Program, find};

/// The Python packages that serve one purpose.
#[derive(Clone, Copy)]
pub(crate) struct PythonEnvironment {
    /// The environment's folder in the cache.
    pub(crate) name: &'static str,
    /// The file that lists every package with its version.
    pub(crate) requirements: &'static str,
    /// The purpose, which completes the sentence "NAME …", such as "executes the notebooks".
    pub(crate) purpose: &'static str,
}

/// Returns the version of this machine's Python; `None` if it cannot make a [`PythonEnvironment`]. Debian has the
/// module for this in a separate package.
pub(crate) fn version() -> Option<String> {
    let works = Program::new("python3").args(["-c", "import ensurepip, sys; print(sys.version.split()[0])"]);
    find("python3").and_then(|_| works.expression().stderr_null().read().ok())
}

impl PythonEnvironment {
    /// The path of the file that marks the environment as complete. The file contains the requirements.
    pub(crate) fn marker(&self, cache: &Path) -> PathBuf {
        cache.join(self.name).join("complete.txt")
    }

    /// Makes the environment if it is missing or has other requirements, and returns the path of its Python.
    ///
    /// # Errors
    /// When Python or its `venv` is missing, or the packages cannot be installed.
    pub(crate) fn provide(&self, cache: &Path) -> Result<PathBuf> {
        let environment = cache.join(self.name);
        let python = environment.join("bin").join("python3");
        let wanted =
            std::fs::read_to_string(self.requirements).with_context(|| format!("reading {}", self.requirements))?;
        let marker = self.marker(cache);
        if python.is_file() && std::fs::read_to_string(&marker).is_ok_and(|made_from| made_from == wanted) {
            return Ok(python);
        }
        if find("python3").is_none() {
            bail!(
                "{} {} and needs python3; install it (Debian: apt-get install python3-venv)",
                self.name,
                self.purpose
            );
        }
        eprintln!("installing {}, once for this user", self.name);
        Program::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment)
            .run_aside()
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
            .args(["--requirement", self.requirements])
            .run_aside()
            .with_context(|| format!("{} could not be installed", self.name))?;
        std::fs::write(&marker, wanted).with_context(|| format!("writing {}", marker.display()))?;
        Ok(python)
    }
}
