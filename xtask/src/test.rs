//! `cargo xtask test`: all that CI runs. Every step runs, also after one that failed; the count of tests comes last.

mod archived;
mod count;
mod rebuilt;
mod supply;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::programs::{Program, cargo, find};
use crate::{build, fuzz, notebooks, paths, python, report, reproduce, tidy};
use count::Count;

/// How a step ended when it did not fail.
pub(crate) enum Outcome {
    /// It did its work.
    Done,
    /// It did nothing, for this reason.
    Skipped(String),
}

/// Runs every check.
///
/// # Errors
/// When one of them fails.
pub(crate) fn run() -> Result<()> {
    let mut count = Count::default();
    let mut steps = Steps::default();
    steps.take("formatting", || done(cargo().args(["fmt", "--all", "--check"]).run()));
    steps.take("lints", || done(lints()));
    steps.take("hook", || done(build::hook()));
    steps.take("tests", || done(tests(&mut count)));
    steps.take("fuzzing", fuzzing);
    steps.take("invariants", invariants);
    steps.take("the hook built again", rebuilt_hook);
    steps.take("flake", flake);
    steps.take("dependencies", supply::chain);
    steps.take("advisories", supply::advisories);
    steps.take("documentation", || done(documentation()));
    let mut run = None;
    steps.take("smoke run", || {
        run = Some(smoke_run()?);
        Ok(Outcome::Done)
    });
    steps.take("paper", paper);
    steps.take("archive", || archive(run.as_deref()));
    steps.take("notebooks", notebooks_if_possible);

    steps.summary();
    count.skipped_steps = std::mem::take(&mut steps.skipped);
    for skipped in count.skipped.iter().chain(&count.skipped_steps) {
        println!("skipped: {skipped}");
    }
    // Again, since thousands of lines have come after them.
    for line in &count.failures {
        println!("{line}");
    }
    if count.passed + count.failed == 0 {
        steps.failed.push("tests (none ran)");
    }
    let failed = steps.failed.join(", ");
    println!("{count}");
    if !failed.is_empty() {
        bail!("failed: {failed}; the messages stand above");
    }
    Ok(())
}

#[derive(Default)]
struct Steps {
    lines: Vec<String>,
    failed: Vec<&'static str>,
    skipped: Vec<String>,
}

impl Steps {
    fn take(&mut self, name: &'static str, step: impl FnOnce() -> Result<Outcome>) {
        eprintln!("== {name}");
        let start = Instant::now();
        let outcome = match step() {
            Ok(Outcome::Done) => "passed".to_owned(),
            Ok(Outcome::Skipped(reason)) => {
                self.skipped.push(format!("{name}: {reason}"));
                format!("skipped: {reason}")
            }
            Err(error) => {
                self.failed.push(name);
                format!("failed: {error:#}")
            }
        };
        let line = format!("{name}: {outcome} ({:.1} s)", start.elapsed().as_secs_f64());
        eprintln!("== {line}");
        self.lines.push(line);
    }

    fn summary(&self) {
        eprintln!("== all steps");
        for line in &self.lines {
            eprintln!("   {line}");
        }
    }
}

fn done(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Done)
}

fn lints() -> Result<()> {
    let clippy = cargo().args(["clippy", "--workspace", "--all-targets"]);
    let clippy = if fuzz::compiler_is_there() {
        clippy.args(["--features", fuzz::FEATURE])
    } else {
        clippy
    };
    clippy.args(["--", "-D", "warnings"]).run()
}

fn invariants() -> Result<Outcome> {
    if !Path::new(".git").exists() {
        return Ok(Outcome::Skipped(
            "this is no git clone, and tidy asks git for the files".into(),
        ));
    }
    done(tidy::run())
}

fn fuzzing() -> Result<Outcome> {
    if let Err(lacking) = fuzz::possible() {
        return Ok(Outcome::Skipped(lacking.to_string()));
    }
    done(fuzz::run(&fuzz::Arguments::brief()))
}

/// Builds, measures briefly and writes the report, beside the target folder's other products.
fn smoke_run() -> Result<PathBuf> {
    build::run()?;
    let folder = paths::target().join("smoke");
    // What an earlier, killed test left would be continued, and that is not what is to be tested here.
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let run = reproduce::measure(reproduce::Profile::Smoke, &folder.join("runs"))?;
    report::write("html", &run, &folder.join("report"))?;
    Ok(run)
}

/// Its numbers are what the recorded runs give, and it compiles.
fn paper() -> Result<Outcome> {
    if find("typst").is_none() && python::version().is_none() {
        return Ok(Outcome::Skipped(
            "neither typst nor python3 with venv is installed, one of which sets the paper".into(),
        ));
    }
    done(crate::paper::check())
}

/// Evaluated against a stand-in for nixpkgs; `tidy` checks what can be checked without nix.
fn flake() -> Result<Outcome> {
    if find("nix-instantiate").is_none() {
        return Ok(Outcome::Skipped(
            "nix is not installed, which evaluates the flake".into(),
        ));
    }
    let evaluation = Program::new("nix-instantiate").args(["--eval", "--strict", "--json", "nix/tests/evaluate.nix"]);
    eprintln!("$ {}", evaluation.shown());
    done(evaluation.output().map(drop))
}

fn rebuilt_hook() -> Result<Outcome> {
    if !Path::new(".git").exists() {
        return Ok(Outcome::Skipped(
            "this is no git clone, whose files are built again".into(),
        ));
    }
    done(rebuilt::hook())
}

fn archive(run: Option<&Path>) -> Result<Outcome> {
    let Some(run) = run else {
        return Ok(Outcome::Skipped("there is no smoke run to analyse".into()));
    };
    if !Path::new(".git").exists() {
        return Ok(Outcome::Skipped(
            "this is no git clone, which is what is archived".into(),
        ));
    }
    done(archived::reproduces(run))
}

fn notebooks_if_possible() -> Result<Outcome> {
    if !paths::study_is_there() {
        return Ok(Outcome::Skipped(format!(
            "{} is not there; `cargo xtask import ssp2023` brings it in",
            paths::STUDY
        )));
    }
    if python::version().is_none() {
        return Ok(Outcome::Skipped(
            "python3 with venv is not installed, which nbconvert needs".into(),
        ));
    }
    done(notebooks::tested())
}

fn documentation() -> Result<()> {
    cargo()
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

/// Runs all test binaries, passing their output on while counting.
fn tests(count: &mut Count) -> Result<()> {
    let program = cargo().args(["test", "--workspace", "--no-fail-fast", "--", "--show-output"]);
    eprintln!("$ {}", program.shown());
    let reader = program.expression().unchecked().reader()?;
    let mut lines = BufReader::new(&reader);
    let mut line = Vec::new();
    // By bytes, since a test may print something that is not UTF-8.
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
