//! `cargo xtask paper`: compiles the paper. Its numbers come from results that are compared with the recorded runs.

mod compared;
mod typesetter;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::programs::Program;
use crate::{build, paths};

/// The folder of the paper's numbers and figures, kept in the repository.
const RESULTS: &str = "paper/results";
/// The machine's recorded runs from which the results are computed.
const REFERENCE: &str = "data/reference/before-plan";

#[derive(clap::Args)]
pub(crate) struct PaperCommand {
    /// Only check that the results follow from the recorded runs, and that the paper compiles
    #[arg(long)]
    check: bool,
    /// Replace the results by those of the recorded runs
    #[arg(long, conflicts_with = "check")]
    update: bool,
    /// PDF to write
    #[arg(long, default_value = "data/reports/paper.pdf", value_parser = paths::from_here)]
    out: PathBuf,
}

/// Does the work of `cargo xtask paper --check`.
///
/// # Errors
/// The errors of [`run`].
pub(crate) fn check() -> Result<()> {
    run(&PaperCommand {
        check: true,
        update: false,
        out: PathBuf::new(),
    })
}

/// Compares or updates the results, and compiles the paper.
///
/// # Errors
/// When a result is missing or does not follow from the recorded runs, or the paper does not compile.
pub(crate) fn run(arguments: &PaperCommand) -> Result<()> {
    build::binaries()?;
    let study = paths::study_is_there();
    let folder = tempfile::tempdir().context("making a folder for the computed results")?;
    compute(folder.path())?;
    if arguments.update {
        update(folder.path())?;
    } else {
        compare(folder.path(), study)?;
    }
    let compiled = folder.path().join("paper.pdf");
    typesetter::compile(&compiled)?;
    if arguments.check {
        println!("the paper's results follow from {REFERENCE}, and it compiles");
    } else {
        write(&compiled, &arguments.out)?;
    }
    if !study {
        println!(
            "NOT CHECKED: {}, because the 2023 study is not imported; run `cargo xtask import ssp2023`",
            compared::needs_the_study()
        );
    }
    Ok(())
}

fn write(compiled: &Path, out: &Path) -> Result<()> {
    let parent = out.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    // Renamed into place, so that the file is whole at any time.
    let mut unfinished = tempfile::NamedTempFile::new_in(parent)?;
    std::io::copy(&mut fs::File::open(compiled)?, &mut unfinished)
        .map_err(anyhow::Error::from)
        .and_then(|_| Ok(unfinished.persist(out)?))
        .with_context(|| format!("writing {}", out.display()))?;
    println!("wrote {}", out.display());
    Ok(())
}

fn compute(folder: &Path) -> Result<()> {
    Program::new(paths::binary("report"))
        .args(["paper", "--reference", REFERENCE, "--study", paths::STUDY, "--out"])
        .arg(folder)
        .run_aside()
}

/// Compares every file of results with the computed one.
fn compare(computed: &Path, study: bool) -> Result<()> {
    let differences = compared::differences(RESULTS.as_ref(), computed, study)?;
    for difference in &differences {
        println!("{difference}");
    }
    if !differences.is_empty() {
        bail!(
            "{} of the paper's results do not follow from {REFERENCE}; if the runs are right, \
             run `cargo xtask paper --update` and read the paper again",
            differences.len()
        );
    }
    Ok(())
}

fn update(computed: &Path) -> Result<()> {
    if !paths::study_is_there() {
        bail!("the paper's results need the 2023 study; run `cargo xtask import ssp2023`");
    }
    for name in compared::names(RESULTS.as_ref()).unwrap_or_default() {
        fs::remove_file(Path::new(RESULTS).join(name))?;
    }
    fs::create_dir_all(Path::new(RESULTS).join("figures"))?;
    for name in compared::names(computed)? {
        let to = Path::new(RESULTS).join(&name);
        fs::copy(computed.join(&name), &to).with_context(|| format!("writing {}", to.display()))?;
        println!("wrote {}", to.display());
    }
    Ok(())
}
