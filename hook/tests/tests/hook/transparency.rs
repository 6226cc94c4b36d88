//! A program behaves the same with and without the hook: results, errno, bytes, descriptors, system calls.
use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Result, ensure};
use hook_tests::{MODES, bare, built, hooked, machine, succeed, telemetry_bytes, telemetry_file};
use readhook_telemetry::View;
use tempfile::TempDir;

/// Number of payloads of `exercise all` that contain a word or end a word that began in the payload before. Peeked and
/// discarded payloads, and bytes from files and pipes, do not count.
const HITS: u64 = 12;
/// Number of these whose word is within one buffer; the 2023 algorithm finds no others.
const UNDIVIDED_HITS: u64 = 8;

fn settings(mode: &'static str, more: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    let mut settings: BTreeMap<_, _> = more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    settings.insert("READHOOK_MODE", mode.to_owned());
    settings
}

#[test]
fn the_whole_surface_is_the_same_in_every_mode() -> Result<()> {
    let directory = TempDir::new()?;
    let exercise = &built().exercise;
    let expected = String::from_utf8(succeed(bare(exercise).arg("all"))?.stdout)?;
    let sums: Vec<u64> = expected
        .lines()
        .last()
        .unwrap_or("")
        .split(' ')
        .filter_map(|n| n.parse().ok())
        .collect();
    ensure!(
        sums.len() == 2 && sums[0] > 25,
        "the program did not run to its end:\n{expected}"
    );
    for (mode, more) in MODES {
        let path = directory.path().join(mode);
        telemetry_file(&path, 1000)?;
        for telemetry in [None, Some(&path)] {
            let mut settings = settings(mode, more);
            settings.insert("READHOOK_LOG", directory.path().join("log").display().to_string());
            settings.extend(telemetry.map(|path| ("READHOOK_TELEMETRY", path.display().to_string())));
            let output = succeed(hooked(exercise, &settings).arg("all"))?;
            let found = String::from_utf8(output.stdout)?;
            for (found, expected) in found.lines().zip(expected.lines()) {
                ensure!(
                    found == expected,
                    "{mode}:\n{found}\nwhere the bare program has\n{expected}"
                );
            }
            ensure!(found == expected && output.stderr.is_empty(), "{mode}");
        }
        let bytes = telemetry_bytes(&path)?;
        let view = View::parse(&bytes)?;
        let counters = view.counters();
        let seen = [counters.payload_receives, counters.payload_bytes];
        let wanted = if mode == "off" { vec![0, 0] } else { sums.clone() };
        ensure!(
            seen[..] == wanted,
            "{mode}: the hook saw {seen:?}, the program received {wanted:?}\n{counters:?}"
        );
        ensure!(
            counters.records_written == wanted[0] && view.records().count() as u64 == wanted[0],
            "{counters:?}"
        );
        let hits = match mode {
            "scan" | "log" => HITS,
            "upstream" => UNDIVIDED_HITS,
            _ => 0,
        };
        ensure!(counters.hits == hits, "{mode}: {counters:?}");
        ensure!(counters.attached == u32::from(mode != "off"), "{counters:?}");
    }
    Ok(())
}

#[test]
fn the_system_calls_of_a_request_are_the_same() -> Result<()> {
    // The emulator traces by itself.
    if machine::emulated().is_none()
        && let Err(error) = Command::new("strace").arg("-V").output()
    {
        println!("SKIPPED: system calls: strace: {error}; install strace");
        return Ok(());
    }
    let exercise = &built().exercise;
    let traced = |environment: &BTreeMap<&str, String>| -> Result<Vec<String>> {
        let mut command = machine::traced(exercise, environment);
        let output = succeed(command.args(["requests", "20", "recv"]))?;
        let text = String::from_utf8(output.stderr)?;
        // Addresses differ between runs; names, descriptors, data and results do not.
        Ok(text
            .lines()
            .skip_while(|line| !line.contains("getppid("))
            .skip(1)
            .map(machine::lasting)
            .collect())
    };
    let expected = traced(&BTreeMap::new())?;
    ensure!(expected.len() > 40, "strace gave {expected:?}");
    for mode in ["off", "forward", "track", "scan"] {
        let mut environment = settings(mode, &[]);
        environment.insert("LD_PRELOAD", built().hook.display().to_string());
        let found = traced(&environment)?;
        ensure!(
            found == expected,
            "{mode}:\n{}\nbare:\n{}",
            found.join("\n"),
            expected.join("\n")
        );
    }
    Ok(())
}

#[test]
fn bad_settings_are_inert_with_one_line() -> Result<()> {
    let exercise = &built().exercise;
    for (mode, more, message) in [
        ("Scan", &[][..], "READHOOK_MODE: expected off"),
        ("delay", &[][..], "READHOOK_DELAY_NS: expected"),
        (
            "delay",
            &[("READHOOK_DELAY_NS", "-1")][..],
            "READHOOK_DELAY_NS: expected",
        ),
        (
            "delay",
            &[("READHOOK_DELAY_NS", "1"), ("READHOOK_DELAY_EVERY", "0")][..],
            "READHOOK_DELAY_EVERY: expected",
        ),
        (
            "scan",
            &[("READHOOK_TELEMETRY", "/nowhere/file")][..],
            "READHOOK_TELEMETRY: not an existing",
        ),
        (
            "scan",
            &[("READHOOK_TELEMETRY", "/dev/null")][..],
            "READHOOK_TELEMETRY: not an existing",
        ),
        (
            "scan",
            &[("READHOOK_WORDS", "/nowhere/file")][..],
            "READHOOK_WORDS: not a word file",
        ),
        (
            "log",
            &[("READHOOK_WORDS", "/proc/self/exe")][..],
            "READHOOK_WORDS: not a word file",
        ),
    ] {
        let output = succeed(hooked(exercise, &settings(mode, more)).args(["requests", "10", "read"]))?;
        let stderr = String::from_utf8(output.stderr)?;
        ensure!(
            stderr.contains(message) && stderr.lines().count() == 1,
            "{mode} {more:?}: {stderr:?}"
        );
    }
    Ok(())
}
