//! The steps of `cargo xtask test`.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Result, bail};

use super::count::Count;
use super::outcome::Skipped;
use super::{archived, rebuilt, supply};
use crate::programs::{Program, cargo, find};
use crate::run::RunOptions;
use crate::{build, fuzz, import, notebooks, paths, python, report, reproduce, run, tidy};

/// When a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    /// In every run of `cargo xtask test`.
    First,
    /// With `--all`.
    Second,
    /// Only if `--step` or `--only` names the step.
    ByName,
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::First => "first tier",
            Self::Second => "second tier",
            Self::ByName => "by name",
        })
    }
}

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) tier: Tier,
    pub(super) purpose: &'static str,
    pub(super) work: fn(&mut Count) -> Result<()>,
}

/// All steps in their order. Those that share build products stand next to each other: lints and documentation need the
/// metadata of the dependencies, all that follows needs the binaries that the tests build.
pub(super) const STEPS: [Step; 22] = [
    first("formatting", "rustfmt changes nothing", |_| formatting()),
    first(
        "invariants",
        "the invariants in ARCHITECTURE.md (cargo xtask tidy)",
        |_| invariants(),
    ),
    first("lints", "clippy, in all targets", |_| lints()),
    first("documentation", "rustdoc warns of nothing", |_| documentation()),
    first("hook", "the hook's own profile builds", |_| build::hook()),
    first("build", "all tests and binaries build", |_| build::binaries()),
    first(
        "study",
        "the 2023 study is imported, if SSP2023 names its folder",
        |_| study(),
    ),
    first("tests", "all tests but the long ones", |count| tests(count, &[])),
    first("fuzzing", "half a minute of inputs for each fuzz target", |_| {
        fuzzing(30)
    }),
    first("hook-again", "a build in another folder gives the hook's bytes", |_| {
        hook_again()
    }),
    first("flake", "the flake evaluates", |_| flake()),
    first(
        "dependencies",
        "licences, sources and duplicates of dependencies",
        |_| supply::chain(),
    ),
    first("advisories", "known vulnerabilities of dependencies", |_| {
        supply::advisories()
    }),
    first("smoke-run", "a short measurement with its report", |_| smoke_run()),
    first(
        "paper",
        "its numbers follow from the recorded runs, and it compiles",
        |_| paper(),
    ),
    first("archive", "the archive is whole and compiles without a network", |_| {
        archive(archived::compiles)
    }),
    first("notebooks", "the cells compile and run as programs", |_| {
        notebooks_as_programs()
    }),
    second("long-tests", "tests that take long or repeat a promise", long_tests),
    second("long-fuzzing", "five minutes of inputs for each fuzz target", |_| {
        fuzzing(300)
    }),
    second("archive-again", "the archive's own build gives the same report", |_| {
        archive(archived::reproduces)
    }),
    second("notebook-kernel", "the notebooks run in their kernel", |_| {
        notebooks_in_kernel()
    }),
    Step {
        name: "applications",
        tier: Tier::ByName,
        purpose: "the applications of clusters/macro, from checkouts in the folder APPLICATIONS",
        work: |_| applications(),
    },
];

const fn first(name: &'static str, purpose: &'static str, work: fn(&mut Count) -> Result<()>) -> Step {
    let tier = Tier::First;
    Step {
        name,
        tier,
        purpose,
        work,
    }
}

const fn second(name: &'static str, purpose: &'static str, work: fn(&mut Count) -> Result<()>) -> Step {
    let tier = Tier::Second;
    Step {
        name,
        tier,
        purpose,
        work,
    }
}

fn is_clone() -> bool {
    Path::new(".git").exists()
}

fn formatting() -> Result<()> {
    cargo().args(["fmt", "--all", "--check"]).run()
}

fn lints() -> Result<()> {
    cargo()
        .args(["clippy", "--workspace", "--all-targets"])
        .options("--features", fuzz::compiler_is_there().then_some(fuzz::FEATURE))
        .args(["--", "-D", "warnings"])
        .run()
}

