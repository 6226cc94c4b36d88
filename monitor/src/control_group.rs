//! Control groups of versions 1 and 2: the folder of a process's group, and the counts and limits in its files.

use std::fs;
use std::path::{Path, PathBuf};

use model::{LimitEnforcement, Measure, Usage};
use procfs::process::{MountInfos, Process};
use procfs::{ProcError, ProcessCGroups};
use serde::{Deserialize, Serialize};

use crate::source::{UsageReading, UsageSource};

/// The folders of a control group that can limit processor time and memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ControlGroup {
    /// Version 1: one folder for each of the two controllers.
    V1 {
        /// The folder of the controller `cpu`.
        cpu: PathBuf,
        /// The folder of the controller `memory`.
        memory: PathBuf,
    },
    /// Version 2: one folder for both controllers.
    V2(PathBuf),
}

/// The reason why a process has no usable control group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlGroupError {
    /// /proc could not be read.
    #[error("cannot read the control groups of process {pid}: {source}")]
    Unreadable {
        /// The process.
        pid: u32,
        /// The error of the read.
        source: Box<ProcError>,
    },
    /// The controllers are not mounted.
    #[error(
        "no control groups for both processor time and memory are mounted; mount cgroup2, or the controllers cpu and memory of version 1"
    )]
    NotMounted,
}

impl ControlGroup {
    /// Returns the group of the process with the id `pid`.
    ///
    /// # Errors
    /// When /proc cannot be read, or no controllers for processor time and memory are mounted.
    pub fn of_process(pid: u32) -> Result<Self, ControlGroupError> {
        let unreadable = |source| ControlGroupError::Unreadable {
            pid,
            source: Box::new(source),
        };
        let process = Process::new(pid.cast_signed()).map_err(unreadable)?;
        let own = Process::myself().map_err(unreadable)?;
        let mounts = own.mountinfo().map_err(unreadable)?;
        let groups = process.cgroups().map_err(unreadable)?;
        Self::find(&mounts, &groups, |folder| {
            fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default()
        })
        .ok_or(ControlGroupError::NotMounted)
    }

    /// Returns the folders where trees of control groups are mounted.
    #[must_use]
    pub fn mount_points() -> Vec<PathBuf> {
        let mounts = Process::myself().and_then(|process| process.mountinfo());
        let mounts = mounts.map(|mounts| mounts.0).unwrap_or_default();
        mounts
            .into_iter()
            .filter(|mount| ["cgroup", "cgroup2"].contains(&mount.fs_type.as_str()))
            .map(|mount| mount.mount_point)
            .collect()
    }

    /// Finds the group in the kernel's tables. `controllers` returns the controllers that a folder of version 2
    /// offers.
    fn find(mounts: &MountInfos, groups: &ProcessCGroups, controllers: impl Fn(&Path) -> String) -> Option<Self> {
        let folder = |kind: &str, controller: Option<&str>| {
            let mount = mounts.iter().find(|mount| {
                mount.fs_type == kind && controller.is_none_or(|name| mount.super_options.contains_key(name))
            })?;
            let group = groups.0.iter().find(|group| match controller {
                Some(name) => group.controllers.iter().any(|known| known == name),
                None => group.hierarchy == 0,
            })?;
            // In a cgroup namespace or a container, only a part of the tree is mounted.
            let within = Path::new(&group.pathname)
                .strip_prefix(&mount.root)
                .unwrap_or(Path::new(""));
            Some(mount.mount_point.join(within))
        };
        if let Some(unified) = folder("cgroup2", None) {
            let offered = controllers(&unified);
            let offers = |name| offered.split_whitespace().any(|known| known == name);
            // On a hybrid system, version 1 has the controllers and the tree of version 2 is empty.
            if offers("cpu") && offers("memory") {
                return Some(Self::V2(unified));
            }
        }
        Some(Self::V1 {
            cpu: folder("cgroup", Some("cpu"))?,
            memory: folder("cgroup", Some("memory"))?,
        })
    }

    /// Returns the group of this name within this one.
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

    /// Returns the group's folders; one if both controllers are mounted together.
    #[must_use]
    pub fn folders(&self) -> Vec<&Path> {
        match self {
            Self::V1 { cpu, memory } if cpu == memory => vec![cpu],
            Self::V1 { cpu, memory } => vec![cpu, memory],
            Self::V2(folder) => vec![folder],
        }
    }

