//! `bench places`: which conditions can be had here, at which level, and what would help.

use anyhow::Result;
use clusters::{Level, Place};
use serde::Serialize;

use crate::child;

/// One condition, for `cargo xtask doctor`.
#[derive(Debug, Serialize)]
struct Availability {
    name: &'static str,
    level: Option<&'static str>,
    available: bool,
    reason: Option<String>,
    fix: Option<&'static str>,
}

/// The best level at which a place can be had, or why none.
pub(crate) fn best(place: Place) -> Result<Level, String> {
    let mut reasons = Vec::new();
    for level in Level::ALL {
        match child::try_place(place, level) {
            Ok(()) => return Ok(level),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; "))
}

/// Prints all conditions as JSON.
pub(crate) fn print() -> Result<()> {
    let places: Vec<Availability> = Place::ALL
        .into_iter()
        .map(|place| {
            let best = best(place);
            Availability {
                name: place.name(),
                level: best.as_ref().ok().map(|level| level.name()),
                available: best.is_ok(),
                fix: match best {
                    Ok(Level::Namespaces | Level::UserNamespaces) => None,
                    Ok(Level::Loopback) | Err(_) => Some("run as root, or allow unprivileged user namespaces"),
                },
                reason: best.err(),
            }
        })
        .collect();
    println!("{}", serde_json::to_string_pretty(&places)?);
    Ok(())
}
