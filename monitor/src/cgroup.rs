//! Control groups of both versions: where a process's group is, and what its files say.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dataset::Measure;
use model::LimitEnforcement;
use procfs::process::{MountInfos, Process};
use procfs::{ProcError, ProcessCGroups};
use serde::{Deserialize, Serialize};

use crate::source::{Reading, Source};

/// The folders of a control group that can limit CPU and memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cgroup {
    /// One folder for each of the two controllers.
    V1 {
        /// Of the controller `cpu`.
        cpu: PathBuf,
        /// Of the controller `memory`.
        memory: PathBuf,
    },
    /// One folder.
    V2(PathBuf),
}

/// Why there is no control group to use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// /proc could not be read.
    #[error("cannot read the control groups of process {pid}: {source}")]
    Unreadable {
        /// Of which process.
        pid: u32,
        /// Why not.
        source: Box<ProcError>,
    },
    /// The controllers are not there.
    #[error(
        "no control groups for both CPU and memory are mounted; mount cgroup2, or the controllers cpu and memory of version 1"
    )]
    NotMounted,
}

impl Cgroup {
    /// The group that a process is in; `pid` as /proc has it.
    ///
    /// # Errors
    /// When /proc does not say, or CPU and memory have no controllers.
    pub fn of_process(pid: u32) -> Result<Self, Unavailable> {
        let unreadable = |source| Unavailable::Unreadable {
            pid,
            source: Box::new(source),
        };
        let process = Process::new(pid.cast_signed()).map_err(unreadable)?;
        let own = Process::myself().map_err(unreadable)?;
        let (mounts, groups) = (
            own.mountinfo().map_err(unreadable)?,
            process.cgroups().map_err(unreadable)?,
        );
        Self::among(&mounts, &groups, |folder| {
            fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default()
        })
        .ok_or(Unavailable::NotMounted)
    }

    /// Where trees of control groups are mounted.
    #[must_use]
    pub fn mounted() -> Vec<PathBuf> {
        let mounts = Process::myself().and_then(|process| process.mountinfo());
        let mounts = mounts.map(|mounts| mounts.0).unwrap_or_default();
        mounts
            .into_iter()
            .filter(|mount| ["cgroup", "cgroup2"].contains(&mount.fs_type.as_str()))
            .map(|mount| mount.mount_point)
            .collect()
    }

    /// As the kernel's files say; `controllers` reads what a folder of version 2 offers.
    fn among(mounts: &MountInfos, groups: &ProcessCGroups, controllers: impl Fn(&Path) -> String) -> Option<Self> {
        let folder = |kind: &str, controller: Option<&str>| {
            let mount = mounts.iter().find(|mount| {
                mount.fs_type == kind && controller.is_none_or(|name| mount.super_options.contains_key(name))
            })?;
            let group = groups.0.iter().find(|group| match controller {
                Some(name) => group.controllers.iter().any(|known| known == name),
                None => group.hierarchy == 0,
            })?;
            // Inside of a cgroup namespace, or of a container, only a part of the tree is mounted.
            let within = Path::new(&group.pathname)
                .strip_prefix(&mount.root)
                .unwrap_or(Path::new(""));
            Some(mount.mount_point.join(within))
        };
        if let Some(unified) = folder("cgroup2", None) {
            let offered = controllers(&unified);
            let offers = |name| offered.split_whitespace().any(|known| known == name);
            // In a hybrid set-up, the controllers are those of version 1 and this one is empty.
            if offers("cpu") && offers("memory") {
                return Some(Self::V2(unified));
            }
        }
        Some(Self::V1 {
            cpu: folder("cgroup", Some("cpu"))?,
            memory: folder("cgroup", Some("memory"))?,
        })
    }

    /// The group of this name within this one.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        match self {
            Self::V1 { cpu, memory } => Self::V1 {
                cpu: cpu.join(name),
                memory: memory.join(name),
            },
            Self::V2(folder) => Self::V2(folder.join(name)),
        }
    }

    /// Its folders; where both controllers are mounted together, one.
    #[must_use]
    pub fn folders(&self) -> Vec<&Path> {
        match self {
            Self::V1 { cpu, memory } if cpu == memory => vec![cpu],
            Self::V1 { cpu, memory } => vec![cpu, memory],
            Self::V2(folder) => vec![folder],
        }
    }

    /// Its version, as recorded.
    #[must_use]
    pub const fn enforcement(&self) -> LimitEnforcement {
        match self {
            Self::V1 { .. } => LimitEnforcement::CgroupV1,
            Self::V2(_) => LimitEnforcement::CgroupV2,
        }
    }
}

