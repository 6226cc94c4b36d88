//! Files in memory for the hook and the synthetic server to write to. They vanish with this process.

use std::ffi::CStr;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// A file without a name, which other processes open through /proc.
#[derive(Debug)]
pub(crate) struct MemoryFile {
    file: File,
    /// The path under which other processes find it.
    pub(crate) path: PathBuf,
}

impl MemoryFile {
    /// Makes a file with this content.
    ///
    /// # Errors
    /// If the kernel or the memory does not allow it.
    pub(crate) fn create(name: &CStr, content: &[u8]) -> Result<Self> {
        let descriptor = memfd_create(name, MFdFlags::MFD_CLOEXEC).context("cannot make a file in memory")?;
        let mut file = File::from(descriptor);
        file.write_all(content)
            .context("not enough memory for the hook's telemetry; use fewer rounds")?;
        let path = format!("/proc/{}/fd/{}", isolation::outer_pid()?, file.as_raw_fd()).into();
        Ok(Self { file, path })
    }

    /// Makes a telemetry file with room for so many records.
    ///
    /// # Errors
    /// The errors of [`Self::create`].
    pub(crate) fn telemetry(capacity: u32) -> Result<Self> {
        let length = usize::try_from(readhook_telemetry::file_len(capacity))?;
        let mut bytes = vec![0; length];
        readhook_telemetry::initialise(&mut bytes, capacity).context("cannot lay out the hook's telemetry")?;
        Self::create(c"telemetry", &bytes)
    }

    /// Reads the whole content.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn content(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
