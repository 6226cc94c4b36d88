//! The load generator's summary of one launch: counts, rate, clocks, and the checks of its own soundness.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::request_outcome::RequestOutcome;

/// Summary of one launch. `loadgen` prints it as JSON on standard output when it ends. The default value is the
/// summary of a launch without requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadSummary {
    /// Number of rounds that were completed for all arms.
    pub rounds: u64,
    /// Number of rows in the output file.
    pub observations: u64,
    /// Number of rows that are flagged as warm-up.
    pub warm_up: u64,
    /// Number of requests that were sent to each arm, at least in part.
    pub requests_sent: BTreeMap<String, u64>,
    /// Number of rows by outcome, without answered requests.
    pub errors: BTreeMap<RequestOutcome, u64>,
    /// The first failure of each arm and outcome.
    pub first_failures: Vec<FirstFailure>,
    /// Number of failed requests divided by the number of requests.
    pub error_share: f64,
    /// Number of connections that were made again after a failure or because the server closed them.
    pub reconnections: u64,
    /// Share of the successful requests after warm-up that have both kernel stamps; `None` without such requests.
    pub stamped_share: Option<f64>,
    /// Number of rows that lack a kernel stamp, warm-up included.
    pub unstamped: u64,
    /// The reason for which the kernel gave no stamps; `None` if it gave stamps.
    pub no_kernel_stamps: Option<String>,
    /// Throughput times mean RTT, which is the mean number of requests in progress (Little 1961,
    /// DOI 10.1287/opre.9.3.383); `None` without observations.
    pub littles_law: Option<f64>,
    /// Mean time between a response and the next request of the same thread, ns; `None` in an open loop.
    pub between_requests_ns: Option<f64>,
    /// Rate that was requested and reached; `None` in a closed loop.
    pub rate: Option<RateSummary>,
    /// Duration of the measurement without the time for writing, mean over the threads, s.
    pub elapsed_s: f64,
    /// Time for writing between rounds, summed over the threads, s.
    pub writing_s: f64,
    /// Number of times that the kernel took a thread of the load generator off its CPU.
    pub involuntary_context_switches: u64,
    /// Largest resident memory of the load generator, bytes.
    pub peak_memory_bytes: u64,
    /// CPU of the first thread; `None` if the plan left the choice to the kernel.
    pub cpu: Option<usize>,
    /// Clocks of the stamps.
    pub clocks: Clocks,
    /// Checks of the load generator's own soundness.
    pub checks: Vec<LoadCheck>,
    /// Whether all rounds of the plan were sent.
    pub finished: bool,
    /// Parquet file with the observations.
    pub output: PathBuf,
}

/// Rate of an open loop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateSummary {
    /// Requests per second that the plan requests, over all arms.
    pub requested_per_s: f64,
    /// Requests per second that were sent, over all arms.
    pub reached_per_s: f64,
    /// Whether all requests were sent and the sends kept up with the arrivals within 1 %.
    pub held: bool,
    /// Number of sends that were more than 50 µs late.
    pub late_sends: u64,
    /// Largest delay of a send after its intended time, ns.
    pub largest_delay_ns: i64,
}

/// The first failure of one arm with one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstFailure {
    /// Name of the arm.
    pub arm: String,
    /// Outcome of the request.
    pub status: RequestOutcome,
    /// The reason for which the request failed.
    pub reason: String,
}

/// Clocks of user stamps and kernel stamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// Smallest observed step of the user stamps' clock, ns.
    pub resolution_ns: i64,
    /// Duration of taking one user stamp, ns.
    pub stamp_cost_ns: f64,
    /// The kernel stamps' clock minus the user stamps' clock, ns. Add it to a user stamp before a comparison with a kernel
    /// stamp. Both clocks run at the same speed.
    pub kernel_minus_user_ns: i64,
    /// Change of `kernel_minus_user_ns` during the run, ns; beyond about 100 ns if somebody set the clock.
    pub change_ns: i64,
}

