//! The findings that the principles and the standard have in common.

use super::checklist_item::PrincipleFinding;
use super::facts::RunFacts;

/// Launches below which no interval is trusted, and no repetition sufficient.
const LAUNCHES: usize = 10;

/// At least ten launches wherever something ran.
pub(super) fn repeated(facts: &RunFacts) -> PrincipleFinding {
    let counts: Vec<String> = facts
        .launches
        .iter()
        .map(|(condition, launches)| format!("{launches} in {condition}"))
        .collect();
    let counts = counts.join(", ");
    let least = facts.launches.values().min().copied().unwrap_or(0);
    if least >= LAUNCHES {
        Ok(format!("launches of fresh processes: {counts}"))
    } else if counts.is_empty() {
        Err("no launch".to_owned())
    } else {
        Err(format!("launches: {counts}; {LAUNCHES} are needed in each"))
    }
}

/// The named facts with their values, or the names of the facts that `source` does not have.
pub(super) fn stated(source: &str, facts: &[(&'static str, Option<String>)]) -> PrincipleFinding {
    let missing = facts.iter().filter(|(_, value)| value.is_none());
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    if facts.is_empty() || !missing.is_empty() {
        return Err(format!("the {source} does not say: {}", missing.join(", ")));
    }
    let stated = facts
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?)));
    Ok(stated.collect::<Vec<_>>().join("; "))
}

/// Revision and checksums.
pub(super) fn open(facts: &RunFacts) -> PrincipleFinding {
    let Some(revision) = &facts.revision else {
        return Err("the revision of the tools is not known".to_owned());
    };
    if revision.ends_with("-dirty") {
        return Err(format!("the tools had changes that no revision has: {revision}"));
    }
    if facts.files == 0 || !facts.unchecked_files.is_empty() {
        return Err(format!(
            "files without a checksum: {}",
            facts.unchecked_files.join(", ")
        ));
    }
    Ok(format!(
        "revision {revision}; {} files of raw data with checksums",
        facts.files
    ))
}
