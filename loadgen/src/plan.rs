//! What a run is to do: read from JSON, checked before anything is opened.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;

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
    pub request: Request,
    /// In which order.
    pub schedule: Schedule,
    /// Requests per arm, warm-up included.
    pub rounds: u64,
    /// How many of the first rounds are flagged as warm-up.
    pub warm_up_rounds: u64,
    /// Rounds of a segment; the progress bar moves between segments only.
    pub segment_rounds: u64,
    /// How to wait for an answer.
    pub wait: Wait,
    /// CPU that the prober runs on; any without it.
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
}

/// The HTTP/1.1 request; `Host` and `Content-Length` are added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Such as `/`.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Text, may be empty.
    pub body: String,
}

/// Order of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Each round sends one request to each arm in a random order.
    Interleaved,
    /// All requests to the first arm, then all to the second: the design of 2023.
    Sequential,
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
    /// Reads and checks a plan.
    ///
    /// # Errors
    /// As [`Plan::from_json`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_json(&text)
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
        self.request.validate()
    }
}

impl Request {
    fn validate(&self) -> Result<(), Error> {
        let is_token =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if !is_token(&self.method) {
            return Err(wrong(
                "request.method",
                format!("{:?}", self.method),
                "a word such as GET",
            ));
        }
        if self.method.eq_ignore_ascii_case("HEAD") {
            return Err(wrong(
                "request.method",
                &self.method,
                "a method whose answer has a body, such as GET",
            ));
        }
        if !self.path.starts_with('/') || !self.path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong(
                "request.path",
                format!("{:?}", self.path),
                "a path such as /, percent-encoded",
            ));
        }
        for (name, value) in &self.headers {
            if !is_token(name) || value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
                return Err(wrong(
                    "request.headers",
                    format!("{name:?}: {value:?}"),
                    "a name and one line of text",
                ));
            }
            if ["content-length", "transfer-encoding", "host"].contains(&name.to_ascii_lowercase().as_str()) {
                return Err(wrong(
                    "request.headers",
                    name,
                    "other headers; this one is made from body and address",
                ));
            }
        }
        Ok(())
    }

    /// The bytes to be sent to `address`.
    pub(crate) fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: {address}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        text += "\r\n";
        text += &self.body;
        text.into_bytes()
    }
}

fn wrong(key: &str, found: impl ToString, expected: &'static str) -> Error {
    Error::Value {
        key: key.to_owned(),
        found: found.to_string(),
        expected,
    }
}
