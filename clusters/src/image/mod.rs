//! The image that all containers run: the agent, the server, the prober, the hook, and the libraries that they need.
//!
//! It is made here from the built programs, without a registry, a base image or a Dockerfile: one layer with the programs
//! and whatever this machine's dynamic linker says that they need. Same files, same bytes, same name.

mod archive;
mod libraries;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Error;

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

    /// Makes the image of the programs `agent`, `sut` and `loadgen` in a folder, and of the hook.
    ///
    /// # Errors
    /// When a program is not there or cannot be run here, so that its libraries are not to be told.
    pub fn build(binaries: &Path, hook: &Path) -> Result<Self, Error> {
        Self::build_with_words(binaries, hook, None)
    }

    /// The same, with a file of compiled words where there is one.
    ///
    /// # Errors
    /// As [`Image::build`].
    pub fn build_with_words(binaries: &Path, hook: &Path, words: Option<&Path>) -> Result<Self, Error> {
        let mut files: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for inside in [Self::AGENT, Self::SUT, Self::LOADGEN] {
            let program = binaries.join(inside.trim_start_matches("/bin/"));
            files.extend(libraries::needed(&program)?);
            files.insert(inside.into(), program);
        }
        files.insert(Self::HOOK.into(), hook.to_owned());
        files.extend(words.map(|words| (Self::WORDS.into(), words.to_owned())));
        archive::image(&files)
    }
}
