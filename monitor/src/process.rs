//! A process of this machine, read from its files in /proc.

use std::fs;

use model::Measure;
use procfs::process::{LimitValue, Process};
use procfs::{ProcError, ProcResult, WithCurrentSystemInfo as _};

use crate::source::{UsageReading, UsageSource};

/// The sources of samples of one process: the process itself, its threads, its descriptors, and its network namespace.
#[derive(Debug)]
pub struct ProcessSource {
    process: Process,
    /// The soft limit of open descriptors; `None` if it is unlimited. It is read once, because a program raises its own
    /// limit only when it starts.
    descriptor_limit: Option<u64>,
    ticks_per_second: u64,
    samples: u32,
}

/// Largest number of threads that are read in every sample. The threads of other processes are read in one of
/// [`SAMPLES_BETWEEN_THREADS`] samples, because the kernel takes ten microseconds or more for each thread.
const FEW_THREADS: i64 = 8;
const SAMPLES_BETWEEN_THREADS: u32 = 10;

impl ProcessSource {
    /// Opens the process with the id `pid`.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn new(pid: u32) -> ProcResult<Self> {
        let process = Process::new(pid.cast_signed())?;
        let limits = process.limits()?;
        Ok(Self {
            process,
            descriptor_limit: match limits.max_open_files.soft_limit {
                LimitValue::Value(limit) => Some(limit),
                LimitValue::Unlimited => None,
            },
            ticks_per_second: procfs::ticks_per_second().max(1),
            samples: 0,
        })
    }

    fn read_threads(&self, reading: &mut UsageReading) -> ProcResult<()> {
        let (mut waited_ns, mut involuntary, mut all) = (Some(0), Some(0), Some(0));
        for task in self.process.tasks()? {
            // A thread may end while it is read.
            let Ok(task) = task else { continue };
            let add = |sum: Option<u64>, value: Option<u64>| Some(sum?.saturating_add(value?));
            if let Ok(schedstat) = task.schedstat() {
                waited_ns = add(waited_ns, Some(schedstat.run_delay));
            }
            if let Ok(status) = fs::read_to_string(format!("/proc/{}/task/{}/status", self.process.pid, task.tid)) {
                let forced = field(&status, "nonvoluntary_ctxt_switches:");
                involuntary = add(involuntary, forced);
                all = add(all, forced);
                all = add(all, field(&status, "voluntary_ctxt_switches:"));
            }
        }
        for (measure, value) in [
            (Measure::RunQueueWaitNs, waited_ns),
            (Measure::InvoluntarySwitches, involuntary),
            (Measure::ContextSwitches, all),
        ] {
            match value {
                Some(value) => reading.set(measure, value),
                None => reading.set_missing(&[measure], "the kernel does not count it by thread"),
            }
        }
        Ok(())
    }

    fn read_process(&self, reading: &mut UsageReading) -> ProcResult<()> {
        let stat = self.process.stat()?;
        // A process that has ended, and for which its parent has not waited, has no files any more.
        if stat.state == 'Z' {
            return Err(ProcError::NotFound(None));
        }
        let cpu_ns = u128::from(stat.utime + stat.stime) * 1_000_000_000 / u128::from(self.ticks_per_second);
        // A value that was read from a control group before is more exact.
        if reading.usage[Measure::CpuNs].is_none() {
            reading.set(Measure::CpuNs, cpu_ns);
        }
        if reading.usage[Measure::MemoryBytes].is_none() {
            reading.set(Measure::MemoryBytes, stat.rss_bytes().get());
        }
        reading.set(Measure::Threads, stat.num_threads);
        if stat.num_threads <= FEW_THREADS || self.samples % SAMPLES_BETWEEN_THREADS == 1 {
            self.read_threads(reading)?;
        }
        match self.process.fd_count() {
            Ok(count) => reading.set(Measure::FileDescriptors, count),
            Err(error) => reading.set_missing(&[Measure::FileDescriptors], error),
        }
        match self.descriptor_limit {
            Some(limit) => reading.set(Measure::FileDescriptorLimit, limit),
            None => reading.set_missing(&[Measure::FileDescriptorLimit], "no limit is set"),
        }
        self.read_network(reading);
        Ok(())
    }

    fn read_network(&self, reading: &mut UsageReading) {
        let text = |name| fs::read_to_string(format!("/proc/{}/net/{name}", self.process.pid));
        match text("snmp").map(|text| sum(&text, "Tcp", &["RetransSegs"])) {
            Ok(Some(segments)) => reading.set(Measure::TcpRetransmits, segments),
            Ok(None) => reading.set_missing(&[Measure::TcpRetransmits], "the kernel does not count it"),
            Err(error) => reading.set_missing(&[Measure::TcpRetransmits], error),
        }
        match text("netstat").map(|text| sum(&text, "TcpExt", &DROPS)) {
            Ok(Some(packets)) => reading.set(Measure::TcpDrops, packets),
            Ok(None) => reading.set_missing(&[Measure::TcpDrops], "the kernel does not count it"),
            Err(error) => reading.set_missing(&[Measure::TcpDrops], error),
        }
    }
}

