//! The plan of one launch, which the load generator takes as JSON.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http_request::Keyword;
use crate::invalid_value::{InvalidValue, require};
use crate::message::Message;

/// The load generator's plan of one launch: the requests, their order, their times, and the output file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaunchPlan {
    /// Name of the run. The load generator copies it into the output file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// Condition in which the arms run. The load generator copies it into the output file.
    pub condition: String,
    /// Number of the launch, from 0. The load generator copies it into the output file.
    pub launch: u32,
    /// The arms, in the order in which the load generator connects to them.
    pub arms: Vec<Target>,
    /// The message that every arm receives.
    pub request: Message,
    /// Keyword that a share of the requests carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<Keyword>,
    /// Order of the requests.
    pub schedule: Schedule,
    /// Times of the requests.
    #[serde(default)]
    pub arrivals: Arrivals,
    /// Number of connections from each thread to each arm. In a closed loop the connections take turns; in an open loop
    /// requests use them at the same time.
    #[serde(default = "default_count")]
    pub connections: u16,
    /// Number of threads. Each has its own CPU, its own connections, and its share of the rounds and of the rate.
    /// Thread t of T sends the rounds t, t + T, t + 2T and so on. The output file contains blocks of rows. Each block
    /// has rows of one thread, in the order of its requests.
    #[serde(default = "default_count")]
    pub threads: u16,
    /// Use of a connection for one request or for all.
    #[serde(default)]
    pub connection: ConnectionPolicy,
    /// Number of requests to each arm, warm-up included.
    pub rounds: u64,
    /// Number of rounds at the start that are flagged as warm-up.
    pub warm_up_rounds: u64,
    /// Number of rounds in a segment. The progress bar moves between segments only.
    pub segment_rounds: u64,
    /// Method of waiting for a response.
    pub wait: WaitMethod,
    /// Whether the kernel stamps sent and received segments. The stamps cost the load generator about 1 µs per request.
    #[serde(default = "default_kernel_stamps")]
    pub kernel_stamps: bool,
    /// CPU of the first thread; further threads run on the CPUs after it. `None` leaves the choice to the kernel.
    pub cpu: Option<usize>,
    /// Seed of the order of the arms.
    pub seed: u64,
    /// Longest time for one response or for one connection attempt, in milliseconds.
    pub timeout_ms: u64,
    /// Share of requests that may fail, 0 to 1. The run stops as soon as more requests have failed than this share of
    /// all planned requests.
    pub max_error_share: f64,
    /// Parquet file to write.
    pub output: PathBuf,
}

/// The server of one arm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name of the arm in the output file.
    pub arm: String,
    /// Address on which the server listens.
    pub address: SocketAddr,
    /// Network namespace from which the load generator connects, as a file such as `/proc/1234/ns/net`. `None` is the load
    /// generator's own namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<PathBuf>,
}

/// Order of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Each round sends one request to each arm, one after the other, in a random order.
    Interleaved,
    /// Sends this number of consecutive requests to one arm, then to the next. Each pass over the arms has a new
    /// random order.
    Runs(u32),
    /// All requests to the first arm, then all to the second: the design of 2023.
    Sequential,
    /// Each round sends one request to all arms at the same time, in a random order.
    Duet,
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interleaved => formatter.write_str("interleaved"),
            Self::Runs(requests) => write!(formatter, "runs of {requests}"),
            Self::Sequential => formatter.write_str("sequential"),
            Self::Duet => formatter.write_str("duet"),
        }
    }
}

/// Times of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// Closed loop: a request is sent when the response to the previous one is complete.
    #[default]
    Closed,
    /// Closed loop in which each connection sends its next request when the response to its previous one is complete, so that every
    /// connection has a request in progress.
    Saturated,
    /// Open loop with equal intervals: requests per second over all arms.
    Constant(f64),
    /// Open loop with exponentially distributed intervals: requests per second over all arms.
    Poisson(f64),
}

impl Arrivals {
    /// Returns the requests per second over all arms; `None` in closed loops.
    #[must_use]
    pub const fn rate(self) -> Option<f64> {
        match self {
            Self::Closed | Self::Saturated => None,
            Self::Constant(rate) | Self::Poisson(rate) => Some(rate),
        }
    }
}

/// Use of a connection for one request or for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionPolicy {
    /// A connection carries all requests.
    #[default]
    KeepAlive,
    /// Each request has a new connection. Its intended send time is the start of the connection attempt.
    New,
}

