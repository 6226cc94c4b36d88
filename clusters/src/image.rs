//! The image that all containers run: the agent, the server, the prober, the hook, and the libraries that they need.

use std::path::PathBuf;

/// An image as `docker save` writes it, which Docker, Podman, containerd and kind load without a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name; the tag comes from the content, such as `hook-latency:6f1c0d9a2b34`.
    pub reference: String,
    /// The archive.
    pub archive: PathBuf,
}

/// Where the image holds things.
impl Image {
    /// Process 1 and all commands: `/bin/agent`.
    pub const AGENT: &str = "/bin/agent";
    /// The server: `/bin/sut`.
    pub const SUT: &str = "/bin/sut";
    /// The prober: `/bin/loadgen`.
    pub const LOADGEN: &str = "/bin/loadgen";
    /// The hook: `/lib/libreadhook.so`.
    pub const HOOK: &str = "/lib/libreadhook.so";
    /// A folder in memory that process 1 and all commands of a container may write to; the engine mounts it there. The
    /// rest is read-only.
    pub const WORK: &str = "/work";
    /// User and group of all processes.
    pub const USER: u32 = 65_532;
}
