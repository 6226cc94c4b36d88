//! The items of the checklist.

use std::fmt;

use serde::Serialize;

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipleStatus {
    /// It is, as the evidence shows.
    Met,
    /// It is not, or nothing shows it.
    NotMet,
    /// The question does not arise.
    NotApplicable,
}

impl fmt::Display for PrincipleStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotApplicable => "not applicable",
        })
    }
}

/// Where an item comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipleSource {
    /// Papadopoulos et al. 2019.
    CloudPrinciples,
    /// ACM SIGSOFT's standard for benchmarking.
    BenchmarkingStandard,
}

impl fmt::Display for PrincipleSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CloudPrinciples => "Papadopoulos et al. 2019",
            Self::BenchmarkingStandard => "ACM SIGSOFT, benchmarking",
        })
    }
}

/// One item of the checklist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChecklistItem {
    /// Where it comes from.
    pub source: PrincipleSource,
    /// What is asked for.
    pub name: &'static str,
    /// Whether it is there.
    pub status: PrincipleStatus,
    /// What shows it, or what is missing.
    pub evidence: String,
}

/// Met, with what shows it, or not met, with what is missing.
pub(super) type PrincipleFinding = Result<String, String>;

pub(super) fn item(source: PrincipleSource, name: &'static str, finding: PrincipleFinding) -> ChecklistItem {
    let (status, evidence) = match finding {
        Ok(evidence) => (PrincipleStatus::Met, evidence),
        Err(missing) => (PrincipleStatus::NotMet, missing),
    };
    ChecklistItem {
        source,
        name,
        status,
        evidence,
    }
}
