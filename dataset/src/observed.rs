//! By what servers receive, in `observed.json`: a row for each server, as our hook and as strace saw it.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Name of the file with an [`Observed`] in its folder.
pub const OBSERVED: &str = "observed.json";
/// Version of the file; a reader refuses any other.
pub const OBSERVED_VERSION: u32 = 1;

/// What was observed in one run of `bench observe --servers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// [`OBSERVED_VERSION`].
    pub schema_version: u32,
    /// The run's name, which is its folder's.
    pub run_id: String,
    /// The experiment's name.
    pub experiment: String,
    /// Where.
    pub condition: String,
    /// Git revision of the tools; none outside a checkout.
    pub git_revision: Option<String>,
    /// End, nanoseconds since 1970.
    pub finished_unix_ns: i64,
    /// In the order in which they were asked.
    pub servers: Vec<ObservedServer>,
    /// Servers that could not be asked.
    pub not_found: Vec<NotFound>,
}

/// What a server is to the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerKind {
    /// One that others wrote and many use.
    Common,
    /// The project's own, in one of its call styles.
    Synthetic,
    /// One of which no preloaded library can see anything.
    NegativeControl,
}

/// Calls that carried payload, and its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// How many.
    pub calls: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What one instrument saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    /// By function or system call: connections that were accepted.
    pub accepts: BTreeMap<String, u64>,
    /// By function or system call: payload that was received.
    pub received: BTreeMap<String, Carried>,
    /// By system call: what was sent.
    pub sent: BTreeMap<String, Carried>,
}

impl Passed {
    /// Payload that was received, bytes.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.received.values().map(|carried| carried.bytes).sum()
    }

    /// Share of what was sent that was received in view, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "bytes of some hundred requests")]
    pub fn share_of(&self, sent_bytes: u64) -> f64 {
        if sent_bytes == 0 {
            return 0.0;
        }
        self.received_bytes() as f64 / sent_bytes as f64
    }

    /// Calls by which it was received.
    #[must_use]
    pub fn receive_calls(&self) -> u64 {
        self.received.values().map(|carried| carried.calls).sum()
    }
}

/// Whether what passed libc is what passed the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// All payload passes functions that a preloaded library can replace.
    All,
    /// Some does.
    Part,
    /// None does.
    Nothing,
    /// There is nothing to compare with.
    Unknown,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservedServer {
    /// Its name.
    pub server: String,
    /// What it is to the question.
    pub kind: ServerKind,
    /// As it says itself; none where it says none.
    pub version: Option<String>,
    /// How often each instrument's server was asked.
    pub requests: u64,
    /// Bytes of all of one instrument's requests.
    pub sent_bytes: u64,
    /// Through libc, as our hook saw it; none where the hook could not be loaded.
    pub libc: Option<Passed>,
    /// By system calls, as strace saw them; none where they could not be traced.
    pub system_calls: Option<Passed>,
    /// Share of the payload that a hook of `accept` and `read` alone sees, 0 to 1.
    pub accept_and_read_share: f64,
    /// Share of the payload that our hook sees, 0 to 1.
    pub own_share: f64,
    /// Whether both instruments saw the same.
    pub agreement: Agreement,
    /// Why something passes unseen or was not looked at.
    pub reasons: Vec<String>,
}

impl ObservedServer {
    /// Share of the payload that is received by `read` on connections that are accepted by `accept`: what the 2023 study's hook
    /// replaced. Where connections are accepted by several functions, payload is taken to come over all alike.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of some hundred requests")]
    pub fn by_accept_and_read(libc: &Passed, sent_bytes: u64) -> f64 {
        let connections: u64 = libc.accepts.values().sum();
        let accepted = libc.accepts.get("accept").copied().unwrap_or(0);
        let read = libc.received.get("read").map_or(0, |carried| carried.bytes);
        if connections == 0 || sent_bytes == 0 {
            return 0.0;
        }
        accepted as f64 / connections as f64 * (read as f64 / sent_bytes as f64)
    }
}

/// A server that could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotFound {
    /// Its name.
    pub server: String,
    /// Why.
    pub reason: String,
    /// What would help.
    pub fix: String,
}

impl Observed {
    /// Reads `observed.json` of a folder.
    ///
    /// # Errors
    /// When it is not there or not of this version.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(OBSERVED);
        let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let json = |source| Error::Json {
            path: path.clone(),
            source,
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(json)?;
        let version = &value["schema_version"];
        if version.as_u64() != Some(OBSERVED_VERSION.into()) {
            return Err(Error::foreign(
                &path,
                format!("schema_version {version}"),
                format!("schema_version {OBSERVED_VERSION}; observe again"),
            ));
        }
        serde_json::from_str(&text).map_err(json)
    }
}
