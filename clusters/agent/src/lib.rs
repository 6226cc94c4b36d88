//! The messages of the agent, as JSON: shared by the agent in a container and the runner outside of it.
#![forbid(unsafe_code)]

mod tight_loop;

use std::collections::BTreeMap;

use monitor::ResourceRecording;
use serde::{Deserialize, Serialize};

pub use tight_loop::{TightLoopRequest, run_alternately};

/// The folder in the work folder in which a program is started and finds its files.
pub const PROGRAM_FOLDER: &str = "own";
/// The file of the hook's telemetry in the work folder.
pub const TELEMETRY: &str = "telemetry";
/// The file of the server's own stamps in the work folder.
pub const STAMPS: &str = "stamps";
/// The file in the work folder with the bytes that tight loops receive.
pub const PAYLOAD: &str = "payload";
/// The file of the hook's log in the work folder.
pub const HOOK_LOG: &str = "hits";

/// The program that process 1 starts and supervises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartRequest {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables of its environment, in addition to those of the container.
    pub environment: BTreeMap<String, String>,
    /// Texts of files in the program's folder, by their names there.
    pub files: BTreeMap<String, String>,
    /// Number of records in the hook's telemetry; `None` without telemetry.
    pub records: Option<u32>,
    /// Number of the server's own stamps; `None` without stamps.
    pub stamps: Option<u32>,
    /// The event that makes the program ready.
    pub ready: ReadinessSign,
}

/// The event that makes a program ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadinessSign {
    /// The program is no server: it is ready as soon as it has started.
    Started,
    /// The program prints `listening ADDRESS`.
    Announcement,
    /// The kernel lists a socket in the container's network namespace that listens on this port.
    ListeningPort(u16),
}

/// The status of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerStatus {
    /// It has started and is not ready yet.
    Starting,
    /// It is ready.
    Listening,
    /// It has ended with this exit status.
    Exited(i32),
    /// This signal has ended it.
    Killed(i32),
}

/// The state of a server that process 1 of its container supervises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerReport {
    /// Its number in the container.
    pub pid: i32,
    /// Its status.
    pub status: ServerStatus,
    /// Its processor.
    pub placement: CpuPlacement,
}

/// The processor to which a process is confined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CpuPlacement {
    /// The processor's number.
    pub processor: usize,
    /// The identifier of the running kernel: two placements with the same identifier are on one machine.
    pub boot_id: String,
}

/// Evidence of the hook in a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookEvidence {
    /// The server.
    pub server: ServerReport,
    /// True when the library is in the memory map of every process that listens on the port.
    pub mapped: bool,
}

/// The resources of a container, sampled inside of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerRecording {
    /// The recording, by the monotonic clock of the container's kernel.
    pub recording: ResourceRecording,
    /// The processor on which the sampler ran.
    pub placement: CpuPlacement,
    /// The kernel's real-time clock minus its monotonic clock, ns. It aligns recordings of different kernels, as well as
    /// their real-time clocks agree.
    pub realtime_offset_ns: i64,
}

/// The line that precedes an exported file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportHeader {
    /// The length of the file, bytes.
    pub bytes: u64,
    /// Its SHA-256 checksum, in hexadecimal.
    pub sha256: String,
}

/// The line that acknowledges an export, with its line feed.
pub const RECEIVED: &[u8] = b"received\n";