fn documentation() -> Result<()> {
    cargo()
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn invariants() -> Result<()> {
    if !is_clone() {
        bail!(Skipped::new("this is no git clone, and tidy asks git for the files"));
    }
    tidy::run()
}

/// Imports the study where `SSP2023` names a folder with it; nothing is fetched here.
fn study() -> Result<()> {
    if paths::study_is_there() {
        return Ok(());
    }
    if std::env::var_os(import::FOLDER_VARIABLE).is_none() {
        bail!(Skipped::new(format!(
            "{} names no folder with the 2023 study's recordings",
            import::FOLDER_VARIABLE
        )));
    }
    build::binaries()?;
    import::fetch_and_convert()
}

fn fuzzing(seconds: u32) -> Result<()> {
    if let Err(missing) = fuzz::possible() {
        bail!(Skipped::new(missing.to_string()));
    }
    fuzz::run(&fuzz::FuzzCommand { seconds, inputs: 0 })
}

fn hook_again() -> Result<()> {
    if !is_clone() {
        bail!(Skipped::new("this is no git clone, whose files are built again"));
    }
    rebuilt::hook()
}

/// Evaluates the flake with a stand-in for nixpkgs; `tidy` checks the properties that need no nix.
fn flake() -> Result<()> {
    if find("nix-instantiate").is_none() {
        bail!(Skipped::new("nix, which evaluates the flake, is not installed"));
    }
    let evaluation = Program::new("nix-instantiate").args(["--eval", "--strict", "--json", "nix/tests/evaluate.nix"]);
    eprintln!("$ {}", evaluation.shown());
    evaluation.output().map(drop)
}

/// Measures briefly and writes the report, in folders beside the target folder's other products.
fn smoke_run() -> Result<()> {
    build::hook()?;
    build::binaries()?;
    let folder = paths::target().join("smoke");
    // The runner would continue a run that an earlier, killed test left; this step tests a run from its beginning.
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let run = reproduce::measure(reproduce::Profile::Smoke, &folder.join("runs"))?;
    report::write("html", &run, &folder.join("report"))
}

fn paper() -> Result<()> {
    if find("typst").is_none() && python::version().is_none() {
        bail!(Skipped::new(
            "neither typst nor python3 with venv is installed, one of which sets the paper"
        ));
    }
    crate::paper::check()
}

fn archive(check: fn() -> Result<()>) -> Result<()> {
    if !is_clone() {
        bail!(Skipped::new("this is no git clone, whose commit is archived"));
    }
    check()
}

fn notebooks_as_programs() -> Result<()> {
    if !paths::study_is_there() {
        bail!(Skipped::new(study_is_missing()));
    }
    build::binaries()?;
    notebooks::as_programs()
}

fn notebooks_in_kernel() -> Result<()> {
    if !paths::study_is_there() {
        bail!(Skipped::new(study_is_missing()));
    }
    if python::version().is_none() {
        bail!(Skipped::new(
            "python3 with venv, which nbconvert needs, is not installed"
        ));
    }
    build::binaries()?;
    notebooks::all()
}

fn study_is_missing() -> String {
    format!(
        "{} is not there; `cargo xtask import ssp2023` brings it in",
        paths::STUDY
    )
}

/// Runs the tests that `#[ignore = "second tier: …"]` marks.
fn long_tests(count: &mut Count) -> Result<()> {
    build::hook()?;
    tests(count, &["--ignored"])
}

/// Runs all test binaries, and passes on their output while it counts the tests.
fn tests(count: &mut Count, options: &[&str]) -> Result<()> {
    count.expected = true;
    let program = build::tests()
        .args(["--no-fail-fast", "--", "--show-output"])
        .args(options);
    eprintln!("$ {}", program.shown());
    let reader = program.expression().unchecked().reader()?;
    let mut lines = BufReader::new(&reader);
    let mut line = Vec::new();
    // Bytes, because a test may print something that is not UTF-8.
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        count.read(text.trim_end());
        line.clear();
    }
    match reader.try_wait()? {
        Some(output) => program.succeeded(output.status),
        None => bail!("`{}` closed its output without ending", program.shown()),
    }
}

/// The environment variable that names a folder with a checkout of each application, named as its definition.
const CHECKOUTS: &str = "APPLICATIONS";

/// Measures each application of `clusters/macro` briefly, in the current Kubernetes context.
fn applications() -> Result<()> {
    let Some(checkouts) = std::env::var_os(CHECKOUTS) else {
        bail!(Skipped::new(format!(
            "{CHECKOUTS} names no folder with checkouts of the applications"
        )));
    };
    build::hook()?;
    build::binaries()?;
    let mut failed = Vec::new();
    for entry in std::fs::read_dir("clusters/macro")? {
        let definition = entry?.path();
        let name = definition
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let checkout = Path::new(&checkouts).join(&name);
        if definition.extension().is_none_or(|extension| extension != "yaml") || !checkout.is_dir() {
            eprintln!("left out: {name}, of which {} is not there", checkout.display());
            continue;
        }
        let options = RunOptions {
            application: Some(definition.display().to_string()),
            manifests: Some(checkout.display().to_string()),
            launches: Some(2),
            rounds: Some(200),
            ..RunOptions::default()
        };
        let folder = paths::target().join("smoke").join(&name);
        if let Err(error) = run::measure("experiments/macro.toml".as_ref(), &options, &folder) {
            eprintln!("{name}: {error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}
