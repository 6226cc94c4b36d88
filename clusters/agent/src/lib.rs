//! What the agent tells, as JSON: shared by the agent in the container and the runner outside.
#![forbid(unsafe_code)]

mod limits;
mod tight_loop;

use std::collections::BTreeMap;

use monitor::Watching;
use serde::{Deserialize, Serialize};

pub use limits::Use;
pub use tight_loop::{Asked as TightLoop, alternate};

/// The folder in the work folder in which a program is started and finds its files.
pub const OWN: &str = "own";
/// The hook's telemetry in the work folder.
pub const TELEMETRY: &str = "telemetry";
/// The server's own stamps there.
pub const STAMPS: &str = "stamps";
/// What tight loops receive over and over, there.
pub const PAYLOAD: &str = "payload";
/// The hook's log there.
pub const LOG: &str = "hits";

/// What process 1 is told to start, and to keep account of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// A program and its arguments.
    pub command: Vec<String>,
    /// Variables of its environment, beside those of the container.
    pub environment: BTreeMap<String, String>,
    /// Files that it needs in its own folder, by their names there.
    pub files: BTreeMap<String, String>,
    /// Room for records in the hook's telemetry, where there is to be one.
    pub records: Option<u32>,
    /// Room for the server's own stamps, where there are to be any.
    pub stamps: Option<u32>,
    /// When it listens.
    pub ready: Ready,
}

/// How it is known that a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ready {
    /// It is no server: it has done what is waited for as soon as it is started.
    Starts,
    /// It prints `listening ADDRESS`.
    Says,
    /// The kernel says that somebody in its network namespace listens on this port.
    Listens(u16),
}

/// How a server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was started and does not listen yet.
    Starting,
    /// It said that it listens.
    Listening,
    /// It has ended with this exit status.
    Exited(i32),
    /// It was ended by this signal.
    Killed(i32),
}

/// A server as process 1 knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its number in the container.
    pub pid: i32,
    /// How it is.
    pub status: Status,
    /// Where it runs.
    pub place: Place,
}

/// Where a process runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The processor that it was confined to.
    pub processor: usize,
    /// The running kernel's own identity: two places with the same one share processors.
    pub boot_id: String,
}

/// What is known of the hook in a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The server.
    pub server: Server,
    /// Whether the library stands in its memory map.
    pub mapped: bool,
}

/// What was sampled in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampled {
    /// By the clock of the container's own kernel.
    pub watching: Watching,
    /// Where the sampling ran.
    pub place: Place,
    /// How far the kernel's clock of the day is ahead of that of the samples, ns: by it, the samples of different kernels
    /// are brought together, as well as their clocks of the day agree.
    pub ahead_ns: i64,
}

/// What precedes an exported file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its length.
    pub bytes: u64,
    /// Its checksum, in hexadecimal.
    pub sha256: String,
}

/// The line that ends an export, with its line feed.
pub const RECEIVED: &[u8] = b"received\n";
