//! An image and the paths in it.

/// An image as `docker save` writes it, which Docker, Podman, containerd and kind load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name; the tag comes from the content, such as `hook-latency:6f1c0d9a2b34`.
    pub reference: String,
    /// The archive.
    pub archive: Vec<u8>,
}

/// Paths and names.
impl Image {
    /// The agent: process 1 of each container, and all commands that run in it.
    pub const AGENT: &str = "/bin/agent";
    /// The server.
    pub const SUT: &str = "/bin/sut";
    /// The load generator.
    pub const LOADGEN: &str = "/bin/loadgen";
    /// The runner, which is also the relay. Only an image for an experiment with a relay contains it.
    pub const RUNNER: &str = "/bin/runner";
    /// The hook.
    pub const HOOK: &str = "/lib/libreadhook.so";
    /// The keywords that the hook searches for, where an experiment has its own.
    pub const WORDS: &str = "/lib/keywords.words";
    /// A folder in memory that all processes of a container may write to; the engine mounts it. The other folders are
    /// read-only.
    pub const WORK: &str = "/work";
    /// User and group of all processes.
    pub const USER: u32 = 65_532;
    /// Key of the label that every image of this project has.
    pub const LABEL: &str = "hook-latency.image";
    /// Its name without the tag.
    pub const NAME: &str = "hook-latency";
}
