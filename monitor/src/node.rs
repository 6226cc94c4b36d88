//! The machine as a whole.

use std::fs;
use std::path::Path;

use model::Measure;
use procfs::{Current as _, CurrentSI as _, KernelStats, LoadAverage, Meminfo, ProcResult};

use crate::control_group::{PRESSURES, pressure};
use crate::source::{UsageReading, UsageSource};

/// The machine on which this program runs.
#[derive(Debug, Default)]
pub struct NodeSource;

const NANOSECONDS: u64 = 1_000_000_000;

impl NodeSource {
    fn read_kernel(reading: &mut UsageReading) -> ProcResult<()> {
        let stats = KernelStats::current()?;
        let ns = |ticks: u64| u128::from(ticks) * u128::from(NANOSECONDS) / u128::from(procfs::ticks_per_second());
        let total = &stats.total;
        let busy = total.user + total.nice + total.system + total.irq.unwrap_or(0) + total.softirq.unwrap_or(0);
        reading.set(Measure::CpuNs, ns(busy));
        match total.steal {
            Some(ticks) => reading.set(Measure::StealNs, ns(ticks)),
            None => reading.set_missing(&[Measure::StealNs], "the kernel does not count it"),
        }
        reading.set(Measure::ContextSwitches, stats.ctxt);
        Ok(())
    }

    fn read_memory(reading: &mut UsageReading) -> ProcResult<()> {
        let memory = Meminfo::current()?;
        reading.set(Measure::MemoryLimitBytes, memory.mem_total);
        if let Some(available) = memory.mem_available {
            reading.set(Measure::MemoryBytes, memory.mem_total.saturating_sub(available));
        }
        Ok(())
    }
}

impl UsageSource for NodeSource {
    fn read(&mut self, reading: &mut UsageReading) -> bool {
        if let Err(error) = Self::read_kernel(reading) {
            reading.set_missing(&[Measure::CpuNs, Measure::StealNs, Measure::ContextSwitches], error);
        }
        if let Err(error) = Self::read_memory(reading) {
            reading.set_missing(&[Measure::MemoryBytes, Measure::MemoryLimitBytes], error);
        }
        match LoadAverage::current() {
            Ok(load) => reading.set(Measure::Threads, load.max),
            Err(error) => reading.set_missing(&[Measure::Threads], error),
        }
        match field("/proc/vmstat", |line| line.strip_prefix("oom_kill ")) {
            Some(kills) => reading.set(Measure::OomKills, kills),
            None => reading.set_missing(&[Measure::OomKills], "/proc/vmstat has no oom_kill"),
        }
        match run_queue_wait_ns() {
            Some(ns) => reading.set(Measure::RunQueueWaitNs, ns),
            None => reading.set_missing(&[Measure::RunQueueWaitNs], "the kernel has no /proc/schedstat"),
        }
        let files = fs::read_to_string("/proc/sys/fs/file-nr").unwrap_or_default();
        let files: Vec<i64> = files.split_whitespace().flat_map(str::parse).collect();
        match files[..] {
            // The largest number means that there is no limit.
            [open, _, limit] => {
                reading.set(Measure::FileDescriptors, open);
                if limit < i64::MAX {
                    reading.set(Measure::FileDescriptorLimit, limit);
                } else {
                    reading.set_missing(&[Measure::FileDescriptorLimit], "no limit is set");
                }
            }
            _ => reading.set_missing(
                &[Measure::FileDescriptors, Measure::FileDescriptorLimit],
                "/proc/sys/fs/file-nr is not as expected",
            ),
        }
        for (measure, name) in PRESSURES {
            pressure(reading, measure, &Path::new("/proc/pressure").join(name));
        }
        reading.set_missing(
            &[Measure::TcpRetransmits, Measure::TcpDrops],
            "counted by network namespace: see arms and loadgen",
        );
        reading.set_missing(
            &[Measure::InvoluntarySwitches],
            "counted by thread: see arms and loadgen",
        );
        reading.set_missing(
            &[
                Measure::Periods,
                Measure::ThrottledPeriods,
                Measure::ThrottledNs,
                Measure::MemoryLimitHits,
            ],
            "a machine has no quota",
        );
        true
    }
}

/// Returns the number in the first line for which `of` returns a text.
fn field(path: &str, of: impl Fn(&str) -> Option<&str>) -> Option<i64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(of)?.trim().parse().ok()
}

/// Returns the time for which threads waited on the run queues of all processors, ns: the eighth number after the name of
/// each processor.
fn run_queue_wait_ns() -> Option<i64> {
    let text = fs::read_to_string("/proc/schedstat").ok()?;
    let lines = text.lines().filter(|line| line.starts_with("cpu"));
    lines.map(|line| line.split(' ').nth(8)?.parse::<i64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_there_or_has_a_reason() {
        let mut reading = UsageReading::default();
        assert!(NodeSource.read(&mut reading));
        for &measure in Measure::ALL {
            assert!(
                reading.usage[measure].is_some() || reading.reason(measure).is_some(),
                "{measure:?}"
            );
        }
        assert!(reading.usage[Measure::CpuNs] > Some(0));
        assert!(reading.usage[Measure::MemoryBytes] < reading.usage[Measure::MemoryLimitBytes]);
    }
}
