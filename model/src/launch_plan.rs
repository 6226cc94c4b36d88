//! What a run is to do: read from JSON, checked before anything is opened.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, wrong};
use crate::message::Message;
use crate::request::Keyword;

/// One run of the prober against the arms of one launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Where the arms run; kept with the observations.
    pub condition: String,
    /// Number of the launch, from 0; kept with the observations.
    pub launch: u32,
    /// The arms, in the order in which they are connected to.
    pub arms: Vec<Target>,
    /// What is sent to each.
    pub request: Message,
    /// A share of the requests is sent with a keyword.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<Keyword>,
    /// In which order.
    pub schedule: Schedule,
    /// When a request is sent.
    #[serde(default)]
    pub arrivals: Arrivals,
    /// Connections of each thread to each arm, which take turns; in an open loop they are used at the same time.
    #[serde(default = "one")]
    pub connections: u16,
    /// Threads, each with its own CPU, its own connections and its share of the rounds and of the rate. Thread t of T does
    /// the rounds t, t + T, t + 2T and so on; its rows are in their order, those of different threads come in blocks.
    #[serde(default = "one")]
    pub threads: u16,
    /// Whether a connection is used again.
    #[serde(default)]
    pub connection: Connection,
    /// Requests per arm, warm-up included.
    pub rounds: u64,
    /// How many of the first rounds are flagged as warm-up.
    pub warm_up_rounds: u64,
    /// Rounds of a segment; the progress bar moves between segments only.
    pub segment_rounds: u64,
    /// How to wait for an answer.
    pub wait: Wait,
    /// Whether the kernel is asked for stamps, which cost the prober about a microsecond per request.
    #[serde(default = "yes")]
    pub kernel_stamps: bool,
    /// CPU that the prober runs on; any without it. Further threads run on the CPUs after it.
    pub cpu: Option<usize>,
    /// Seed of the order of the arms.
    pub seed: u64,
    /// Longest time for one answer or one connection, in milliseconds.
    pub timeout_ms: u64,
    /// Share of requests, 0 to 1, that may fail; the run stops when more cannot be avoided.
    pub max_error_share: f64,
    /// The Parquet file to be written.
    pub output: PathBuf,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name in the observations.
    pub arm: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Network namespace from which it is reached, as a file such as `/proc/1234/ns/net`; the prober's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<PathBuf>,
}

/// Order of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Each round sends one request to each arm in a random order.
    Interleaved,
    /// So many requests to one arm, then to the next, in a random order that is drawn anew each time.
    Runs(u32),
    /// All requests to the first arm, then all to the second: the design of 2023.
    Sequential,
    /// Each round sends one request to all arms at the same time, in a random order.
    Duet,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// When the answer to the one before is there.
    #[default]
    Closed,
    /// So many a second, over all arms, at equal distances.
    Constant(f64),
    /// So many a second, over all arms, at exponentially distributed distances.
    Poisson(f64),
}

impl Arrivals {
    /// Requests a second; `None` in a closed loop.
    #[must_use]
    pub const fn rate(self) -> Option<f64> {
        match self {
            Self::Closed => None,
            Self::Constant(rate) | Self::Poisson(rate) => Some(rate),
        }
    }
}

/// Whether a connection is used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// For all requests.
    #[default]
    KeepAlive,
    /// A new one for each request; it is meant to be sent when the connecting begins.
    New,
}

const fn yes() -> bool {
    true
}

const fn one() -> u16 {
    1
}

/// How the prober waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wait {
    /// Asks again and again; takes a whole CPU.
    Spin,
    /// Blocks in the kernel until bytes arrive.
    Sleep,
}

