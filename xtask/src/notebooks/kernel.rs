//! The Rust kernel for Jupyter, built once for each user.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::programs::cargo;

/// The kernel's name in Jupyter.
pub(super) const NAME: &str = "rust";
/// The version of the kernel that the notebooks need.
const VERSION: &str = "0.22.0";

fn folder(cache: &Path) -> PathBuf {
    cache.join(format!("evcxr-{VERSION}"))
}

/// Returns the path of the kernel's program.
pub(super) fn binary(cache: &Path) -> PathBuf {
    folder(cache).join("bin").join("evcxr_jupyter")
}

/// Returns Jupyter's data folder for this project.
pub(super) fn jupyter(cache: &Path) -> PathBuf {
    cache.join("jupyter")
}

/// Builds the kernel where it is missing, and registers it with Jupyter.
///
/// # Errors
/// When the kernel cannot be fetched or built, or a file cannot be written.
pub(super) fn provide(cache: &Path) -> Result<()> {
    if !binary(cache).is_file() {
        eprintln!("building evcxr_jupyter {VERSION}, once for this user: about 10 minutes on 2 cores");
        // The build folder is outside of the clone, so that any clone can continue an interrupted build.
        let build = cache.join(format!("evcxr-{VERSION}-build"));
        cargo()
            .env("CARGO_TARGET_DIR", &build)
            .args(["install", "--locked", "--version", VERSION, "--root"])
            .arg(folder(cache))
            .arg("evcxr_jupyter")
            .run()
            .context("the kernel of the notebooks could not be built")?;
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

/// Makes the folder in which evcxr builds the cells, with a copy of the workspace's Cargo.lock, which evcxr itself ignores:
/// the cells then depend on the same versions.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn prepare(build: &Path) -> Result<()> {
    std::fs::create_dir_all(build).with_context(|| format!("making {}", build.display()))?;
    std::fs::copy("Cargo.lock", build.join("Cargo.lock"))
        .with_context(|| format!("copying Cargo.lock to {}", build.display()))?;
    Ok(())
}
