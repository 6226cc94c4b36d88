//! The telemetry of the hook agrees with the calls that a program made.
use std::collections::BTreeMap;
use std::fs;

use anyhow::{Result, ensure};
use hook_tests::{built, hooked, machine, succeed, telemetry_bytes, telemetry_file};
use readhook_core::Filter;
use readhook_telemetry::{Counters, FUNCTIONS, Record, View};
use tempfile::TempDir;

const REQUESTS: u64 = 50;
const HITS: u64 = 5;

struct Run {
    counters: Counters,
    records: Vec<Record>,
    log: String,
}

fn run(mode: &str, capacity: u32, function: &str, more: &[(&'static str, &str)]) -> Result<Run> {
    let directory = TempDir::new()?;
    let (telemetry, log) = (directory.path().join("telemetry"), directory.path().join("log"));
    telemetry_file(&telemetry, capacity)?;
    let mut settings = BTreeMap::from([
        ("READHOOK_MODE", mode.to_owned()),
        ("READHOOK_TELEMETRY", telemetry.display().to_string()),
        ("READHOOK_LOG", log.display().to_string()),
    ]);
    settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let output = succeed(hooked(&built().exercise, &settings).args(["requests", &REQUESTS.to_string(), function]))?;
    ensure!(
        output.stdout.ends_with(b"done\n") && output.stderr.is_empty(),
        "{output:?}"
    );
    let bytes = telemetry_bytes(&telemetry)?;
    let view = View::parse(&bytes)?;
    let log = fs::read_to_string(&log).unwrap_or_default();
    Ok(Run {
        counters: view.counters(),
        records: view.records().collect(),
        log,
    })
}

#[test]
fn counters_equal_the_requests_in_every_mode() -> Result<()> {
    for (mode, number, verdicts) in [
        ("forward", 1, [50, 0, 0]),
        ("track", 2, [50, 0, 0]),
        ("scan", 3, [0, 45, 5]),
        ("log", 4, [0, 45, 5]),
    ] {
        for function in ["read", "recv"] {
            let Run { counters, records, log } = run(mode, 100, function, &[])?;
            ensure!(
                (counters.mode, counters.attached, counters.sockets_accepted) == (number, 1, 1),
                "{counters:?}"
            );
            ensure!(
                counters.payload_receives == REQUESTS && counters.calls_of(function) == Some(REQUESTS),
                "{counters:?}"
            );
            ensure!(
                (counters.records_written, counters.records_dropped) == (REQUESTS, 0),
                "{counters:?}"
            );
            let count = |verdict| records.iter().filter(|record| record.verdict == verdict).count();
            ensure!([count(0), count(1), count(2)] == verdicts, "{mode}: {records:?}");
            ensure!(counters.hits == verdicts[2] as u64, "{mode}: {counters:?}");
            ensure!(
                records.windows(2).all(|pair| pair[0].start_ns < pair[1].start_ns),
                "{records:?}"
            );
            let named = |record: &Record| FUNCTIONS[usize::from(record.function)] == function && record.real_ns > 0;
            ensure!(records.iter().all(named), "{records:?}");
            let logged = if mode == "log" { HITS } else { 0 };
            ensure!(
                (counters.log_written, counters.log_dropped) == (logged, 0),
                "{counters:?}"
            );
            ensure!(log.lines().count() as u64 == logged, "{log}");
            let line =
                |line: &str| line.starts_with(&format!("{function} fd=")) && line.ends_with("bytes=22 word=.git");
            ensure!(log.lines().all(line), "{log}");
        }
    }
    Ok(())
}

#[test]
fn without_room_there_are_counters_alone_and_a_full_file_counts_what_it_drops() -> Result<()> {
    let none = run("scan", 0, "read", &[])?;
    ensure!(
        none.counters.payload_receives == REQUESTS && none.counters.records_dropped == 0,
        "{:?}",
        none.counters
    );
    let full = run("scan", 20, "read", &[])?.counters;
    ensure!((full.records_written, full.records_dropped) == (20, 30), "{full:?}");
    Ok(())
}

#[test]
fn the_delay_is_as_long_and_as_frequent_as_set() -> Result<()> {
    let every = run("delay", 100, "read", &[("READHOOK_DELAY_NS", "20000")])?;
    ensure!(
        every
            .records
            .iter()
            .all(|record| record.spun_ns >= 20_000 && record.verdict == 0),
        "{:?}",
        every.records
    );
    let sum: u64 = every.records.iter().map(|record| u64::from(record.spun_ns)).sum();
    ensure!(sum == every.counters.spun_ns, "{sum} {:?}", every.counters);
    let zero = run("delay", 100, "read", &[("READHOOK_DELAY_NS", "0")])?;
    ensure!(zero.counters.spun_ns < sum / 4, "{:?}", zero.counters);
    let some = run(
        "delay",
        100,
        "read",
        &[("READHOOK_DELAY_NS", "20000"), ("READHOOK_DELAY_EVERY", "10")],
    )?;
    let spun: Vec<_> = some
        .records
        .iter()
        .filter(|record| record.spun_ns > 0)
        .map(|record| record.sequence)
        .collect();
    ensure!(spun == [9, 19, 29, 39, 49], "{spun:?}");
    Ok(())
}

#[test]
fn each_filter_of_the_processor_can_be_chosen_and_another_makes_the_hook_inert() -> Result<()> {
    let names = match machine::emulated() {
        None => Filter::available().map(Filter::name).collect(),
        Some(_) => vec!["none", "neon"],
    };
    for name in names {
        let counters = run("scan", 0, "read", &[("READHOOK_FILTER", name)])?.counters;
        ensure!(counters.hits == HITS, "{name}: {counters:?}");
    }
    let settings = BTreeMap::from([
        ("READHOOK_MODE", "scan".to_owned()),
        ("READHOOK_FILTER", "AVX2".to_owned()),
    ]);
    let output = succeed(hooked(&built().exercise, &settings).args(["requests", "1", "read"]))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.stdout.ends_with(b"done\n") && complaint.starts_with("readhook: inert: READHOOK_FILTER: "),
        "{output:?}"
    );
    Ok(())
}

#[test]
fn an_unusable_log_shows_in_the_counters_only() -> Result<()> {
    for path in ["/nowhere/log", "/dev/full", "/", ""] {
        let counters = run("log", 100, "read", &[("READHOOK_LOG", path)])?.counters;
        ensure!(
            (counters.hits, counters.log_written, counters.log_dropped) == (HITS, 0, HITS),
            "{path}: {counters:?}"
        );
    }
    Ok(())
}
