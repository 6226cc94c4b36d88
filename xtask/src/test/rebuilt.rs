//! The build of the hook is reproducible: in another folder it gives the same bytes.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::programs::cargo;
use crate::{paths, tidy};

/// Copies the files that git lists to another folder, builds the hook there, and compares the bytes.
///
/// # Errors
/// When the build fails or a byte differs.
pub(super) fn hook() -> Result<()> {
    let folder = tempfile::tempdir().context("making a folder to build in")?;
    let elsewhere = folder.path().join("elsewhere");
    for path in tidy::files::paths()? {
        let to = elsewhere.join(&path);
        fs::create_dir_all(to.parent().unwrap_or(&elsewhere))?;
        // A file deleted but not yet committed is still listed.
        if fs::exists(&path)? {
            fs::copy(&path, &to).with_context(|| format!("copying {path}"))?;
        }
    }
    let build = cargo().env("CARGO_TARGET_DIR", folder.path().join("target")).args([
        "build",
        "--locked",
        "--profile",
        "hook",
        "--package",
        "readhook",
    ]);
    eprintln!("$ {}", build.shown());
    let output = build.expression().dir(&elsewhere).unchecked().run()?;
    build.succeeded(output.status)?;
    let (ours, theirs) = (
        fs::read(paths::hook())?,
        fs::read(folder.path().join("target/hook/libreadhook.so"))?,
    );
    ensure!(
        ours == theirs,
        "{} and a build of the same source in another folder differ",
        paths::hook().display()
    );
    Ok(())
}