/// One check of the load generator's own soundness: a value and its limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadCheck {
    /// Quantity that is checked.
    pub kind: LoadCheckKind,
    /// Result of the comparison.
    pub verdict: CheckVerdict,
    /// The value; `None` if the check did not run.
    pub value: Option<f64>,
    /// Smallest value that passes; none if the check has an upper limit only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Largest value that passes.
    pub limit: f64,
    /// Definition of the value with its unit, or the reason for which the check did not run.
    pub detail: String,
}

/// Quantity that a check of the load generator compares with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::Display)]
pub enum LoadCheckKind {
    /// Throughput times mean RTT.
    #[strum(to_string = "Little's law")]
    LittlesLaw,
    /// Smallest step of the clock of the user stamps.
    #[strum(to_string = "clock resolution")]
    ClockResolution,
    /// Duration of taking a user stamp.
    #[strum(to_string = "cost of a stamp")]
    StampCost,
    /// Change of the kernel stamps' clock against the user stamps' clock.
    #[strum(to_string = "clock set")]
    ClockChange,
    /// Share of requests without both kernel stamps.
    #[strum(to_string = "kernel stamps")]
    KernelStamps,
    /// Share of requests that were sent late.
    #[strum(to_string = "late sends")]
    LateSends,
    /// Share of responses that the load generator received late.
    #[strum(to_string = "late wake-ups")]
    LateWakeUps,
    /// Share of the time that the hypervisor withheld from the CPU.
    #[strum(to_string = "CPU steal")]
    CpuSteal,
    /// Share of the time in which the load generator was runnable without a CPU.
    #[strum(to_string = "waiting for a CPU")]
    CpuWait,
    /// Involuntary context switches per request; a check of recordings that were made before a plan was registered.
    #[strum(to_string = "involuntary context switches")]
    InvoluntarySwitches,
    /// Migrations between CPUs per request.
    #[strum(to_string = "migrations")]
    Migrations,
}

impl LoadCheckKind {
    /// Returns whether a failed check makes the estimates of effects doubtful. A clock that was set changes the wire time of
    /// one request. The parts of the round trip, which compare both clocks, have no value then.
    #[must_use]
    pub const fn biases(self) -> bool {
        !matches!(self, Self::ClockChange)
    }
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// The value is within the limit.
    Passed,
    /// The value is beyond the limit.
    Failed,
    /// The check does not apply, or its value is not available.
    NotRun,
}

/// A circumstance of a launch that a reader of its results should know.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadWarning {
    /// A check failed.
    CheckFailed(LoadCheck),
    /// The kernel gave no stamps, for this reason.
    NoKernelStamps(String),
    /// This number of connections were made again.
    Reconnections(u64),
    /// Requests failed.
    Failure(FirstFailure),
}

impl LoadCheck {
    /// Makes a check that passes if the value is at most the limit, and that did not run without a value.
    #[must_use]
    pub fn at_most(kind: LoadCheckKind, value: Option<f64>, limit: f64, detail: &str) -> Self {
        Self::within(kind, value, (None, limit), detail)
    }

    /// Makes a check that passes if the value lies between both limits, and that did not run without a value.
    #[must_use]
    pub fn within(
        kind: LoadCheckKind,
        value: Option<f64>,
        (at_least, at_most): (Option<f64>, f64),
        detail: &str,
    ) -> Self {
        Self {
            kind,
            verdict: match value {
                Some(value) if value <= at_most && at_least.is_none_or(|least| value >= least) => CheckVerdict::Passed,
                Some(_) => CheckVerdict::Failed,
                None => CheckVerdict::NotRun,
            },
            value,
            at_least,
            limit: at_most,
            detail: detail.to_owned(),
        }
    }
}

impl LoadSummary {
    /// Returns the checks that failed.
    pub fn failed_checks(&self) -> impl Iterator<Item = &LoadCheck> {
        self.checks.iter().filter(|check| check.verdict == CheckVerdict::Failed)
    }

