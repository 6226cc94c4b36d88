//! This machine as a whole.

use std::fs;
use std::path::Path;

use dataset::Measure;
use procfs::{Current as _, CurrentSI as _, KernelStats, LoadAverage, Meminfo, ProcResult};

use crate::cgroup::{PRESSURES, pressure};
use crate::source::{Reading, Source};

/// The machine that this runs on.
#[derive(Debug, Default)]
pub struct NodeSource;

const NANOSECONDS: u64 = 1_000_000_000;

impl NodeSource {
    fn kernel(reading: &mut Reading) -> ProcResult<()> {
        let stats = KernelStats::current()?;
        let ns = |ticks: u64| u128::from(ticks) * u128::from(NANOSECONDS) / u128::from(procfs::ticks_per_second());
        let total = &stats.total;
        let busy = total.user + total.nice + total.system + total.irq.unwrap_or(0) + total.softirq.unwrap_or(0);
        reading.set(Measure::CpuNs, ns(busy));
        match total.steal {
            Some(ticks) => reading.set(Measure::StealNs, ns(ticks)),
            None => reading.lack(&[Measure::StealNs], "the kernel does not count it"),
        }
        reading.set(Measure::ContextSwitches, stats.ctxt);
        Ok(())
    }

    fn memory(reading: &mut Reading) -> ProcResult<()> {
        let memory = Meminfo::current()?;
        reading.set(Measure::MemoryLimitBytes, memory.mem_total);
        if let Some(available) = memory.mem_available {
            reading.set(Measure::MemoryBytes, memory.mem_total.saturating_sub(available));
        }
        Ok(())
    }
}

impl Source for NodeSource {
    fn read(&mut self, reading: &mut Reading) -> bool {
        if let Err(error) = Self::kernel(reading) {
            reading.lack(&[Measure::CpuNs, Measure::StealNs, Measure::ContextSwitches], error);
        }
        if let Err(error) = Self::memory(reading) {
            reading.lack(&[Measure::MemoryBytes, Measure::MemoryLimitBytes], error);
        }
        match LoadAverage::current() {
            Ok(load) => reading.set(Measure::Threads, load.max),
            Err(error) => reading.lack(&[Measure::Threads], error),
        }
        match field("/proc/vmstat", |line| line.strip_prefix("oom_kill ")) {
            Some(kills) => reading.set(Measure::OomKills, kills),
            None => reading.lack(&[Measure::OomKills], "/proc/vmstat has no oom_kill"),
        }
        match waited_ns() {
            Some(ns) => reading.set(Measure::RunQueueWaitNs, ns),
            None => reading.lack(&[Measure::RunQueueWaitNs], "the kernel has no /proc/schedstat"),
        }
        let files = fs::read_to_string("/proc/sys/fs/file-nr").unwrap_or_default();
        let files: Vec<i64> = files.split_whitespace().flat_map(str::parse).collect();
        match files[..] {
            // The largest number stands for no limit.
            [open, _, limit] => {
                reading.set(Measure::FileDescriptors, open);
                if limit < i64::MAX {
                    reading.set(Measure::FileDescriptorLimit, limit);
                } else {
                    reading.lack(&[Measure::FileDescriptorLimit], "no limit is set");
                }
            }
            _ => reading.lack(
                &[Measure::FileDescriptors, Measure::FileDescriptorLimit],
                "/proc/sys/fs/file-nr is not as expected",
            ),
        }
        for (measure, name) in PRESSURES {
            pressure(reading, measure, &Path::new("/proc/pressure").join(name));
        }
        reading.lack(
            &[Measure::TcpRetransmits, Measure::TcpDrops],
            "kept by network namespace: see arms and loadgen",
        );
        reading.lack(&[Measure::InvoluntarySwitches], "kept by thread: see arms and loadgen");
        reading.lack(
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

fn field(path: &str, of: impl Fn(&str) -> Option<&str>) -> Option<i64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(of)?.trim().parse().ok()
}

/// Time that threads waited on the run queues of all processors: the eighth number after each one's name.
fn waited_ns() -> Option<i64> {
    let text = fs::read_to_string("/proc/schedstat").ok()?;
    let lines = text.lines().filter(|line| line.starts_with("cpu"));
    lines.map(|line| line.split(' ').nth(8)?.parse::<i64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_there_or_has_a_reason() {
        let mut reading = Reading::default();
        assert!(NodeSource.read(&mut reading));
        for measure in Measure::ALL {
            assert!(
                reading.usage[measure].is_some() || reading.reason(measure).is_some(),
                "{measure:?}"
            );
        }
        assert!(reading.usage[Measure::CpuNs] > Some(0));
        assert!(reading.usage[Measure::MemoryBytes] < reading.usage[Measure::MemoryLimitBytes]);
    }
}
