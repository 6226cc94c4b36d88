//! Generated call sequences. A C and a Rust program execute them without the hook and in every mode of the hook, with the same
//! results, errno and bytes. `READHOOK_TEST_SEQUENCES` sets the number of sequences, which are the same in every run.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use hook_tests::{MODES, bare, built, hooked, machine, telemetry_bytes, telemetry_file};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use readhook_telemetry::View;
use tempfile::TempDir;

/// One call: its number and its arguments. The programs accept any five bytes.
type Call = [u8; 5];

const SEED: [u8; 32] = *b"one seed for all call sequences.";

fn sequences() -> impl Strategy<Value = Vec<Call>> {
    vec(any::<Call>(), 1..40)
}

fn encoded(calls: &[Call]) -> Vec<u8> {
    let count = u8::try_from(calls.len()).expect("fewer than 256 calls");
    std::iter::once(count).chain(calls.iter().flatten().copied()).collect()
}

/// Returns the lines that a program prints for these sequences.
fn play(mut command: Command, show: bool, input: &[u8]) -> Result<Vec<String>> {
    if show {
        command.arg("show");
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output()
    })?;
    ensure!(
        output.status.success() && output.stderr.is_empty(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

/// Returns the settings of a mode. Hits are logged. The word list of mode `block` contains no word that a sequence can
/// send.
fn settings(directory: &Path, mode: &'static str, more: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    let mut settings: BTreeMap<_, _> = more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    settings.insert("READHOOK_MODE", mode.to_owned());
    settings.insert("READHOOK_LOG", directory.join("log").display().to_string());
    if mode == "block" {
        settings.insert("READHOOK_WORDS", directory.join("absent.words").display().to_string());
    }
    settings
}

/// Number of sequences in the first tier of tests.
const SOME: usize = 10_000;
/// Number of sequences in the second tier.
const MANY: usize = 100_000;

fn compare(program: &Path, count: usize) -> Result<()> {
    let count = match std::env::var("READHOOK_TEST_SEQUENCES") {
        Ok(count) => count.parse().context("READHOOK_TEST_SEQUENCES: expected a number")?,
        Err(_) => count,
    };
    let directory = TempDir::new()?;
    // The word never occurs, so that the hook searches all payloads and blocks none.
    fs::write(
        directory.path().join("absent.words"),
        readhook_compile::compile(b"\x01never sent\x02\n")?,
    )?;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(
        Config {
            failure_persistence: None,
            ..Config::default()
        },
        rng,
    );
    let mut input = Vec::new();
    let mut calls = Vec::new();
    for _ in 0..count {
        let sequence = sequences().new_tree(&mut runner).map_err(anyhow::Error::msg)?.current();
        input.extend(encoded(&sequence));
        calls.push(sequence);
    }
    let expected = play(bare(program), false, &input)?;
    ensure!(
        expected.len() == count + 1,
        "{} lines for {count} sequences",
        expected.len()
    );
    let sums: Vec<u64> = expected[count]
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    ensure!(sums.len() == 2 && sums[0] > count as u64 / 4, "{:?}", expected[count]);

    for (mode, more) in MODES.into_iter().chain([("block", &[][..])]) {
        let telemetry = directory.path().join(mode);
        telemetry_file(&telemetry, 1000)?;
        let mut settings = settings(directory.path(), mode, more);
        settings.insert("READHOOK_TELEMETRY", telemetry.display().to_string());
        let found = play(hooked(program, &settings), false, &input)?;
        if let Some(index) = (0..count).find(|&index| found.get(index) != expected.get(index)) {
            smallest(program, &settings, &calls[index])?;
        }
        ensure!(
            found == expected,
            "{mode}: {:?}, bare {:?}",
            found.last(),
            expected.last()
        );
        let bytes = telemetry_bytes(&telemetry)?;
        let counters = View::parse(&bytes)?.counters();
        let wanted = if mode == "off" { [0, 0] } else { [sums[0], sums[1]] };
        ensure!(
            [counters.payload_receives, counters.payload_bytes] == wanted,
            "{mode}: {counters:?}, not {wanted:?}"
        );
        // Modes that search for words have hits, other modes have none.
        let hits = matches!(mode, "scan" | "log" | "upstream");
        ensure!(
            (counters.hits > 0) == hits && counters.blocked == 0,
            "{mode}: {counters:?}"
        );
    }
    Ok(())
}

/// Fails with the smallest part of a sequence whose results differ, and prints it call by call.
fn smallest(program: &Path, settings: &BTreeMap<&str, String>, calls: &[Call]) -> Result<()> {
    let both = |calls: &[Call]| -> Result<[Vec<String>; 2]> {
        let input = encoded(calls);
        Ok([
            play(bare(program), true, &input)?,
            play(hooked(program, settings), true, &input)?,
        ])
    };
    let differ = |calls: &[Call]| both(calls).map_or(true, |[bare, hooked]| bare != hooked);
    let mut calls = calls.to_vec();
    ensure!(
        differ(&calls),
        "{settings:?}: differs among others, not alone: {calls:?}"
    );
    let mut index = 0;
    while index < calls.len() && calls.len() > 1 {
        let left_out = calls.remove(index);
        if !differ(&calls) {
            calls.insert(index, left_out);
            index += 1;
        }
    }
    let mut text = format!("{settings:?}: {calls:?}\n");
    let [bare, hooked] = both(&calls)?;
    for (bare, hooked) in bare.iter().zip(&hooked) {
        _ = writeln!(text, "bare   {bare}\nhooked {hooked}");
    }
    anyhow::bail!(text)
}

#[test]
fn a_c_program() -> Result<()> {
    compare(&built().sequences, SOME)
}

#[test]
fn a_rust_program() -> Result<()> {
    compare(&machine::workspace_program("hook-tests", "sequences")?, SOME)
}

#[test]
#[ignore = "second tier: ten times the sequences of a_c_program"]
fn a_c_program_with_many_sequences() -> Result<()> {
    compare(&built().sequences, MANY)
}

#[test]
#[ignore = "second tier: ten times the sequences of a_rust_program"]
fn a_rust_program_with_many_sequences() -> Result<()> {
    compare(&machine::workspace_program("hook-tests", "sequences")?, MANY)
}
