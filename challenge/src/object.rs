//! Sealed objects: copies of the built hook with a delay and a telemetry file in their blocks.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use rand::{Rng, RngExt as _};
use readhook_seal::{BLOCK_LEN, MARK, ROOM, SealedBlock};
use readhook_telemetry::{View, file_len, header};

use crate::dose::SealedDelay;

/// The folder of telemetry files. On a disk, the write-back of a page would delay the hook's next write to it.
const MEMORY: &str = "/dev/shm";

/// The telemetry file of a sealed object. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct SealedTelemetry {
    path: PathBuf,
}

impl SealedTelemetry {
    /// Makes a file with room for so many records. A file of this name that a killed driver left is replaced.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub(crate) fn create(name: &str, records: u32) -> Result<Self> {
        let telemetry = Self {
            path: Path::new(MEMORY).join(name),
        };
        let made = fs::write(&telemetry.path, header(records)).and_then(|()| {
            let file = fs::File::options().write(true).open(&telemetry.path)?;
            file.set_len(file_len(records))
        });
        made.with_context(|| {
            format!(
                "cannot make {}; {MEMORY} must be a memory file system",
                telemetry.path.display()
            )
        })?;
        Ok(telemetry)
    }

    /// Returns the time for which the object held each payload, ns, in the order of the payloads: from the return of the real
    /// call to the object's last reading of the clock.
    ///
    /// # Errors
    /// If the file is damaged, or a payload has no record.
    pub(crate) fn held_ns(&self) -> Result<Vec<i64>> {
        let bytes = fs::read(&self.path).with_context(|| format!("cannot read {}", self.path.display()))?;
        let view = View::parse(&bytes)?;
        let held: Vec<i64> = view
            .records()
            .map(|record| i64::from(record.own_ns) + i64::from(record.spun_ns))
            .collect();
        let received = view.counters().payload_receives;
        ensure!(
            held.len() as u64 == received,
            "{}: {} records of {received} payloads; the file has room for {}",
            self.path.display(),
            held.len(),
            view.capacity()
        );
        Ok(held)
    }
}

impl Drop for SealedTelemetry {
    fn drop(&mut self) {
        // A file that stays is replaced by the next trial of this name.
        _ = fs::remove_file(&self.path);
    }
}

/// The built hook with an empty block.
pub(crate) struct UnsealedObject {
    bytes: Vec<u8>,
    /// Index of the block.
    block: usize,
}

impl UnsealedObject {
    /// Reads the built file.
    ///
    /// # Errors
    /// If the file cannot be read or has no empty block.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| {
            format!(
                "cannot read {}; build it by `cargo build --profile hook -p readhook-sealed`",
                path.display()
            )
        })?;
        let blocks: Vec<usize> = (0..bytes.len().saturating_sub(BLOCK_LEN))
            .filter(|&index| bytes[index..].starts_with(&MARK))
            .collect();
        let empty = SealedBlock::EMPTY.to_bytes();
        let [block] = blocks[..] else {
            anyhow::bail!(
                "{} has {} blocks for sealed settings; expected one, as in libreadhook_sealed.so",
                path.display(),
                blocks.len()
            );
        };
        ensure!(
            bytes[block..].starts_with(&empty),
            "{} is sealed already; build it again",
            path.display()
        );
        Ok(Self { bytes, block })
    }

    /// Writes a copy whose block holds a delay and the path of a telemetry file. The pad of the block is random.
    ///
    /// # Errors
    /// If the path is too long, or the file cannot be written.
    pub(crate) fn seal(
        &self,
        path: &Path,
        delay: SealedDelay,
        telemetry: &SealedTelemetry,
        random: &mut impl Rng,
    ) -> Result<()> {
        let (delay_ns, every) = (delay.delay_ns.to_string(), delay.every.to_string());
        let variables = [
            ("READHOOK_MODE", &b"delay"[..]),
            ("READHOOK_DELAY_NS", delay_ns.as_bytes()),
            ("READHOOK_DELAY_EVERY", every.as_bytes()),
            ("READHOOK_TELEMETRY", telemetry.path.as_os_str().as_bytes()),
        ];
        let mut pad = [0; ROOM];
        random.fill(&mut pad);
        let mut bytes = self.bytes.clone();
        bytes[self.block..self.block + BLOCK_LEN].copy_from_slice(&SealedBlock::seal(&variables, pad)?.to_bytes());
        fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }
}
