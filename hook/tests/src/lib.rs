//! Behaviour tests that run programs with and without the hook. This library builds the shared object and the test
//! programs once, and runs the programs with it.
#![forbid(unsafe_code)]

pub mod machine;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// The modes of the hook that do not change the behaviour of a program, with the settings that each needs.
pub const MODES: [(&str, &[(&str, &str)]); 7] = [
    ("off", &[]),
    ("forward", &[]),
    ("track", &[]),
    ("scan", &[]),
    ("log", &[]),
    ("upstream", &[]),
    ("delay", &[("READHOOK_DELAY_NS", "1000")]),
];

/// The files that the tests run.
#[derive(Debug)]
pub struct Built {
    /// `libreadhook.so`, built with the profile `hook`.
    pub hook: PathBuf,
    /// The compiled `programs/exercise.c`.
    pub exercise: PathBuf,
    /// The compiled `programs/ending.c`.
    pub ending: PathBuf,
    /// The compiled `programs/sequences.c`.
    pub sequences: PathBuf,
    _directory: TempDir,
}

/// Builds hook and programs, once for each test process.
///
/// # Panics
/// If one of them cannot be built, because then nothing can be tested.
pub fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| build().expect("building the hook and its test program"))
}

fn build() -> Result<Built> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = TempDir::new()?;
    let output = succeed(
        machine::cargo("build")
            .args([
                "--quiet",
                "--profile",
                "hook",
                "-p",
                "readhook",
                "--message-format",
                "json",
            ])
            .current_dir(here),
    )?;
    let messages = String::from_utf8(output.stdout)?;
    let hook = messages
        .split('"')
        .find(|text| text.ends_with("/libreadhook.so") && text.contains("/hook/"))
        .map(PathBuf::from)
        .context("cargo named no libreadhook.so")?;
    let compile = |name: &str| -> Result<PathBuf> {
        let program = directory.path().join(name);
        let source = here.join("programs").join(name).with_extension("c");
        succeed(machine::compiler().args(["-O1", "-w", "-o"]).arg(&program).arg(source))?;
        Ok(program)
    };
    Ok(Built {
        hook,
        exercise: compile("exercise")?,
        ending: compile("ending")?,
        sequences: compile("sequences")?,
        _directory: directory,
    })
}

/// Runs a command that must succeed, and returns its output.
///
/// # Errors
/// If it cannot be started or fails; the error contains its output.
pub fn succeed(command: &mut Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output)
}

/// Returns a command that preloads the hook and has no other variable of the hook in its environment.
#[must_use]
pub fn hooked(program: &Path, settings: &BTreeMap<&str, String>) -> Command {
    let mut command = bare(program);
    command.env("LD_PRELOAD", &built().hook).envs(settings);
    command
}

/// Returns a command without the hook.
#[must_use]
pub fn bare(program: &Path) -> Command {
    let mut command = machine::command(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("READHOOK_") || name == "LD_PRELOAD" {
            command.env_remove(name);
        }
    }
    command
}

/// Creates an empty telemetry file with room for `capacity` records.
///
/// # Errors
/// If it cannot be written.
pub fn telemetry_file(path: &Path, capacity: u32) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&readhook_telemetry::header(capacity))?;
    file.set_len(readhook_telemetry::file_len(capacity))?;
    Ok(())
}

/// Reads the bytes of a telemetry file, for `View::parse`.
///
/// # Errors
/// If it cannot be read.
pub fn telemetry_bytes(path: &Path) -> Result<Vec<u8>> {
    Ok(fs::read(path)?)
}
