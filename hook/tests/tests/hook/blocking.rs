//! Mode `block`: the program sees a client that sent a word as a client that closed the connection.
use std::collections::BTreeMap;
use std::fs;

use anyhow::{Result, ensure};
use hook_tests::{bare, built, hooked, succeed, telemetry_bytes, telemetry_file};
use readhook_telemetry::View;
use tempfile::TempDir;

#[test]
fn a_blocked_stream_looks_like_a_closed_one() -> Result<()> {
    let directory = TempDir::new()?;
    let ending = &built().ending;
    let closed = String::from_utf8(succeed(bare(ending).arg("closed"))?.stdout)?;
    ensure!(closed.lines().count() == 8 * 8, "{closed}");
    let seen = String::from_utf8(succeed(bare(ending).arg("word"))?.stdout)?;
    ensure!(
        seen.matches("LEAKED").count() == 8,
        "the program sees no word at all:\n{seen}"
    );

    let (telemetry, log) = (directory.path().join("telemetry"), directory.path().join("log"));
    telemetry_file(&telemetry, 100)?;
    let settings = BTreeMap::from([
        ("READHOOK_MODE", "block".to_owned()),
        ("READHOOK_LOG", log.display().to_string()),
        ("READHOOK_TELEMETRY", telemetry.display().to_string()),
    ]);
    let blocked = String::from_utf8(succeed(hooked(ending, &settings).arg("word"))?.stdout)?;
    for (blocked, closed) in blocked.lines().zip(closed.lines()) {
        ensure!(blocked == closed, "blocked: {blocked}\nclosed: {closed}");
    }
    ensure!(blocked == closed, "{blocked}");
    let bytes = telemetry_bytes(&telemetry)?;
    let counters = View::parse(&bytes)?.counters();
    // Each of 8 connections has three blocked receives: the word, the bytes after it, and the call that does not wait.
    ensure!((counters.hits, counters.blocked) == (8, 8 * 3), "{counters:?}");
    ensure!(fs::read_to_string(&log)?.lines().count() == 8 && counters.log_written == 8);

    // A stream without a word is unchanged.
    let clean = String::from_utf8(succeed(hooked(ending, &settings).arg("closed"))?.stdout)?;
    ensure!(clean == closed, "{clean}");
    Ok(())
}

#[test]
fn words_are_taken_from_a_file() -> Result<()> {
    let directory = TempDir::new()?;
    let path = directory.path().join("mine.words");
    let file = readhook_compile::compile(b"nonesuch\nGET /.\n")?;
    fs::write(&path, &file)?;
    let log = directory.path().join("log");
    for mode in ["log", "upstream"] {
        fs::write(&log, "")?;
        let settings = BTreeMap::from([
            ("READHOOK_MODE", mode.to_owned()),
            ("READHOOK_LOG", log.display().to_string()),
            ("READHOOK_WORDS", path.display().to_string()),
        ]);
        let output = succeed(hooked(&built().ending, &settings).arg("word"))?;
        ensure!(output.stderr.is_empty(), "{output:?}");
        let lines = fs::read_to_string(&log)?;
        let expected = if mode == "log" { 8 } else { 5 };
        ensure!(lines.lines().count() == expected, "{mode}: {lines}");
        ensure!(lines.lines().all(|line| line.ends_with("word=GET /.")), "{lines}");
    }

    // A file is refused as a whole if a damaged byte could send a search into a wrong state.
    let mut refused = 0;
    for at in (0..file.len()).step_by(file.len() / 40) {
        let mut damaged = file.clone();
        damaged[at] ^= 0xff;
        fs::write(&path, &damaged)?;
        let settings = BTreeMap::from([
            ("READHOOK_MODE", "scan".to_owned()),
            ("READHOOK_WORDS", path.display().to_string()),
        ]);
        let output = succeed(hooked(&built().ending, &settings).arg("closed"))?;
        refused += usize::from(!output.stderr.is_empty());
    }
    ensure!(refused > 0);
    fs::write(&path, &file[..file.len() - 4])?;
    let settings = BTreeMap::from([
        ("READHOOK_MODE", "scan".to_owned()),
        ("READHOOK_WORDS", path.display().to_string()),
    ]);
    let output = succeed(hooked(&built().ending, &settings).arg("closed"))?;
    ensure!(String::from_utf8(output.stderr)?.contains("not a word file of this version"));
    Ok(())
}