/// A control group's own counts.
#[derive(Debug)]
pub struct CgroupSource(
    /// The group.
    pub Cgroup,
);

const CPU: [Measure; 3] = [Measure::Periods, Measure::ThrottledPeriods, Measure::ThrottledNs];

impl Source for CgroupSource {
    fn read(&mut self, reading: &mut Reading) -> bool {
        match &self.0 {
            Cgroup::V1 { cpu, memory } => {
                match pairs(&cpu.join("cpu.stat")) {
                    Ok(stat) => {
                        put(reading, &stat, Measure::Periods, "nr_periods", 1);
                        put(reading, &stat, Measure::ThrottledPeriods, "nr_throttled", 1);
                        put(reading, &stat, Measure::ThrottledNs, "throttled_time", 1);
                    }
                    Err(error) => reading.lack(&CPU, error),
                }
                number(reading, Measure::MemoryBytes, &memory.join("memory.usage_in_bytes"));
                number(
                    reading,
                    Measure::MemoryLimitBytes,
                    &memory.join("memory.limit_in_bytes"),
                );
                number(reading, Measure::MemoryLimitHits, &memory.join("memory.failcnt"));
                match pairs(&memory.join("memory.oom_control")) {
                    Ok(control) => put(reading, &control, Measure::OomKills, "oom_kill", 1),
                    Err(error) => reading.lack(&[Measure::OomKills], error),
                }
                cpu.exists()
            }
            Cgroup::V2(folder) => {
                match pairs(&folder.join("cpu.stat")) {
                    Ok(stat) => {
                        put(reading, &stat, Measure::CpuNs, "usage_usec", 1_000);
                        put(reading, &stat, Measure::Periods, "nr_periods", 1);
                        put(reading, &stat, Measure::ThrottledPeriods, "nr_throttled", 1);
                        put(reading, &stat, Measure::ThrottledNs, "throttled_usec", 1_000);
                    }
                    Err(error) => reading.lack(&CPU, error),
                }
                number(reading, Measure::MemoryBytes, &folder.join("memory.current"));
                number(reading, Measure::MemoryLimitBytes, &folder.join("memory.max"));
                match pairs(&folder.join("memory.events")) {
                    Ok(events) => {
                        put(reading, &events, Measure::MemoryLimitHits, "max", 1);
                        put(reading, &events, Measure::OomKills, "oom_kill", 1);
                    }
                    Err(error) => reading.lack(&[Measure::MemoryLimitHits, Measure::OomKills], error),
                }
                for (measure, name) in PRESSURES {
                    pressure(reading, measure, &folder.join(format!("{name}.pressure")));
                }
                folder.exists()
            }
        }
    }
}

/// Pressure stall information by its file's name.
pub(crate) const PRESSURES: [(Measure, &str); 3] = [
    (Measure::CpuPressureNs, "cpu"),
    (Measure::MemoryPressureNs, "memory"),
    (Measure::IoPressureNs, "io"),
];

/// Total of the line `some`, which the kernel gives in µs.
pub(crate) fn pressure(reading: &mut Reading, measure: Measure, path: &Path) {
    let found = read(path).map(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
        let total = line.split(' ').find_map(|word| word.strip_prefix("total="))?;
        total.parse::<i64>().ok()
    });
    match found {
        Ok(Some(total_us)) => reading.set(measure, total_us.saturating_mul(1_000)),
        Ok(None) => reading.lack(&[measure], format!("{} has no total", path.display())),
        Err(error) => reading.lack(&[measure], error),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error: io::Error| format!("cannot read {}: {error}", path.display()))
}

/// A file that is one number, or `max` where there is no limit.
fn number(reading: &mut Reading, measure: Measure, path: &Path) {
    match read(path).map(|text| text.trim().parse::<i64>()) {
        // Without a limit, version 1 says the largest number of whole pages.
        Ok(Ok(value)) if value < i64::MAX / 2 => reading.set(measure, value),
        Ok(_) => reading.lack(&[measure], "no limit is set"),
        Err(error) => reading.lack(&[measure], error),
    }
}

/// A file of words and numbers, one pair by line.
fn pairs(path: &Path) -> Result<Vec<(String, i64)>, String> {
    let text = read(path)?;
    let pair = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.trim().parse().ok()?))
    };
    Ok(text.lines().filter_map(pair).collect())
}

fn put(reading: &mut Reading, pairs: &[(String, i64)], measure: Measure, name: &str, unit: i64) {
    match pairs.iter().find(|(known, _)| known == name) {
        Some((_, value)) => reading.set(measure, value.saturating_mul(unit)),
        None => reading.lack(&[measure], format!("the kernel gives no {name}")),
    }
}

