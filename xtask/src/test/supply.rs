//! Licences, sources, duplicates and known vulnerabilities of what we depend on, by cargo-deny and `deny.toml`.

use anyhow::Result;

use super::Outcome;
use crate::programs::{cargo, find};

/// Licences, sources and duplicates.
///
/// # Errors
/// When one of them is not as `deny.toml` wants it.
pub(super) fn chain() -> Result<Outcome> {
    if find("cargo-deny").is_none() {
        return Ok(missing());
    }
    // It asks for crates that are compiled on other systems only as well, which no build has downloaded.
    if let Err(error) = cargo().args(["fetch", "--locked"]).run() {
        return Ok(Outcome::Skipped(format!(
            "not checked, not all crates are here or can be fetched: {error:#}"
        )));
    }
    cargo()
        .args(["deny", "--locked", "check", "licenses", "bans", "sources"])
        .run()?;
    Ok(Outcome::Done)
}

/// Known vulnerabilities, where their database can be had.
///
/// # Errors
/// When a dependency has one.
pub(super) fn advisories() -> Result<Outcome> {
    if find("cargo-deny").is_none() {
        return Ok(missing());
    }
    if let Err(error) = cargo().args(["deny", "fetch", "db"]).run() {
        return Ok(Outcome::Skipped(format!(
            "not checked, the advisories' database cannot be reached: {error:#}"
        )));
    }
    cargo().args(["deny", "check", "advisories"]).run()?;
    Ok(Outcome::Done)
}

fn missing() -> Outcome {
    Outcome::Skipped("cargo-deny is not installed; `cargo install --locked cargo-deny` brings it".into())
}
