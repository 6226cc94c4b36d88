//! CPUs: affinity of threads, steal time, context switches, and the process's memory.

use std::io;

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;

/// The calling thread, as the affinity calls name it.
const THIS_THREAD: Pid = Pid::from_raw(0);

/// CPU time by /proc/stat, in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuTicks {
    total: u64,
    stolen: u64,
}

impl CpuTicks {
    /// Reads the ticks of one CPU, or of all CPUs together. Returns `None` if /proc/stat does not have them.
    pub(crate) fn read(cpu: Option<usize>) -> Option<Self> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        let name = cpu.map_or("cpu".to_owned(), |cpu| format!("cpu{cpu}"));
        let line = text.lines().find(|line| line.split(' ').next() == Some(&name))?;
        let fields: Vec<u64> = line
            .split_ascii_whitespace()
            .skip(1)
            .filter_map(|field| field.parse().ok())
            .collect();
        // The fields are user, nice, system, idle, iowait, irq, softirq and steal. The guest fields after them are part of
        // user and nice.
        Some(Self {
            total: fields.iter().take(8).sum(),
            stolen: *fields.get(7)?,
        })
    }

    /// Returns the share of the time since `before` that the hypervisor withheld; `None` if no tick has passed.
    pub(crate) fn stolen_share_since(self, before: Self) -> Option<f64> {
        let total = self.total.checked_sub(before.total).filter(|total| *total > 0)?;
        Some(self.stolen.saturating_sub(before.stolen) as f64 / total as f64)
    }
}

/// Returns the CPU on which the calling thread runs; `None` if the kernel does not say.
pub(crate) fn current_cpu() -> Option<usize> {
    sched_getcpu().ok()
}

/// Returns the CPUs on which the calling thread may run, in ascending order. The list is empty if the kernel does not
/// say.
pub(crate) fn allowed_cpus() -> Vec<usize> {
    let allowed = sched_getaffinity(THIS_THREAD).unwrap_or_default();
    (0..CpuSet::count())
        .filter(|cpu| allowed.is_set(*cpu) == Ok(true))
        .collect()
}

/// Excludes one CPU from those on which the calling thread may run.
///
/// # Errors
/// When no other CPU is allowed.
pub(crate) fn keep_off_cpu(cpu: usize) -> io::Result<()> {
    let mut allowed = sched_getaffinity(THIS_THREAD)?;
    allowed.unset(cpu)?;
    Ok(sched_setaffinity(THIS_THREAD, &allowed)?)
}

/// Restricts the calling thread to one CPU.
///
/// # Errors
/// When there is no such CPU, or it is not allowed.
pub(crate) fn pin_to_cpu(cpu: usize) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu)?;
    Ok(sched_setaffinity(THIS_THREAD, &only)?)
}

/// Returns how often the kernel took the calling thread off its CPU while the thread could have continued.
pub(crate) fn involuntary_context_switches() -> u64 {
    let switches = getrusage(UsageWho::RUSAGE_THREAD).map(|usage| usage.involuntary_context_switches());
    u64::try_from(switches.unwrap_or(0)).unwrap_or(0)
}

/// Returns the largest resident memory of this process so far, bytes.
pub(crate) fn peak_memory_bytes() -> u64 {
    // Linux counts in KiB.
    let peak_kib = getrusage(UsageWho::RUSAGE_SELF).map(|usage| usage.max_rss());
    u64::try_from(peak_kib.unwrap_or(0)).unwrap_or(0) * 1024
}
