//! Licences, sources, duplicates and known vulnerabilities of dependencies, which cargo-deny holds against `deny.toml`.

use anyhow::{Result, bail};

use super::outcome::Skipped;
use crate::programs::{cargo, find};

/// Checks licences, sources and duplicates.
///
/// # Errors
/// When a dependency breaks a rule of `deny.toml`, or [`Skipped`].
pub(super) fn chain() -> Result<()> {
    // cargo-deny also reads crates that only other systems compile, which no build has downloaded.
    prepared(&["fetch", "--locked"])?;
    cargo()
        .args(["deny", "--locked", "check", "licenses", "bans", "sources"])
        .run()
}

/// Checks known vulnerabilities.
///
/// # Errors
/// When a dependency has a known vulnerability, or [`Skipped`] if a tool or the network is missing.
pub(super) fn advisories() -> Result<()> {
    prepared(&["deny", "fetch", "db"])?;
    cargo().args(["deny", "check", "advisories"]).run()
}

/// Runs the cargo command that fetches what a check needs.
fn prepared(fetch: &[&str]) -> Result<()> {
    if find("cargo-deny").is_none() {
        bail!(Skipped::new(
            "cargo-deny is not installed; `cargo install --locked cargo-deny` builds it"
        ));
    }
    if let Err(error) = cargo().args(fetch).run() {
        bail!(Skipped::new(format!(
            "not checked, because the network is needed: {error:#}"
        )));
    }
    Ok(())
}
