//! The Rust kernel for Jupyter, built once per user.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::programs::cargo;

/// The kernel's name in Jupyter.
pub(super) const NAME: &str = "rust";
/// The version that the notebooks were written for.
const VERSION: &str = "0.22.0";

fn folder(cache: &Path) -> PathBuf {
    cache.join(format!("evcxr-{VERSION}"))
}

/// The kernel's program.
pub(super) fn binary(cache: &Path) -> PathBuf {
    folder(cache).join("bin").join("evcxr_jupyter")
}

/// Jupyter's data folder, for us alone.
pub(super) fn jupyter(cache: &Path) -> PathBuf {
    cache.join("jupyter")
}

/// Builds the kernel where it is missing, and tells Jupyter of it.
///
/// # Errors
/// When it cannot be fetched, built or written.
pub(super) fn provide(cache: &Path) -> Result<()> {
    if !binary(cache).is_file() {
        eprintln!("building evcxr_jupyter {VERSION}, once for this user: about 10 minutes on 2 cores");
        // Outside the clone, so that a build that was interrupted goes on, also from another clone.
        let build = cache.join(format!("evcxr-{VERSION}-build"));
        cargo()
            .env("CARGO_TARGET_DIR", &build)
            .args(["install", "--locked", "--version", VERSION, "--root"])
            .arg(folder(cache))
            .arg("evcxr_jupyter")
            .run()
            .context("the notebooks' kernel could not be built")?;
        std::fs::remove_dir_all(&build).with_context(|| format!("removing {}", build.display()))?;
    }
    let spec = json!({
        "argv": [binary(cache), "--control_file", "{connection_file}"],
        "display_name": "Rust",
        "language": "rust",
        "interrupt_mode": "message",
    });
    let folder = jupyter(cache).join("kernels").join(NAME);
    let file = folder.join("kernel.json");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&file, format!("{spec:#}\n")))
        .with_context(|| format!("writing {}", file.display()))
}

/// Makes the folder in which evcxr builds a notebook's cells. It ignores the workspace's Cargo.lock; a copy makes it
/// begin with the same versions of everything.
///
/// # Errors
/// When it cannot be written.
pub(super) fn prepare(build: &Path) -> Result<()> {
    std::fs::create_dir_all(build).with_context(|| format!("making {}", build.display()))?;
    std::fs::copy("Cargo.lock", build.join("Cargo.lock"))
        .with_context(|| format!("copying Cargo.lock to {}", build.display()))?;
    Ok(())
}
