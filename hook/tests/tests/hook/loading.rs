//! The hook's shared object works with other libcs: musl, and a glibc that has dlsym in libdl.
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use hook_tests::{bare, built, hooked, machine, succeed};
use tempfile::TempDir;

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs").join(name)
}

/// Checks that mode `block` works as with this machine's libc.
fn blocks(start: impl Fn(bool) -> Command) -> Result<()> {
    let closed = succeed(start(false).arg("closed"))?.stdout;
    let blocked = succeed(start(true).arg("word"))?;
    ensure!(
        blocked.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&blocked.stderr)
    );
    ensure!(closed == blocked.stdout, "{}", String::from_utf8_lossy(&blocked.stdout));
    ensure!(closed.iter().filter(|byte| **byte == b'\n').count() == 64);
    Ok(())
}

fn settings() -> BTreeMap<&'static str, String> {
    BTreeMap::from([("READHOOK_MODE", "block".to_owned())])
}

#[test]
fn under_musl() -> Result<()> {
    if machine::emulated().is_some() {
        println!("SKIPPED: hook under musl: the emulated machine has glibc alone");
        return Ok(());
    }
    if let Err(error) = Command::new("musl-gcc").arg("--version").output() {
        println!("SKIPPED: hook under musl: musl-gcc: {error}; install musl-tools");
        return Ok(());
    }
    let directory = TempDir::new()?;
    let ending = directory.path().join("ending");
    succeed(
        Command::new("musl-gcc")
            .args(["-O1", "-w", "-o"])
            .arg(&ending)
            .arg(program("ending.c")),
    )?;
    blocks(|with| {
        if with {
            hooked(&ending, &settings())
        } else {
            bare(&ending)
        }
    })
}

#[test]
fn under_a_glibc_before_2_34() -> Result<()> {
    if machine::emulated().is_some() {
        println!("SKIPPED: hook under an older glibc: the emulated machine has one glibc");
        return Ok(());
    }
    let Some(libc) = std::env::var_os("OLD_GLIBC").map(PathBuf::from) else {
        println!("SKIPPED: hook under an older glibc: OLD_GLIBC names no folder with ld-linux and libc.so.6 of one");
        return Ok(());
    };
    let directory = TempDir::new()?;
    let ending = directory.path().join("ending");
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-w", "-nostartfiles", "-o"]).arg(&ending);
    succeed(compile.arg(program("start.c")).arg(program("ending.c")))?;
    let loader = std::fs::read_dir(&libc)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
        })
        .with_context(|| format!("no ld-linux in {}", libc.display()))?;
    blocks(|with| {
        let mut command = bare(&loader);
        command.arg("--library-path").arg(&libc);
        if with {
            command
                .envs(settings())
                .args([OsString::from("--preload"), built().hook.clone().into()]);
        }
        command.arg(&ending);
        command
    })
}
