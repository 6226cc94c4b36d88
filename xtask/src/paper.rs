//! `cargo xtask paper`: the paper, whose every number is read from results that are held against the recorded runs.

mod typesetter;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::programs::Program;
use crate::{build, paths};
use values::Difference;

/// What the paper reads, kept in the repository.
const RESULTS: &str = "paper/results";
/// Recorded runs, of which all of it is computed.
const REFERENCE: &str = "data/reference";
/// The one file of numbers among the results; beside it are figures and the same numbers as LaTeX macros.
const NUMBERS: &str = "results.json";
/// What of the numbers comes from the 2023 study, and what is drawn of it.
const OF_THE_STUDY: [&str; 2] = ["/study", "/claims"];
const STUDY_FIGURES: &str = "study-";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only check that the results are what the recorded runs give, and that the paper compiles
    #[arg(long)]
    check: bool,
    /// Take the results anew from the recorded runs
    #[arg(long, conflicts_with = "check")]
    update: bool,
    /// PDF to write
    #[arg(long, default_value = "data/reports/paper.pdf", value_parser = paths::from_here)]
    out: PathBuf,
}

/// As `cargo xtask paper --check`.
///
/// # Errors
/// As [`run`].
pub(crate) fn check() -> Result<()> {
    run(&Arguments {
        check: true,
        update: false,
        out: PathBuf::new(),
    })
}

/// Compares, or updates, the results, and compiles.
///
/// # Errors
/// When a result is missing or is not what the recorded runs give, or the paper does not compile.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    build::binaries()?;
    let folder = tempfile::tempdir().context("making a folder for the computed results")?;
    compute(folder.path())?;
    if arguments.update {
        update(folder.path())?;
    } else {
        compare(folder.path())?;
    }
    let compiled = folder.path().join("paper.pdf");
    typesetter::compile(&compiled)?;
    if arguments.check {
        println!("the paper's results are what {REFERENCE} gives, and it compiles");
        return Ok(());
    }
    let bytes = fs::read(&compiled).context("reading the compiled paper")?;
    let parent = arguments.out.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    let unfinished = arguments.out.with_added_extension("tmp");
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, &arguments.out))
        .with_context(|| format!("writing {}", arguments.out.display()))?;
    println!("wrote {}", arguments.out.display());
    Ok(())
}

fn compute(folder: &Path) -> Result<()> {
    Program::new(paths::binary("report"))
        .args(["paper", "--reference", REFERENCE, "--study", paths::STUDY, "--out"])
        .arg(folder)
        .run_aside()
}

/// Every file of results must be the computed one; what of them needs the study is left to those who have it.
fn compare(computed: &Path) -> Result<()> {
    let study = paths::study_is_there();
    if !study {
        eprintln!("not checked: what comes from the 2023 study, which is not there; `cargo xtask import ssp2023`");
    }
    let mut differences = numbers(computed, study)?;
    for name in names(computed)? {
        let (kept, made) = (Path::new(RESULTS).join(&name), computed.join(&name));
        // The macros are the numbers once more.
        if name == NUMBERS || (!study && name.ends_with(".tex")) {
            continue;
        }
        if !kept.is_file() {
            differences.push(format!("{} is missing", kept.display()));
        } else if fs::read(&kept)? != fs::read(&made)? {
            differences.push(format!("{} is not what the recorded runs give", kept.display()));
        }
    }
    let made = names(computed)?;
    for name in names(RESULTS.as_ref())? {
        let of_the_study = name.contains(STUDY_FIGURES) && !study;
        if !made.contains(&name) && !of_the_study {
            differences.push(format!("{RESULTS}/{name} comes from nothing that is recorded"));
        }
    }
    for difference in &differences {
        println!("{difference}");
    }
    if !differences.is_empty() {
        bail!(
            "{} of the paper's results are not what {REFERENCE} gives; if the runs are right, \
             `cargo xtask paper --update` and read the paper again",
            differences.len()
        );
    }
    Ok(())
}

fn numbers(computed: &Path, study: bool) -> Result<Vec<String>> {
    let read = |path: PathBuf| -> Result<Value> {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
    };
    let kept = read(Path::new(RESULTS).join(NUMBERS))?;
    let made = read(computed.join(NUMBERS))?;
    let differences = values::differences(&kept, &made);
    Ok(differences
        .iter()
        .filter(|difference| study || !OF_THE_STUDY.iter().any(|part| difference.place.starts_with(part)))
        .map(|Difference { place, kept, made }| format!("{RESULTS}/{NUMBERS}: {place} is {kept}, computed {made}"))
        .collect())
}

/// Files of a folder and its figures, by name.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for inner in ["", "figures/"] {
        let listed = folder.join(inner);
        for entry in fs::read_dir(&listed).with_context(|| format!("listing {}", listed.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(format!("{inner}{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    names.sort();
    Ok(names)
}

fn update(computed: &Path) -> Result<()> {
    if !paths::study_is_there() {
        bail!("the paper's results need the 2023 study too: `cargo xtask import ssp2023`");
    }
    for name in names(RESULTS.as_ref()).unwrap_or_default() {
        fs::remove_file(Path::new(RESULTS).join(name))?;
    }
    fs::create_dir_all(Path::new(RESULTS).join("figures"))?;
    for name in names(computed)? {
        let to = Path::new(RESULTS).join(&name);
        fs::copy(computed.join(&name), &to).with_context(|| format!("writing {}", to.display()))?;
        println!("wrote {}", to.display());
    }
    Ok(())
}
