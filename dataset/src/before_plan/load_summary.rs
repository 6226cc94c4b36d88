//! The load generator's summary in manifests of version 5.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::{CheckVerdict, Clocks, FirstFailure, LoadCheck, LoadCheckKind, LoadSummary, RateSummary, RequestOutcome};
use serde::Deserialize;

use super::observations::outcome;

/// A summary of the load generator; `None` for an import, which names the tool that sent the requests.
#[derive(Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(super) struct OldSummary(Option<Box<Measured>>);

impl TryFrom<serde_json::Value> for OldSummary {
    type Error = serde_json::Error;

    fn try_from(value: serde_json::Value) -> Result<Self, Self::Error> {
        if value.get("rounds").is_none() {
            return Ok(Self(None));
        }
        serde_json::from_value(value).map(|summary| Self(Some(summary)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    rounds: u64,
    observations: u64,
    warm_up: u64,
    requests_sent: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
    reasons: Vec<String>,
    error_share: f64,
    reopened: u64,
    stamped_share: Option<f64>,
    discarded_unstamped: u64,
    littles_law: Option<f64>,
    not_rtt_ns: Option<f64>,
    rate: Option<OldRate>,
    elapsed_s: f64,
    writing_s: f64,
    involuntary_context_switches: u64,
    peak_memory_bytes: u64,
    cpu: Option<usize>,
    clocks: Clocks,
    checks: Vec<OldCheck>,
    finished: bool,
    #[expect(dead_code, reason = "the launch repeats them")]
    warnings: Vec<String>,
    output: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldRate {
    asked: f64,
    reached: f64,
    held: bool,
    late_sends: u64,
    latest_send_ns: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldCheck {
    name: OldCheckName,
    verdict: CheckVerdict,
    value: Option<f64>,
    limit: f64,
    what: String,
}

/// The names of the checks.
#[derive(Clone, Copy, Deserialize)]
enum OldCheckName {
    #[serde(rename = "Little's law")]
    LittlesLaw,
    #[serde(rename = "clock resolution")]
    ClockResolution,
    #[serde(rename = "cost of a stamp")]
    StampCost,
    #[serde(rename = "clock set")]
    ClockChange,
    #[serde(rename = "kernel stamps")]
    KernelStamps,
    #[serde(rename = "late sends")]
    LateSends,
    #[serde(rename = "late wake-ups")]
    LateWakeUps,
    #[serde(rename = "CPU steal")]
    CpuSteal,
    #[serde(rename = "waiting for a CPU")]
    CpuWait,
    #[serde(rename = "involuntary context switches")]
    InvoluntarySwitches,
    #[serde(rename = "migrations")]
    Migrations,
}

impl OldSummary {
    /// Returns the summary; `None` for an import. `warnings` are the launch's.
    pub(super) fn summary(self, warnings: &[String]) -> Option<LoadSummary> {
        let old = self.0?;
        let statuses = old.errors.into_iter();
        Some(LoadSummary {
            rounds: old.rounds,
            observations: old.observations,
            warm_up: old.warm_up,
            requests_sent: old.requests_sent,
            errors: statuses
                .map(|(status, count)| (known_outcome(&status), count))
                .collect(),
            first_failures: old.reasons.iter().map(|text| first_failure(text)).collect(),
            error_share: old.error_share,
            reconnections: old.reopened,
            stamped_share: old.stamped_share,
            unstamped: old.discarded_unstamped,
            no_kernel_stamps: warnings.iter().find_map(|text| no_kernel_stamps(text)),
            littles_law: old.littles_law,
            between_requests_ns: old.not_rtt_ns,
            rate: old.rate.map(|rate| RateSummary {
                requested_per_s: rate.asked,
                reached_per_s: rate.reached,
                held: rate.held,
                late_sends: rate.late_sends,
                largest_delay_ns: rate.latest_send_ns,
            }),
            elapsed_s: old.elapsed_s,
            writing_s: old.writing_s,
            involuntary_context_switches: old.involuntary_context_switches,
            peak_memory_bytes: old.peak_memory_bytes,
            cpu: old.cpu,
            clocks: old.clocks,
            checks: old.checks.into_iter().map(OldCheck::check).collect(),
            finished: old.finished,
            output: old.output,
        })
    }
}

impl OldCheck {
    fn check(self) -> LoadCheck {
        LoadCheck {
            kind: match self.name {
                OldCheckName::LittlesLaw => LoadCheckKind::LittlesLaw,
                OldCheckName::ClockResolution => LoadCheckKind::ClockResolution,
                OldCheckName::StampCost => LoadCheckKind::StampCost,
                OldCheckName::ClockChange => LoadCheckKind::ClockChange,
                OldCheckName::KernelStamps => LoadCheckKind::KernelStamps,
                OldCheckName::LateSends => LoadCheckKind::LateSends,
                OldCheckName::LateWakeUps => LoadCheckKind::LateWakeUps,
                OldCheckName::CpuSteal => LoadCheckKind::CpuSteal,
                OldCheckName::CpuWait => LoadCheckKind::CpuWait,
                OldCheckName::InvoluntarySwitches => LoadCheckKind::InvoluntarySwitches,
                OldCheckName::Migrations => LoadCheckKind::Migrations,
            },
            verdict: self.verdict,
            value: self.value,
            at_least: None,
            limit: self.limit,
            detail: self.what,
        }
    }
}

/// Returns the outcome of a status. The load generator of version 5 knew no status that has none.
fn known_outcome(status: &str) -> RequestOutcome {
    outcome(status).unwrap_or(RequestOutcome::Failed)
}

/// Reads ``arm `scan` had requests that ended as `reset`: the reason``.
fn first_failure(text: &str) -> FirstFailure {
    let mut parts = text.splitn(5, '`');
    let (arm, status) = (parts.nth(1).unwrap_or_default(), parts.nth(1).unwrap_or_default());
    let rest = parts.next().unwrap_or(text);
    FirstFailure {
        arm: arm.to_owned(),
        status: known_outcome(status),
        reason: rest.trim_start_matches(": ").to_owned(),
    }
}

/// Reads `the kernel gives no time stamps (the reason): …`.
fn no_kernel_stamps(text: &str) -> Option<String> {
    let rest = text.strip_prefix("the kernel gives no time stamps (")?;
    Some(rest.split_once(')')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::first_failure;
    use model::RequestOutcome;

    #[test]
    fn a_failure_is_read_from_its_text() {
        let failure = first_failure("arm `scan` had requests that ended as `timeout`: no answer in 20 ms");
        assert_eq!(
            (failure.arm.as_str(), failure.status),
            ("scan", RequestOutcome::TimedOut)
        );
        assert_eq!(failure.reason, "no answer in 20 ms");
    }
}