/// Measures that only a control group has.
const GROUP_MEASURES: [Measure; 9] = [
    Measure::Periods,
    Measure::ThrottledPeriods,
    Measure::ThrottledNs,
    Measure::MemoryLimitBytes,
    Measure::MemoryLimitHits,
    Measure::OomKills,
    Measure::CpuPressureNs,
    Measure::MemoryPressureNs,
    Measure::IoPressureNs,
];

impl UsageSource for ProcessSource {
    fn read(&mut self, reading: &mut UsageReading) -> bool {
        reading.set_missing(
            &GROUP_MEASURES,
            "counted by control group: it has none of its own, or one of version 1",
        );
        reading.set_missing(&[Measure::StealNs], "counted by machine: see the node");
        self.samples = self.samples.wrapping_add(1);
        self.read_process(reading).is_ok()
    }
}

/// Returns the number after a name in a file of names and values.
fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().parse().ok()
}

/// TCP's counters of packets dropped because a buffer or queue was full.
const DROPS: [&str; 7] = [
    "ListenDrops",
    "TCPBacklogDrop",
    "PFMemallocDrop",
    "TCPReqQFullDrop",
    "TCPOFODrop",
    "TCPRcvQDrop",
    "TCPZeroWindowDrop",
];

/// Returns the sum of the named counts in a section of a file. In the file, a line of numbers follows each line of
/// names.
fn sum(text: &str, section: &str, names: &[&str]) -> Option<u64> {
    let mut lines = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| *name == section)
        .map(|(_, line)| line.split(' '));
    let (header, values) = (lines.next()?, lines.next()?);
    let counts: Vec<u64> = header
        .zip(values)
        .filter(|(name, _)| names.contains(name))
        .filter_map(|(_, value)| value.parse().ok())
        .collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_read_until_it_ends() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep starts");
        let mut source = ProcessSource::new(child.id()).expect("it is there");
        let mut reading = UsageReading::default();
        assert!(source.read(&mut reading));
        for measure in [
            Measure::CpuNs,
            Measure::MemoryBytes,
            Measure::ContextSwitches,
            Measure::InvoluntarySwitches,
            Measure::TcpRetransmits,
            Measure::TcpDrops,
        ] {
            assert!(
                reading.usage[measure].is_some(),
                "{measure:?}: {:?}",
                reading.reason(measure)
            );
        }
        assert_eq!(reading.usage[Measure::Threads], Some(1));
        assert!(reading.usage[Measure::FileDescriptors] >= Some(3));
        assert!(reading.reason(Measure::ThrottledNs).is_some());
        child.kill().expect("killed");
        // Dead, and not yet waited for; the kernel may need a moment.
        while source.read(&mut UsageReading::default()) {
            std::thread::yield_now();
        }
        child.wait().expect("waited for");
        assert!(!source.read(&mut UsageReading::default()));
    }

    #[test]
    fn counts_are_summed_by_name() {
        let text = "Tcp: InSegs RetransSegs\nTcp: 9 2\nTcpExt: TCPRcvQDrop Other ListenDrops\nTcpExt: 3 100 4\n";
        assert_eq!(sum(text, "Tcp", &["RetransSegs"]), Some(2));
        assert_eq!(sum(text, "TcpExt", &DROPS), Some(7));
        assert_eq!(sum(text, "Udp", &["InDatagrams"]), None);
    }
}
