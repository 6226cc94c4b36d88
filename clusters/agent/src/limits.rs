//! What a container may use and what it has used, from its own cgroup as the engine mounts it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Limits and use of one container; what its kernel does not tell is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Processor time allowed, thousandths of a processor.
    pub millicores: Option<u64>,
    /// Periods in which processor time was asked for.
    pub periods: Option<u64>,
    /// Of these, in how many it was withheld.
    pub throttled_periods: Option<u64>,
    /// For how long, ns.
    pub throttled_ns: Option<u64>,
    /// Memory allowed, bytes.
    pub memory_bytes: Option<u64>,
    /// The most memory in use, bytes.
    pub peak_memory_bytes: Option<u64>,
    /// Processes that the kernel killed for want of memory.
    pub oom_kills: Option<u64>,
}

impl Use {
    /// Reads the cgroup of version 2 or 1 that is mounted here.
    #[must_use]
    pub fn read(mounted: &Path) -> Self {
        if mounted.join("cgroup.controllers").exists() {
            Self::version_2(mounted)
        } else {
            Self::version_1(mounted)
        }
    }

    fn version_2(mounted: &Path) -> Self {
        let cpu = table(&mounted.join("cpu.stat"));
        let quota = fs::read_to_string(mounted.join("cpu.max")).unwrap_or_default();
        let mut words = quota.split_whitespace().map(|word| word.parse().ok());
        let quota_us = words.next().flatten();
        let period_us = words.next().flatten();
        Self {
            millicores: millicores(quota_us, period_us),
            periods: cpu.get("nr_periods").copied(),
            throttled_periods: cpu.get("nr_throttled").copied(),
            throttled_ns: cpu.get("throttled_usec").map(|time_us| time_us.saturating_mul(1_000)),
            memory_bytes: number(&mounted.join("memory.max")),
            peak_memory_bytes: number(&mounted.join("memory.peak")),
            oom_kills: table(&mounted.join("memory.events")).get("oom_kill").copied(),
        }
    }

    fn version_1(mounted: &Path) -> Self {
        // The first is what the controllers are mounted as where they are mounted together.
        let folder = ["cpu,cpuacct", "cpu"]
            .into_iter()
            .map(|name| mounted.join(name))
            .find(|folder| folder.exists());
        let folder = folder.unwrap_or_else(|| mounted.join("cpu"));
        let cpu = table(&folder.join("cpu.stat"));
        let memory = mounted.join("memory");
        Self {
            millicores: millicores(
                number(&folder.join("cpu.cfs_quota_us")),
                number(&folder.join("cpu.cfs_period_us")),
            ),
            periods: cpu.get("nr_periods").copied(),
            throttled_periods: cpu.get("nr_throttled").copied(),
            throttled_ns: cpu.get("throttled_time").copied(),
            // Without a limit, the kernel tells a number beyond any memory.
            memory_bytes: number(&memory.join("memory.limit_in_bytes")).filter(|&bytes| bytes < 1 << 60),
            peak_memory_bytes: number(&memory.join("memory.max_usage_in_bytes")),
            oom_kills: table(&memory.join("memory.oom_control")).get("oom_kill").copied(),
        }
    }

    /// What came after an earlier reading of the same container.
    #[must_use]
    pub fn since(mut self, earlier: &Self) -> Self {
        for (now, then) in [
            (&mut self.periods, earlier.periods),
            (&mut self.throttled_periods, earlier.throttled_periods),
            (&mut self.throttled_ns, earlier.throttled_ns),
            (&mut self.oom_kills, earlier.oom_kills),
        ] {
            *now = now.map(|now| now.saturating_sub(then.unwrap_or(0)));
        }
        self
    }

    /// Whether the kernel killed a process for want of memory.
    #[must_use]
    pub fn out_of_memory(&self) -> bool {
        self.oom_kills.is_some_and(|kills| kills > 0)
    }

    /// Which limits were hit, in words; none when none was.
    #[must_use]
    pub fn hit(&self) -> Vec<String> {
        let mut hit = Vec::new();
        if let Some(periods) = self.throttled_periods.filter(|&periods| periods > 0) {
            hit.push(format!(
                "throttled in {periods} of {} periods, for {} ns, by the limit of {} millicores",
                self.periods.unwrap_or_default(),
                self.throttled_ns.unwrap_or_default(),
                self.millicores.unwrap_or_default()
            ));
        }
        if let Some(kills) = self.oom_kills.filter(|&kills| kills > 0) {
            hit.push(format!(
                "{kills} killed for want of memory, by the limit of {} bytes",
                self.memory_bytes.unwrap_or_default()
            ));
        }
        hit
    }
}

fn millicores(quota_us: Option<u64>, period_us: Option<u64>) -> Option<u64> {
    (quota_us? * 1_000).checked_div(period_us?)
}

/// A file with one number; `max` and -1 are none.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// A file with a name and a number in each line.
fn table(path: &Path) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounted(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            fs::write(path, text).expect("file");
        }
        folder
    }

    #[test]
    fn both_versions_tell_the_same() {
        let one = mounted(&[
            ("cpu/cpu.stat", "nr_periods 20\nnr_throttled 3\nthrottled_time 45000\n"),
            ("cpu/cpu.cfs_quota_us", "25000\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("memory/memory.limit_in_bytes", "33554432\n"),
            ("memory/memory.max_usage_in_bytes", "4096\n"),
            (
                "memory/memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
            ),
        ]);
        let two = mounted(&[
            ("cgroup.controllers", "cpu memory\n"),
            (
                "cpu.stat",
                "usage_usec 9\nnr_periods 20\nnr_throttled 3\nthrottled_usec 45\n",
            ),
            ("cpu.max", "25000 100000\n"),
            ("memory.max", "33554432\n"),
            ("memory.peak", "4096\n"),
            ("memory.events", "low 0\nmax 7\noom 1\noom_kill 1\n"),
        ]);
        let told = Use::read(one.path());
        assert_eq!(told, Use::read(two.path()));
        assert_eq!(
            told.hit(),
            [
                "throttled in 3 of 20 periods, for 45000 ns, by the limit of 250 millicores",
                "1 killed for want of memory, by the limit of 33554432 bytes"
            ]
        );
    }

    #[test]
    fn what_was_hit_before_does_not_count() {
        let earlier = Use {
            throttled_periods: Some(3),
            oom_kills: Some(1),
            ..Use::default()
        };
        assert!(earlier.clone().since(&earlier).hit().is_empty());
        let later = Use {
            throttled_periods: Some(4),
            ..earlier.clone()
        };
        assert_eq!(later.since(&earlier).throttled_periods, Some(1));
    }

    #[test]
    fn without_limits_none_is_hit() {
        let one = mounted(&[
            ("cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/memory.oom_control", "oom_kill 0\n"),
        ]);
        let two = mounted(&[
            ("cgroup.controllers", ""),
            ("cpu.max", "max 100000\n"),
            ("memory.max", "max\n"),
        ]);
        for folder in [one, two] {
            let told = Use::read(folder.path());
            assert_eq!((told.millicores, told.memory_bytes, told.hit().len()), (None, None, 0));
        }
    }
}
