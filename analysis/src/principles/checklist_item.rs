//! The items of the checklist.

use serde::Serialize;

/// The status of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "snake_case")]
pub enum PrincipleStatus {
    /// The evidence shows that the run meets the item.
    Met,
    /// The run does not meet the item, or no evidence shows that it does.
    #[strum(to_string = "not met")]
    NotMet,
    /// The item does not apply to the run.
    #[strum(to_string = "not applicable")]
    NotApplicable,
}

/// The source of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum PrincipleSource {
    /// Papadopoulos et al. 2019.
    #[strum(to_string = "Papadopoulos et al. 2019")]
    CloudPrinciples,
    /// ACM SIGSOFT's standard for benchmarking.
    #[strum(to_string = "ACM SIGSOFT, benchmarking")]
    BenchmarkingStandard,
}

/// One item of the checklist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChecklistItem {
    /// The source.
    pub source: PrincipleSource,
    /// The name of the item.
    pub name: &'static str,
    /// The status.
    pub status: PrincipleStatus,
    /// The evidence, or the missing evidence.
    pub evidence: String,
}

/// `Ok` with the evidence of a met item, or `Err` with the missing evidence.
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