    /// Returns the ids of the processes in the group.
    #[must_use]
    pub fn processes(&self) -> Vec<i32> {
        let folder = match self {
            Self::V1 { cpu: folder, .. } | Self::V2(folder) => folder,
        };
        let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        text.lines().flat_map(str::parse).collect()
    }

    /// Returns the group's version, as a run records it.
    #[must_use]
    pub const fn enforcement(&self) -> LimitEnforcement {
        match self {
            Self::V1 { .. } => LimitEnforcement::CgroupV1,
            Self::V2(_) => LimitEnforcement::CgroupV2,
        }
    }

    /// Reads the group's counts and limits once.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut reading = UsageReading::default();
        self.read_into(&mut reading);
        reading.usage
    }

    /// Adds the group's counts and limits to a reading, and the reason for each missing value.
    fn read_into(&self, reading: &mut UsageReading) {
        match self {
            Self::V1 { cpu, memory } => {
                let throttling = [
                    ("nr_periods", Measure::Periods, 1),
                    ("nr_throttled", Measure::ThrottledPeriods, 1),
                    ("throttled_time", Measure::ThrottledNs, 1),
                ];
                counts(reading, &cpu.join("cpu.stat"), &throttling);
                number(reading, Measure::MemoryBytes, &memory.join("memory.usage_in_bytes"));
                let limit = memory.join("memory.limit_in_bytes");
                number(reading, Measure::MemoryLimitBytes, &limit);
                number(reading, Measure::MemoryLimitHits, &memory.join("memory.failcnt"));
                let kills = [("oom_kill", Measure::OomKills, 1)];
                counts(reading, &memory.join("memory.oom_control"), &kills);
            }
            Self::V2(folder) => {
                let times = [
                    ("usage_usec", Measure::CpuNs, 1_000),
                    ("nr_periods", Measure::Periods, 1),
                    ("nr_throttled", Measure::ThrottledPeriods, 1),
                    ("throttled_usec", Measure::ThrottledNs, 1_000),
                ];
                counts(reading, &folder.join("cpu.stat"), &times);
                number(reading, Measure::MemoryBytes, &folder.join("memory.current"));
                number(reading, Measure::MemoryLimitBytes, &folder.join("memory.max"));
                let events = [("max", Measure::MemoryLimitHits, 1), ("oom_kill", Measure::OomKills, 1)];
                counts(reading, &folder.join("memory.events"), &events);
                for (measure, name) in PRESSURES {
                    pressure(reading, measure, &folder.join(format!("{name}.pressure")));
                }
            }
        }
    }
}

impl UsageSource for ControlGroup {
    fn read(&mut self, reading: &mut UsageReading) -> bool {
        self.read_into(reading);
        self.folders()[0].exists()
    }
}

/// Pressure stall information: the measure and the first part of the file's name.
pub(crate) const PRESSURES: [(Measure, &str); 3] = [
    (Measure::CpuPressureNs, "cpu"),
    (Measure::MemoryPressureNs, "memory"),
    (Measure::IoPressureNs, "io"),
];

