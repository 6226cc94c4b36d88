//! The host's load during a launch.

use std::fs;

use model::{HostLoad, Measure};
use monitor::{NodeSource, UsageReading, UsageSource as _};

/// The host's load at one time.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostLoadReading {
    average: f64,
    steal_ns: i64,
}

impl HostLoadReading {
    /// Reads the load; `None` where the kernel does not report it.
    pub(super) fn now() -> Option<Self> {
        let text = fs::read_to_string("/proc/loadavg").ok()?;
        let mut reading = UsageReading::default();
        NodeSource.read(&mut reading);
        Some(Self {
            average: text.split(' ').next()?.parse().ok()?,
            steal_ns: reading.usage[Measure::StealNs]?,
        })
    }

    /// Reads the load again and returns the load from this reading until now.
    pub(super) fn until_now(self) -> Option<HostLoad> {
        let now = Self::now()?;
        Some(HostLoad {
            average_at_begin: self.average,
            average_at_end: now.average,
            steal_ns: u64::try_from(now.steal_ns - self.steal_ns).unwrap_or(0),
        })
    }
}
