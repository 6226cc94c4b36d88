//! Whether a run follows the principles and standards of its field, computed from what its manifest and data say.
//!
//! The eight methodological principles are those of Papadopoulos et al. 2019
//! (<https://doi.org/10.1109/TSE.2019.2927908>); the standard is that for benchmarking of ACM SIGSOFT's empirical standards
//! (Ralph et al. 2021, <https://arxiv.org/abs/2010.03525>), its essential attributes and those of the desirable ones that a
//! run can show. Nothing is met because somebody says so: take the evidence away and the item is not met.

mod cloud;
mod facts;
mod standard;

use serde::Serialize;

pub use facts::{ControlFact, EffectFact, Facts};

/// Launches below which no interval is trusted, and no repetition sufficient.
const LAUNCHES: usize = 10;

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is, as the evidence shows.
    Met,
    /// It is not, or nothing shows it.
    NotMet,
    /// The question does not arise.
    NotApplicable,
}

impl Status {
    /// As shown to people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// Where an item comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Papadopoulos et al. 2019.
    CloudPrinciples,
    /// ACM SIGSOFT's standard for benchmarking.
    BenchmarkingStandard,
}

impl Source {
    /// As shown to people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::CloudPrinciples => "Papadopoulos et al. 2019",
            Self::BenchmarkingStandard => "ACM SIGSOFT, benchmarking",
        }
    }
}

/// One item of the checklist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Where it comes from.
    pub source: Source,
    /// What is asked for.
    pub name: &'static str,
    /// Whether it is there.
    pub status: Status,
    /// What shows it, or what is missing.
    pub evidence: String,
}

/// All items, in the order of their sources.
#[must_use]
pub fn checklist(facts: &Facts) -> Vec<Item> {
    let mut items = cloud::items(facts);
    items.extend(standard::items(facts));
    items
}

/// Met, with what shows it, or not met, with what is missing.
type Finding = Result<String, String>;

fn item(source: Source, name: &'static str, finding: Finding) -> Item {
    let (status, evidence) = match finding {
        Ok(evidence) => (Status::Met, evidence),
        Err(missing) => (Status::NotMet, missing),
    };
    Item {
        source,
        name,
        status,
        evidence,
    }
}

/// At least ten launches wherever something ran.
fn repeated(facts: &Facts) -> Finding {
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

/// Host, tools, plan and place.
fn set_up(facts: &Facts) -> Finding {
    let missing: Vec<&str> = facts
        .setup
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| *name)
        .collect();
    if facts.setup.is_empty() || !missing.is_empty() {
        return Err(format!("the manifest does not say: {}", missing.join(", ")));
    }
    let said: Vec<String> = facts
        .setup
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?)))
        .collect();
    Ok(said.join("; "))
}

/// Revision and checksums.
fn open(facts: &Facts) -> Finding {
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
