//! Files in memory that vanish with this process, for the hook and the synthetic server to write to.

use std::ffi::CStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use anyhow::{Context, Result};
use model::TelemetrySummary;
use nix::sys::memfd::{MFdFlags, memfd_create};
use readhook_telemetry::{Counters, Record, View};

/// A file without a name, that others open through /proc.
#[derive(Debug)]
pub(crate) struct MemoryFile {
    file: File,
    /// Where other processes find it.
    pub(crate) path: PathBuf,
}

impl MemoryFile {
    /// Makes a file with this content.
    pub(crate) fn create(name: &CStr, content: &[u8]) -> Result<Self> {
        let descriptor = memfd_create(name, MFdFlags::MFD_CLOEXEC).context("cannot make a file in memory")?;
        let mut file = File::from(descriptor);
        file.write_all(content)
            .context("not enough memory for the hook's telemetry; use fewer rounds")?;
        let path = format!("/proc/{}/fd/{}", isolation::outer_pid()?, file.as_raw_fd()).into();
        Ok(Self { file, path })
    }

    /// A telemetry file with room for so many records.
    pub(crate) fn telemetry(capacity: u32) -> Result<Self> {
        let length = usize::try_from(readhook_telemetry::file_len(capacity))?;
        let mut bytes = vec![0; length];
        readhook_telemetry::initialise(&mut bytes, capacity).context("cannot lay out the hook's telemetry")?;
        Self::create(c"telemetry", &bytes)
    }

    /// The whole content.
    pub(crate) fn content(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// What the hook told.
pub(crate) struct Seen {
    pub(crate) counters: Counters,
    pub(crate) records: Vec<Record>,
    /// Of the records without those of the warm-up.
    pub(crate) summary: Option<TelemetrySummary>,
}

impl Seen {
    /// Reads a telemetry file. Records of the first `before` receives, from before the measurement, are left out, and the
    /// others numbered from 0; those of the next `warm_up` are left out of the summary. Counters count all.
    pub(crate) fn read(bytes: &[u8], before: u64, warm_up: u64) -> Result<Self> {
        let view = View::parse(bytes).context("the hook damaged its telemetry")?;
        let counters = view.counters();
        let measured = view.records().filter_map(|record| {
            let sequence = record.sequence.checked_sub(before)?;
            Some(Record { sequence, ..record })
        });
        let records: Vec<Record> = measured.collect();
        let settled: Vec<&Record> = records.iter().filter(|record| record.sequence >= warm_up).collect();
        let summary = summary(&settled, &counters);
        Ok(Self {
            counters,
            records,
            summary,
        })
    }
}

fn summary(records: &[&Record], counters: &Counters) -> Option<TelemetrySummary> {
    if records.is_empty() {
        return None;
    }
    let held = |record: &&Record| record.spun_ns.saturating_add(record.own_ns);
    let mut held_ns: Vec<u32> = records.iter().map(held).collect();
    let mut own_ns: Vec<u32> = records.iter().map(|record| record.own_ns).collect();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let mean = held_ns.iter().map(|&held| f64::from(held)).sum::<f64>() / held_ns.len() as f64;
    Some(TelemetrySummary {
        held_ns_median: median(&mut held_ns),
        held_ns_mean: mean,
        own_ns_median: median(&mut own_ns),
        records: records.len() as u64,
        dropped: counters.records_dropped,
    })
}

/// The median of a list that is not empty.
pub(crate) fn median(values: &mut [u32]) -> f64 {
    values.sort_unstable();
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(f64::from(values[middle - 1]), f64::from(values[middle]))
    } else {
        f64::from(values[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_lies_between_the_two_in_the_middle() {
        assert!((median(&mut [5, 1, 3]) - 3.0).abs() < 1e-12);
        assert!((median(&mut [4, 1, 2, 9]) - 3.0).abs() < 1e-12);
    }
}
