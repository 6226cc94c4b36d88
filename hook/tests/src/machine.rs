//! The machine that runs the tested programs: this machine, or an emulated one with AArch64.
//!
//! The environment variable `AARCH64` asks for the emulated machine. It names a folder with three entries:
//! `cc` compiles and links C for AArch64, `emulator` is QEMU's user emulator in one static file, which ignores
//! `LD_PRELOAD`, and `root` has the files of a Debian system for arm64.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The target triple of the emulated machine.
const TRIPLE: &str = "aarch64-unknown-linux-gnu";

/// Returns the folder of the emulated machine, `None` if this machine runs the programs.
#[must_use]
pub fn emulated() -> Option<PathBuf> {
    env::var_os("AARCH64").map(PathBuf::from)
}

/// Returns the C compiler of the machine.
#[must_use]
pub fn compiler() -> Command {
    Command::new(emulated().map_or_else(|| "cc".into(), |folder| folder.join("cc")))
}

/// Returns cargo with a verb, which builds for the machine.
pub(crate) fn cargo(verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.arg(verb);
    if let Some(folder) = emulated() {
        command.args(["--target", TRIPLE]);
        command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", folder.join("cc"));
    }
    command
}

/// Returns the path of an installed program, `None` if the machine does not have it.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let folders = match emulated() {
        None => env::split_paths(&env::var_os("PATH")?).collect(),
        Some(folder) => ["bin", "sbin"].map(|bin| folder.join("root/usr").join(bin)).to_vec(),
    };
    let mut paths = folders.iter().map(|folder| folder.join(program));
    paths.find(|path| path.is_file())
}

/// Returns the path of a program that another package of the workspace builds for the machine.
///
/// # Errors
/// If the program is not built.
pub fn workspace_program(package: &str, program: &str) -> Result<PathBuf> {
    let own = env::current_exe()?;
    let folder = own.ancestors().nth(2).context("this test's folder")?;
    let (path, target) = match emulated() {
        None => (folder.join(program), String::new()),
        Some(_) => (
            folder.with_file_name(TRIPLE).join("debug").join(program),
            format!(" --target {TRIPLE}"),
        ),
    };
    let missing = || format!("{} is not there: cargo build -p {package}{target}", path.display());
    ensure!(path.exists(), missing());
    Ok(path)
}

/// Returns a command that runs a program of the machine.
pub(crate) fn command(program: &Path) -> Command {
    let Some(folder) = emulated() else {
        return Command::new(program);
    };
    let mut command = emulator(&folder);
    command.arg(program);
    command
}

fn emulator(folder: &Path) -> Command {
    let mut command = Command::new(folder.join("emulator"));
    command.arg("-L").arg(folder.join("root"));
    command
}

/// Returns a command that runs a program with these variables, and prints each of its system calls on standard error.
#[must_use]
pub fn traced(program: &Path, environment: &BTreeMap<&str, String>) -> Command {
    let mut command;
    if let Some(folder) = emulated() {
        command = emulator(&folder);
        command.arg("-strace").envs(environment);
    } else {
        command = Command::new("strace");
        for (name, value) in environment {
            command.arg("-E").arg(format!("{name}={value}"));
        }
    }
    command.arg(program);
    command
}

/// Returns the part of a line of [`traced`] that is the same in each run of a program. The emulator also prints the
/// process and the addresses of buffers: of its lines, the name, the first argument and the result remain.
#[must_use]
pub fn lasting(line: &str) -> String {
    if emulated().is_none() {
        return line.to_owned();
    }
    let call = line.split_once(' ').map_or(line, |(_process, call)| call);
    let end = call.find([',', ')']).unwrap_or(call.len());
    let result = call.rsplit_once(" = ").map_or("", |(_, result)| result);
    format!("{} = {result}", &call[..end])
}
