//! The image that all containers run: the agent, servers, the prober, the hook, and what they need.
//!
//! It is made here from the built programs and those that are installed, without a registry, a base image or a Dockerfile:
//! one layer with the programs, whatever this machine's dynamic linker says that they need, and the files that they are
//! said to need. Same files, same bytes, same name.

mod archive;
mod contents;
mod libraries;

use crate::error::Error;

pub use contents::{Contents, Installed};

/// An image as `docker save` writes it, which Docker, Podman, containerd and kind load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name; the tag comes from the content, such as `hook-latency:6f1c0d9a2b34`.
    pub reference: String,
    /// The archive.
    pub archive: Vec<u8>,
}

/// Where the image holds things.
impl Image {
    /// Process 1 and all commands.
    pub const AGENT: &str = "/bin/agent";
    /// The server.
    pub const SUT: &str = "/bin/sut";
    /// The prober.
    pub const LOADGEN: &str = "/bin/loadgen";
    /// The runner, which is a relay, too; where one is needed.
    pub const RUNNER: &str = "/bin/runner";
    /// The hook.
    pub const HOOK: &str = "/lib/libreadhook.so";
    /// The words that the hook is to search for, where an experiment has its own.
    pub const WORDS: &str = "/lib/keywords.words";
    /// A folder in memory that process 1 and all commands of a container may write to; the engine mounts it there. The
    /// rest is read-only.
    pub const WORK: &str = "/work";
    /// User and group of all processes.
    pub const USER: u32 = 65_532;
    /// Key of the label that every image of ours has.
    pub const LABEL: &str = "hook-latency.image";
    /// Its name without the tag.
    pub const NAME: &str = "hook-latency";

    /// Makes the image of what it is to hold.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn build(contents: &Contents) -> Result<Self, Error> {
        archive::image(contents)
    }
}