/// Reads the total of the line `some`, which the kernel gives in µs.
pub(crate) fn pressure(reading: &mut UsageReading, measure: Measure, path: &Path) {
    let found = read(path).map(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
        let total = line.split(' ').find_map(|word| word.strip_prefix("total="))?;
        total.parse::<i64>().ok()
    });
    match found {
        Ok(Some(total_us)) => reading.set(measure, total_us.saturating_mul(1_000)),
        Ok(None) => reading.set_missing(&[measure], format!("{} has no total", path.display())),
        Err(error) => reading.set_missing(&[measure], error),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Reads a file that holds one number, or `max` when there is no limit.
fn number(reading: &mut UsageReading, measure: Measure, path: &Path) {
    match read(path).map(|text| text.trim().parse::<i64>()) {
        // Without a limit, version 1 gives the largest number of whole pages.
        Ok(Ok(value)) if value < i64::MAX / 2 => reading.set(measure, value),
        Ok(_) => reading.set_missing(&[measure], "no limit is set"),
        Err(error) => reading.set_missing(&[measure], error),
    }
}

/// Reads a file with a name and a number in each line. `wanted` lists names, each with its measure and the factor from
/// the file's unit to the measure's unit.
fn counts(reading: &mut UsageReading, path: &Path, wanted: &[(&str, Measure, i64)]) {
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            let measures: Vec<Measure> = wanted.iter().map(|(_, measure, _)| *measure).collect();
            return reading.set_missing(&measures, error);
        }
    };
    for (name, measure, unit) in wanted {
        let value = text.lines().find_map(|line| {
            let (known, value) = line.split_once(' ')?;
            (known == *name).then(|| value.trim().parse::<i64>().ok())?
        });
        match value {
            Some(value) => reading.set(*measure, value.saturating_mul(*unit)),
            None => reading.set_missing(&[*measure], format!("the kernel gives no {name}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use procfs::FromBufRead as _;

    use super::*;

    fn found(mountinfo: &str, cgroup: &str, controllers: &str) -> Option<ControlGroup> {
        let mounts = MountInfos::from_buf_read(mountinfo.as_bytes()).expect("mountinfo");
        let groups = ProcessCGroups::from_buf_read(cgroup.as_bytes()).expect("cgroup");
        ControlGroup::find(&mounts, &groups, |_| controllers.to_owned())
    }

    const UNIFIED: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1: &str = "33 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      35 32 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    const GROUPS: &str = "4:memory:/shell\n1:cpu,cpuacct:/\n0::/user.slice/a.scope\n";

    #[test]
    fn the_unified_tree_is_used_where_it_has_the_controllers() {
        let folder = ControlGroup::V2("/sys/fs/cgroup/user.slice/a.scope".into());
        assert_eq!(
            found(UNIFIED, "0::/user.slice/a.scope\n", "cpu io memory"),
            Some(folder)
        );
        assert_eq!(found(UNIFIED, "0::/\n", "pids"), None);
    }

    #[test]
    fn a_hybrid_set_up_is_version_1() {
        let hybrid = format!("{V1}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
        let expected = ControlGroup::V1 {
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
            Some(ControlGroup::V2("/sys/fs/cgroup/inner".into()))
        );
        assert_eq!(
            found(&part, "0::/\n", "cpu memory"),
            Some(ControlGroup::V2("/sys/fs/cgroup".into()))
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
        let mut reading = UsageReading::default();
        assert!(ControlGroup::V2(tree.path().to_owned()).read(&mut reading));
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
        let mut reading = UsageReading::default();
        let mut source = ControlGroup::V1 {
            cpu: folder.clone(),
            memory: folder,
        };
        assert!(source.read(&mut reading));
        assert_eq!(reading.usage[Measure::ThrottledNs], Some(250_000));
        assert_eq!(reading.usage[Measure::MemoryLimitBytes], None);
        assert_eq!(reading.usage[Measure::MemoryLimitHits], Some(7));
        assert_eq!(reading.usage[Measure::OomKills], Some(2));
        drop(tree);
        assert!(!source.read(&mut UsageReading::default()));
    }

    #[test]
    fn both_versions_give_the_same_counts_and_limits() {
        let tree = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = tree.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("written");
        };
        file("cpu/cpu.stat", "nr_periods 20\nnr_throttled 3\nthrottled_time 45000\n");
        file("memory/memory.limit_in_bytes", "33554432\n");
        file("memory/memory.usage_in_bytes", "4096\n");
        file("memory/memory.failcnt", "7\n");
        file(
            "memory/memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        );
        file("cpu.stat", "nr_periods 20\nnr_throttled 3\nthrottled_usec 45\n");
        file("memory.max", "33554432\n");
        file("memory.current", "4096\n");
        file("memory.events", "low 0\nmax 7\noom 1\noom_kill 1\n");
        let one = ControlGroup::V1 {
            cpu: tree.path().join("cpu"),
            memory: tree.path().join("memory"),
        };
        let two = ControlGroup::V2(tree.path().to_owned());
        assert_eq!(one.usage(), two.usage());
        assert_eq!(two.usage()[Measure::ThrottledNs], Some(45_000));
        // Both values mean that there is no limit.
        file("memory/memory.limit_in_bytes", "9223372036854771712\n");
        file("memory.max", "max\n");
        assert_eq!(one.usage()[Measure::MemoryLimitBytes], None);
        assert_eq!(two.usage()[Measure::MemoryLimitBytes], None);
    }
}