#[cfg(test)]
mod tests {
    use procfs::FromBufRead as _;

    use super::*;

    fn found(mountinfo: &str, cgroup: &str, controllers: &str) -> Option<Cgroup> {
        let mounts = MountInfos::from_buf_read(mountinfo.as_bytes()).expect("mountinfo");
        let groups = ProcessCGroups::from_buf_read(cgroup.as_bytes()).expect("cgroup");
        Cgroup::among(&mounts, &groups, |_| controllers.to_owned())
    }

    const UNIFIED: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1: &str = "33 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      35 32 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    const GROUPS: &str = "4:memory:/shell\n1:cpu,cpuacct:/\n0::/user.slice/a.scope\n";

    #[test]
    fn the_unified_tree_is_used_where_it_has_the_controllers() {
        let folder = Cgroup::V2("/sys/fs/cgroup/user.slice/a.scope".into());
        assert_eq!(
            found(UNIFIED, "0::/user.slice/a.scope\n", "cpu io memory"),
            Some(folder)
        );
        assert_eq!(found(UNIFIED, "0::/\n", "pids"), None);
    }

    #[test]
    fn a_hybrid_set_up_is_version_1() {
        let hybrid = format!("{V1}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
        let expected = Cgroup::V1 {
            cpu: "/sys/fs/cgroup/cpu,cpuacct".into(),
            memory: "/sys/fs/cgroup/memory/shell".into(),
        };
        assert_eq!(found(&hybrid, GROUPS, "hugetlb"), Some(expected));
        assert_eq!(found("", GROUPS, ""), None);
    }

    #[test]
    fn of_a_container_only_its_own_part_is_mounted() {
        let part = UNIFIED.replace(" / /sys", " /docker/ab /sys");
        let groups = "0::/docker/ab/inner\n";
        assert_eq!(
            found(&part, groups, "cpu memory"),
            Some(Cgroup::V2("/sys/fs/cgroup/inner".into()))
        );
        assert_eq!(
            found(&part, "0::/\n", "cpu memory"),
            Some(Cgroup::V2("/sys/fs/cgroup".into()))
        );
    }

    #[test]
    fn version_2_in_units_of_the_table() {
        let tree = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| fs::write(tree.path().join(name), text).expect("written");
        file(
            "cpu.stat",
            "usage_usec 12\nuser_usec 8\nnr_periods 40\nnr_throttled 3\nthrottled_usec 250\n",
        );
        file("memory.current", "4096\n");
        file("memory.max", "max\n");
        file("memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n");
        file(
            "cpu.pressure",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500\nfull total=9\n",
        );
        let mut reading = Reading::default();
        assert!(CgroupSource(Cgroup::V2(tree.path().to_owned())).read(&mut reading));
        for (measure, value) in [
            (Measure::CpuNs, Some(12_000)),
            (Measure::Periods, Some(40)),
            (Measure::ThrottledPeriods, Some(3)),
            (Measure::ThrottledNs, Some(250_000)),
            (Measure::MemoryBytes, Some(4_096)),
            (Measure::MemoryLimitBytes, None),
            (Measure::MemoryLimitHits, Some(7)),
            (Measure::OomKills, Some(1)),
            (Measure::CpuPressureNs, Some(1_500_000)),
            (Measure::IoPressureNs, None),
        ] {
            assert_eq!(reading.usage[measure], value, "{measure:?}");
        }
        assert_eq!(reading.reason(Measure::MemoryLimitBytes), Some("no limit is set"));
        assert!(
            reading
                .reason(Measure::IoPressureNs)
                .expect("why")
                .contains("io.pressure")
        );
    }

    #[test]
    fn version_1_in_units_of_the_table() {
        let tree = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| fs::write(tree.path().join(name), text).expect("written");
        file("cpu.stat", "nr_periods 40\nnr_throttled 3\nthrottled_time 250000\n");
        file("memory.usage_in_bytes", "4096\n");
        file("memory.limit_in_bytes", "9223372036854771712\n");
        file("memory.failcnt", "7\n");
        file("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
        let folder = tree.path().to_owned();
        let mut reading = Reading::default();
        let mut source = CgroupSource(Cgroup::V1 {
            cpu: folder.clone(),
            memory: folder,
        });
        assert!(source.read(&mut reading));
        assert_eq!(reading.usage[Measure::ThrottledNs], Some(250_000));
        assert_eq!(reading.usage[Measure::MemoryLimitBytes], None);
        assert_eq!(reading.usage[Measure::MemoryLimitHits], Some(7));
        assert_eq!(reading.usage[Measure::OomKills], Some(2));
        drop(tree);
        assert!(!source.read(&mut Reading::default()));
    }
}