/// Method of waiting for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WaitMethod {
    /// Calls receive in a loop without blocking; uses a whole CPU.
    Spin,
    /// Blocks in the kernel until bytes arrive.
    Sleep,
}

const fn default_kernel_stamps() -> bool {
    true
}

const fn default_count() -> u16 {
    1
}

/// The reason for which a text is not a valid launch plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchPlanError {
    /// The text is not JSON, or a key is missing, unknown or of the wrong type.
    #[error("the launch plan: {0}; the documentation of model::LaunchPlan lists the keys")]
    Json(#[from] serde_path_to_error::Error<serde_json::Error>),
    /// The text goes on after the plan.
    #[error("the launch plan: {0}; expected one JSON object")]
    End(serde_json::Error),
    /// The value of a key is not valid.
    #[error("the launch plan: {0}")]
    Value(#[from] InvalidValue),
}

impl LaunchPlan {
    /// Parses a plan from JSON and validates it.
    ///
    /// # Errors
    /// Names the first key that is missing, unknown, or whose value is not valid.
    pub fn from_json(text: &str) -> Result<Self, LaunchPlanError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let plan: Self = serde_path_to_error::deserialize(&mut json)?;
        json.end().map_err(LaunchPlanError::End)?;
        plan.validate()?;
        Ok(plan)
    }

    /// Checks that the plan can be carried out.
    ///
    /// # Errors
    /// Names the first key whose value is not valid.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        let arms = self.arms.len();
        require((1..=u16::MAX.into()).contains(&arms), "arms", arms, "1 to 65535 arms")?;
        let mut names = HashSet::new();
        for target in &self.arms {
            require(
                !target.arm.is_empty(),
                "arms",
                "an arm without a name",
                "a name for each arm",
            )?;
            let twice = format!("the name `{}` occurs twice", target.arm);
            require(names.insert(&target.arm), "arms", twice, "different names")?;
        }
        let rounds = self.rounds;
        require(
            (1..=u32::MAX.into()).contains(&rounds),
            "rounds",
            rounds,
            "1 to 4294967295",
        )?;
        let (warm_up, fewer) = (self.warm_up_rounds, "fewer than `rounds`, which include them");
        require(warm_up < rounds, "warm_up_rounds", warm_up, fewer)?;
        require(self.segment_rounds > 0, "segment_rounds", 0, "at least 1")?;
        let timeout_ms = self.timeout_ms;
        require(
            (1..=86_400_000).contains(&timeout_ms),
            "timeout_ms",
            timeout_ms,
            "1 to 86400000 (a day)",
        )?;
        let share = self.max_error_share;
        require((0.0..=1.0).contains(&share), "max_error_share", share, "0 to 1")?;
        let has_runs = self.schedule != Schedule::Runs(0);
        require(has_runs, "schedule", "runs of 0 requests", "runs of at least 1")?;
        require(self.connections > 0, "connections", 0, "at least 1")?;
        let has_threads = (1..=rounds).contains(&self.threads.into());
        require(has_threads, "threads", self.threads, "at least 1 and at most `rounds`")?;
        let all = format!("{} for each of {} threads", self.connections, self.threads);
        let few = self.connections.checked_mul(self.threads).is_some();
        require(few, "connections", all, "at most 65535 connections in all")?;
        if let Some(rate) = self.arrivals.rate() {
            let expected = "more than 0 and at most 10000000 requests per second";
            require(rate > 0.0 && rate <= 1e7, "arrivals", rate, expected)?;
            let one_by_one = self.schedule != Schedule::Duet;
            require(
                one_by_one,
                "arrivals",
                "an open loop with the schedule duet",
                "only one of them",
            )?;
        }
        if self.arrivals == Arrivals::Saturated {
            let stays = matches!(self.schedule, Schedule::Runs(_) | Schedule::Sequential);
            let expected = "runs of requests to one arm, or sequential, if every connection has a request in progress";
            require(stays, "schedule", self.schedule, expected)?;
        }
        self.request.validate()?;
        self.keyword
            .as_ref()
            .map_or(Ok(()), |keyword| self.request.validate_keyword(keyword))
    }

    /// Returns the share of one thread as a plan for one thread. The plan must be valid and `thread` below `threads`.
    #[must_use]
    pub fn thread_share(&self, thread: u16) -> Self {
        let threads = u64::from(self.threads);
        let share_of_rounds = |rounds: u64| (rounds + threads - 1 - u64::from(thread)) / threads;
        let share_of_rate = |rate: f64| rate / f64::from(self.threads);
        Self {
            threads: 1,
            rounds: share_of_rounds(self.rounds),
            warm_up_rounds: share_of_rounds(self.warm_up_rounds),
            seed: self.seed.wrapping_add(thread.into()),
            arrivals: match self.arrivals {
                Arrivals::Closed => Arrivals::Closed,
                Arrivals::Saturated => Arrivals::Saturated,
                Arrivals::Constant(rate) => Arrivals::Constant(share_of_rate(rate)),
                Arrivals::Poisson(rate) => Arrivals::Poisson(share_of_rate(rate)),
            },
            ..self.clone()
        }
    }

    /// Returns the messages that the plan sends: the plain one and, if the plan has a keyword, the one with the keyword.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let mut messages = vec![self.request.clone()];
        messages.extend(self.keyword.as_ref().map(|keyword| self.request.with_keyword(keyword)));
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::LaunchPlan;

    const PLAN: &str = r#"{
    "condition": "test", "launch": 0,
    "arms": [{"arm": "a", "address": "127.0.0.1:1"}, {"arm": "b", "address": "127.0.0.1:2"},
             {"arm": "c", "address": "[::1]:3"}, {"arm": "d", "address": "127.0.0.1:4"}],
    "request": {"method": "GET", "path": "/", "headers": [["User-Agent", "x"]], "body": ""},
    "schedule": "interleaved", "rounds": 50, "warm_up_rounds": 5, "segment_rounds": 10,
    "wait": "sleep", "cpu": null, "seed": 7, "timeout_ms": 1000, "max_error_share": 0.0, "output": "x.parquet"
}"#;

    #[test]
    fn a_wrong_plan_names_the_key_and_what_was_expected() {
        for (from, to, words) in [
            ("\"seed\": 7", "\"sead\": 7", &["sead", "seed"][..]),
            (
                "\"rounds\": 50",
                "\"rounds\": -50",
                &["rounds: ", "-50", "expected u64"],
            ),
            ("\"rounds\": 50", "\"rounds\": 0", &["rounds", "1 to"]),
            ("\"rounds\": 50", "\"rounds\": 4294967296", &["rounds", "4294967295"]),
            ("\"rounds\": 50, ", "", &["rounds", "missing"]),
            (
                "\"warm_up_rounds\": 5",
                "\"warm_up_rounds\": 50",
                &["warm_up_rounds", "fewer"],
            ),
            (
                "\"segment_rounds\": 10",
                "\"segment_rounds\": 0",
                &["segment_rounds", "at least 1"],
            ),
            ("\"timeout_ms\": 1000", "\"timeout_ms\": 0", &["timeout_ms"]),
            (
                "\"max_error_share\": 0.0",
                "\"max_error_share\": 1.5",
                &["max_error_share", "1.5", "0 to 1"],
            ),
            ("\"wait\": \"sleep\"", "\"wait\": \"nap\"", &["nap", "spin", "sleep"]),
            ("\"arm\": \"b\"", "\"arm\": \"a\"", &["arms", "`a`", "twice"]),
            ("\"method\": \"GET\"", "\"method\": \"GET /\"", &["request.method"]),
            ("\"path\": \"/\"", "\"path\": \"x\"", &["request.path"]),
            ("\"rounds\"", "\"threads\": 0, \"rounds\"", &["`threads`", "at least 1"]),
            (
                "\"rounds\"",
                "\"connections\": 40000, \"threads\": 2, \"rounds\"",
                &["`connections`", "65535"],
            ),
            (
                "\"User-Agent\", \"x\"",
                "\"User-Agent\", \"x\\r\\nEvil: 1\"",
                &["request.headers"],
            ),
            (
                "\"User-Agent\", \"x\"",
                "\"Content-Length\", \"3\"",
                &["request.headers"],
            ),
        ] {
            assert!(PLAN.contains(from), "{from}");
            let error = LaunchPlan::from_json(&PLAN.replacen(from, to, 1))
                .expect_err(to)
                .to_string();
            for word in words {
                assert!(error.contains(word), "`{word}` is not in: {error}");
            }
        }
        let start = PLAN.find("[{").expect("arms");
        let end = PLAN.find("}],").expect("arms") + 2;
        let empty = format!("{}[]{}", &PLAN[..start], &PLAN[end..]);
        let error = LaunchPlan::from_json(&empty).expect_err("no arms").to_string();
        assert!(error.contains("arms") && error.contains("1 to"), "{error}");
    }
}
