//! The built file: its exported symbols, its dependencies and its size.
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use hook_tests::{built, succeed};
use readhook_telemetry::FUNCTIONS;

fn readelf(arguments: &[&str]) -> Result<Option<String>> {
    let mut command = Command::new("readelf");
    if let Err(error) = command.arg("--version").output() {
        println!("SKIPPED: hook file: readelf: {error}; install binutils");
        return Ok(None);
    }
    let output = succeed(Command::new("readelf").args(arguments).arg(&built().hook))?;
    Ok(Some(String::from_utf8(output.stdout)?))
}

#[test]
fn exports_the_replaced_functions_and_nothing_else() -> Result<()> {
    let Some(symbols) = readelf(&["--wide", "--dyn-syms"])? else {
        return Ok(());
    };
    let exported: BTreeSet<&str> = symbols
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|columns| columns.len() == 8 && columns[0] != "Num:" && columns[6] != "UND")
        .map(|columns| columns[7])
        .collect();
    ensure!(exported == FUNCTIONS.into_iter().collect(), "{exported:?}");
    Ok(())
}

#[test]
fn asks_for_no_newer_glibc_than_2_17() -> Result<()> {
    let Some(symbols) = readelf(&["--wide", "--dyn-syms"])? else {
        return Ok(());
    };
    let versions = symbols
        .lines()
        .filter_map(|line| line.split("@GLIBC_").nth(1)?.split_whitespace().next());
    let versions: Vec<Vec<u32>> = versions
        .map(|version| version.split('.').flat_map(str::parse).collect())
        .collect();
    ensure!(versions.len() > 10, "{symbols}");
    ensure!(versions.iter().all(|version| *version <= vec![2, 17]), "{symbols}");
    Ok(())
}

#[test]
fn needs_libc_alone_and_no_thread_local_storage() -> Result<()> {
    let Some(text) = readelf(&["--wide", "--dynamic", "--program-headers"])? else {
        return Ok(());
    };
    let needed: Vec<_> = text.lines().filter(|line| line.contains("(NEEDED)")).collect();
    ensure!(needed.len() == 1 && needed[0].contains("libc.so.6"), "{needed:?}");
    ensure!(!text.lines().any(|line| line.trim_start().starts_with("TLS")), "{text}");
    ensure!(fs::metadata(&built().hook)?.len() < 256 * 1024);
    Ok(())
}