impl Plan {
    /// Reads and checks a plan; `-` is the first line of standard input.
    ///
    /// # Errors
    /// As [`Plan::from_json`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = if path == Path::new("-") {
            // A line, not all there is: who runs this in a container may have no way to close its standard input.
            io::stdin().lines().next().unwrap_or_else(|| Ok(String::new()))
        } else {
            fs::read_to_string(path)
        };
        Self::from_json(&text.map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?)
    }

    /// Parses and checks a plan.
    ///
    /// # Errors
    /// Names the first key that is missing, unknown or senseless.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        // serde's own message about a negative number does not name the key.
        if let Value::Object(keys) = serde_json::from_str(text)? {
            for (key, value) in &keys {
                if value.as_f64().is_some_and(|number| number < 0.0) {
                    return Err(wrong(key, value, "a number that is not negative"));
                }
            }
        }
        let plan: Self = serde_json::from_str(text)?;
        plan.validate()?;
        Ok(plan)
    }

    /// Checks a plan.
    ///
    /// # Errors
    /// Names the first key whose value makes no sense.
    pub fn validate(&self) -> Result<(), Error> {
        if self.arms.is_empty() || self.arms.len() > usize::from(u16::MAX) {
            return Err(wrong("arms", self.arms.len(), "1 to 65535 arms"));
        }
        let mut names = HashSet::new();
        for target in &self.arms {
            if target.arm.is_empty() {
                return Err(wrong("arms", "an arm without a name", "a name for each arm"));
            }
            if !names.insert(&target.arm) {
                return Err(wrong(
                    "arms",
                    format!("`{}` stands there twice", target.arm),
                    "different names",
                ));
            }
        }
        if self.rounds == 0 || self.rounds > u32::MAX.into() {
            return Err(wrong("rounds", self.rounds, "1 to 4294967295"));
        }
        if self.warm_up_rounds >= self.rounds {
            return Err(wrong(
                "warm_up_rounds",
                self.warm_up_rounds,
                "fewer than `rounds`, of which they are a part",
            ));
        }
        if self.segment_rounds == 0 {
            return Err(wrong("segment_rounds", 0, "at least 1"));
        }
        if self.timeout_ms == 0 || self.timeout_ms > 86_400_000 {
            return Err(wrong("timeout_ms", self.timeout_ms, "1 to 86400000 (a day)"));
        }
        if !(0.0..=1.0).contains(&self.max_error_share) {
            return Err(wrong("max_error_share", self.max_error_share, "0 to 1"));
        }
        if self.schedule == Schedule::Runs(0) {
            return Err(wrong("schedule", "runs of 0 requests", "runs of at least 1"));
        }
        if self.connections == 0 {
            return Err(wrong("connections", 0, "at least 1"));
        }
        if self.threads == 0 || u64::from(self.threads) > self.rounds {
            return Err(wrong("threads", self.threads, "at least 1 and at most `rounds`"));
        }
        if self.connections.checked_mul(self.threads).is_none() {
            return Err(wrong(
                "connections",
                format!("{} for each of {} threads", self.connections, self.threads),
                "at most 65535 in all",
            ));
        }
        if let Some(rate) = self.arrivals.rate() {
            if !(rate.is_finite() && rate > 0.0 && rate <= 1e7) {
                return Err(wrong(
                    "arrivals",
                    rate,
                    "more than 0 and at most 10000000 requests a second",
                ));
            }
            if self.schedule == Schedule::Duet {
                return Err(wrong("arrivals", "an open loop with the schedule duet", "one of them"));
            }
        }
        self.request.validate()?;
        self.keyword
            .as_ref()
            .map_or(Ok(()), |keyword| self.request.validate_keyword(keyword))
    }

    /// What one thread does of a plan that has been checked, as the plan of one thread.
    pub(crate) fn share(&self, thread: u16) -> Self {
        let threads = u64::from(self.threads);
        let of = |rounds: u64| (rounds + threads - 1 - u64::from(thread)) / threads;
        let part = |rate: f64| rate / f64::from(self.threads);
        Self {
            threads: 1,
            rounds: of(self.rounds),
            warm_up_rounds: of(self.warm_up_rounds),
            seed: self.seed.wrapping_add(thread.into()),
            arrivals: match self.arrivals {
                Arrivals::Closed => Arrivals::Closed,
                Arrivals::Constant(rate) => Arrivals::Constant(part(rate)),
                Arrivals::Poisson(rate) => Arrivals::Poisson(part(rate)),
            },
            ..self.clone()
        }
    }

    /// What can be sent: the plain request and, where there is one, that with the keyword.
    pub(crate) fn requests(&self) -> Vec<Message> {
        let mut requests = vec![self.request.clone()];
        requests.extend(self.keyword.as_ref().map(|keyword| self.request.with(keyword)));
        requests
    }
}