    /// Returns the warnings that follow from the summary: failed checks, missing stamps, reconnections and failures.
    #[must_use]
    pub fn warnings(&self) -> Vec<LoadWarning> {
        let mut warnings: Vec<_> = self.failed_checks().cloned().map(LoadWarning::CheckFailed).collect();
        warnings.extend(self.no_kernel_stamps.clone().map(LoadWarning::NoKernelStamps));
        warnings.extend((self.reconnections > 0).then_some(LoadWarning::Reconnections(self.reconnections)));
        warnings.extend(self.first_failures.iter().cloned().map(LoadWarning::Failure));
        warnings
    }
}

impl fmt::Display for LoadWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CheckFailed(check) => write!(
                formatter,
                "check failed: {}: {:.4}, {}at most {} ({})",
                check.kind,
                check.value.unwrap_or(f64::NAN),
                check
                    .at_least
                    .map_or_else(String::new, |least| format!("at least {least:.4} and ")),
                check.limit,
                check.detail
            ),
            Self::NoKernelStamps(reason) => write!(
                formatter,
                "the kernel gives no time stamps ({reason}): there is no wire time, only RTT"
            ),
            Self::Reconnections(count) => write!(formatter, "{count} connections had to be made again"),
            Self::Failure(FirstFailure { arm, status, reason }) => {
                write!(
                    formatter,
                    "arm `{arm}` had requests that ended as `{}`: {reason}",
                    status.name()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> LoadSummary {
        LoadSummary {
            rounds: 10,
            observations: 10,
            warm_up: 1,
            requests_sent: BTreeMap::from([("a".to_owned(), 10)]),
            errors: BTreeMap::from([(RequestOutcome::Reset, 1)]),
            first_failures: vec![FirstFailure {
                arm: "a".to_owned(),
                status: RequestOutcome::Reset,
                reason: "the server reset the connection".to_owned(),
            }],
            error_share: 0.1,
            reconnections: 1,
            stamped_share: Some(0.0),
            unstamped: 10,
            no_kernel_stamps: Some("not supported".to_owned()),
            littles_law: Some(0.9),
            between_requests_ns: None,
            rate: None,
            elapsed_s: 0.1,
            writing_s: 0.0,
            involuntary_context_switches: 0,
            peak_memory_bytes: 1,
            cpu: None,
            clocks: Clocks {
                resolution_ns: 1,
                stamp_cost_ns: 20.0,
                kernel_minus_user_ns: 3,
                change_ns: 0,
            },
            checks: vec![
                LoadCheck::at_most(LoadCheckKind::CpuSteal, Some(0.02), 0.01, "share of the time"),
                LoadCheck::at_most(LoadCheckKind::LateSends, None, 0.01, "not applicable in a closed loop"),
                LoadCheck::at_most(LoadCheckKind::Migrations, Some(0.0), 0.001, "migrations per request"),
            ],
            finished: true,
            output: PathBuf::from("observations.parquet"),
        }
    }

    #[test]
    fn each_failed_check_and_each_failure_is_a_warning() {
        let texts: Vec<String> = summary().warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "check failed: CPU steal: 0.0200, at most 0.01 (share of the time)",
                "the kernel gives no time stamps (not supported): there is no wire time, only RTT",
                "1 connections had to be made again",
                "arm `a` had requests that ended as `reset`: the server reset the connection",
            ]
        );
    }

    #[test]
    fn an_unknown_field_of_a_summary_is_an_error_that_names_it() {
        let text = serde_json::to_string(&summary()).unwrap();
        assert_eq!(serde_json::from_str::<LoadSummary>(&text).unwrap(), summary());
        for (from, to) in [
            ("\"rounds\"", "\"round\""),
            ("\"resolution_ns\"", "\"resolution\""),
            ("\"detail\"", "\"details\""),
        ] {
            let error = serde_json::from_str::<LoadSummary>(&text.replacen(from, to, 1)).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains(&format!("unknown field `{}`", to.trim_matches('"'))),
                "{error}"
            );
        }
    }
}
