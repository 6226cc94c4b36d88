//! Licences, sources, duplicates and known vulnerabilities of dependencies, which cargo-deny holds against `deny.toml`.

use anyhow::Result;

use super::outcome::StepOutcome;
use crate::programs::{cargo, find};

/// Checks licences, sources and duplicates.
///
/// # Errors
/// When a dependency breaks a rule of `deny.toml`.
pub(super) fn chain() -> Result<StepOutcome> {
    if find("cargo-deny").is_none() {
        return Ok(missing());
    }
    // cargo-deny also reads crates that only other systems compile, which no build has downloaded.
    if let Err(error) = cargo().args(["fetch", "--locked"]).run() {
        return Ok(StepOutcome::Skipped(format!(
            "not checked: a crate is neither on this machine nor can it be fetched: {error:#}"
        )));
    }
    cargo()
        .args(["deny", "--locked", "check", "licenses", "bans", "sources"])
        .run()?;
    Ok(StepOutcome::Done)
}

/// Checks known vulnerabilities.
///
/// # Errors
/// When a dependency has one.
pub(super) fn advisories() -> Result<StepOutcome> {
    if find("cargo-deny").is_none() {
        return Ok(missing());
    }
    if let Err(error) = cargo().args(["deny", "fetch", "db"]).run() {
        return Ok(StepOutcome::Skipped(format!(
            "not checked: the database of advisories cannot be reached: {error:#}"
        )));
    }
    cargo().args(["deny", "check", "advisories"]).run()?;
    Ok(StepOutcome::Done)
}

fn missing() -> StepOutcome {
    StepOutcome::Skipped("cargo-deny is not installed; `cargo install --locked cargo-deny` builds it".into())
}
