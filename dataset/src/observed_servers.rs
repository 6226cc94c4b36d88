//! The calls by which servers receive payload, in `observed.json`: one entry for each server, with the counts of our hook and
//! of strace.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::file_version::FileVersion;

/// File of the [`ObservedServers`] in a run's folder.
pub const OBSERVED_FILE: &str = "observed.json";
/// Version of the file. A reader refuses any other.
pub const OBSERVED_VERSION: u32 = 1;

/// The servers that one run of `runner observe --servers` observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservedServers {
    /// [`OBSERVED_VERSION`].
    pub schema_version: u32,
    /// Name of the run. The run's folder has the same name.
    pub run_id: String,
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the condition.
    pub condition: String,
    /// Git revision of the tools; none outside of a checkout.
    pub git_revision: Option<String>,
    /// End, nanoseconds since 1970.
    pub finished_unix_ns: i64,
    /// The servers, in the order in which they were observed.
    pub servers: Vec<ObservedServer>,
    /// Servers that could not be observed.
    pub not_found: Vec<UnobservedServer>,
}

/// Role of a server in the survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerKind {
    /// A server in common use.
    Common,
    /// The project's synthetic server in one of its call styles.
    Synthetic,
    /// A server whose receives no preloaded library can intercept.
    NegativeControl,
}

/// Number of calls that carried payload, and the bytes of the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayloadCount {
    /// Number of calls.
    pub calls: u64,
    /// Bytes of payload.
    pub bytes: u64,
}

/// Calls that one instrument counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservedCalls {
    /// Accepted connections by function or system call.
    pub accepts: BTreeMap<String, u64>,
    /// Received payload by function or system call.
    pub received: BTreeMap<String, PayloadCount>,
    /// Sent payload by system call.
    pub sent: BTreeMap<String, PayloadCount>,
}

/// Calls of receive functions in all processes of a server, on files and pipes too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveCalls {
    /// Calls from the start of the server until it was ready.
    pub before_requests: u64,
    /// Calls from then until the last request was answered.
    pub during_requests: u64,
    /// Calls of the latter that delivered payload of an accepted socket.
    pub with_payload: u64,
}

impl ReceiveCalls {
    /// Returns the share of all calls that delivered no payload of an accepted socket, 0 to 1. `None` without calls.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
    pub fn share_without_request(&self) -> Option<f64> {
        let calls = self.before_requests + self.during_requests;
        (calls > 0).then(|| calls.saturating_sub(self.with_payload) as f64 / calls as f64)
    }
}

impl ObservedCalls {
    /// Returns the bytes of payload that were received.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.received.values().map(|carried| carried.bytes).sum()
    }

    /// Returns the share of the sent bytes that the instrument counted as received, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "bytes of some hundred requests")]
    pub fn share_of(&self, sent_bytes: u64) -> f64 {
        if sent_bytes == 0 {
            return 0.0;
        }
        self.received_bytes() as f64 / sent_bytes as f64
    }

    /// Returns the number of receive calls.
    #[must_use]
    pub fn receive_calls(&self) -> u64 {
        self.received.values().map(|carried| carried.calls).sum()
    }
}

/// Comparison of the payload that passed libc with the payload that passed the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentAgreement {
    /// All payload passes functions that a preloaded library can replace.
    All,
    /// A part of the payload passes such functions.
    Part,
    /// No payload passes such functions.
    Nothing,
    /// One of the two counts is missing.
    Unknown,
}

/// One observed server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservedServer {
    /// Name of the server.
    pub server: String,
    /// Role of the server.
    pub kind: ServerKind,
    /// Version that the server reports; none where it reports none.
    pub version: Option<String>,
    /// Number of requests to the server under each instrument.
    pub requests: u64,
    /// Bytes of all requests under one instrument.
    pub sent_bytes: u64,
    /// Calls of libc that our hook counted; none where the hook could not be loaded.
    pub libc: Option<ObservedCalls>,
    /// Calls of receive functions that our hook counted; none where the hook could not be loaded, and in observations that did not
    /// count them.
    #[serde(default)]
    pub receive_calls: Option<ReceiveCalls>,
    /// System calls that strace counted; none where the server could not be traced.
    pub system_calls: Option<ObservedCalls>,
    /// Share of the payload that a hook of only `accept` and `read` intercepts, 0 to 1.
    pub accept_and_read_share: f64,
    /// Share of the payload that our hook intercepts, 0 to 1.
    pub own_share: f64,
    /// Comparison of both instruments.
    pub agreement: InstrumentAgreement,
    /// Reasons for which payload is not counted, or for which nothing was traced.
    pub reasons: Vec<String>,
}

impl ObservedServer {
    /// Returns the share of the payload that `read` receives on connections that `accept` accepted, 0 to 1: the functions that
    /// the hook of the 2023 study replaced. Payload is assumed to be spread evenly over all connections.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of some hundred requests")]
    pub fn by_accept_and_read(libc: &ObservedCalls, sent_bytes: u64) -> f64 {
        let connections: u64 = libc.accepts.values().sum();
        let accepted = libc.accepts.get("accept").copied().unwrap_or(0);
        let read = libc.received.get("read").map_or(0, |carried| carried.bytes);
        if connections == 0 || sent_bytes == 0 {
            return 0.0;
        }
        accepted as f64 / connections as f64 * (read as f64 / sent_bytes as f64)
    }
}

/// A server that could not be observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnobservedServer {
    /// Name of the server.
    pub server: String,
    /// The reason.
    pub reason: String,
    /// The remedy.
    pub fix: String,
}

impl ObservedServers {
    /// Reads `observed.json` of a folder.
    ///
    /// # Errors
    /// When the file is missing or has another version.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(OBSERVED_FILE);
        let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let json = |source| Error::Json {
            path: path.clone(),
            source,
        };
        let FileVersion { schema_version } = serde_json::from_str(&text).map_err(json)?;
        if schema_version != OBSERVED_VERSION {
            return Err(Error::foreign(
                &path,
                format!("schema_version {schema_version}"),
                format!("schema_version {OBSERVED_VERSION}; observe again"),
            ));
        }
        serde_json::from_str(&text).map_err(json)
    }
}
