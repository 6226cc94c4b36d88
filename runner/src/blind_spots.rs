//! Blind spots: reasons why a preloaded library does not see payload, from the file of a program and from its processes.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use object::{Object as _, ObjectSegment as _};
use procfs::process::{FDTarget, MMapPath, MemoryMap, Process, all_processes};
use serde::{Deserialize, Serialize};

use crate::launch::local::process_set::has_mapped;

/// Libraries that encrypt, by the beginning of their names.
const TLS: [&str; 4] = ["libssl.", "libgnutls.", "libssl3.", "libmbedtls."];

/// A reason why a preloaded library may not see payload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "where")]
pub(crate) enum BlindSpot {
    /// No dynamic loader runs, so nothing is preloaded.
    Static(PathBuf),
    /// The Go runtime makes system calls itself.
    Go(PathBuf),
    /// The loader ignores LD_PRELOAD in set-user-id and set-group-id programs.
    Privileged(PathBuf),
    /// The process receives through a ring that it shares with the kernel.
    IoUring(String),
    /// The process has a TLS library. The hook sees payload of TLS connections encrypted.
    Tls(String),
    /// The process has the hook's environment variables and did not load the hook.
    NotLoaded(String),
}

impl fmt::Display for BlindSpot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static(path) => write!(formatter, "{}: statically linked, nothing is preloaded", path.display()),
            Self::Go(path) => write!(
                formatter,
                "{}: a Go program, which makes its own system calls",
                path.display()
            ),
            Self::Privileged(path) => write!(
                formatter,
                "{}: set-user-id or set-group-id, for which the loader ignores LD_PRELOAD",
                path.display()
            ),
            Self::IoUring(process) => write!(
                formatter,
                "{process}: has an io_uring, whose completions no function returns"
            ),
            Self::Tls(process) => {
                write!(
                    formatter,
                    "{process}: has a TLS library; the hook sees payload of TLS connections encrypted"
                )
            }
            Self::NotLoaded(process) => write!(formatter, "{process}: did not load the hook"),
        }
    }
}

impl BlindSpot {
    /// Returns true if the reason holds without the project's hook, too.
    pub(crate) fn is_of_the_server(&self) -> bool {
        !matches!(self, Self::NotLoaded(_))
    }
}

/// Returns the reasons why the file of a program may not load the hook.
pub(crate) fn of_program(program: &str) -> Vec<BlindSpot> {
    which::which(program).map_or_else(|_| Vec::new(), |path| of_file(&path))
}

/// Returns the reasons why a program may not load the hook, from its file.
pub(crate) fn of_file(path: &Path) -> Vec<BlindSpot> {
    let mut spots = Vec::new();
    if fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o6000 != 0) {
        spots.push(BlindSpot::Privileged(path.to_owned()));
    }
    let Ok(bytes) = fs::read(path) else { return spots };
    let Ok(file) = object::File::parse(&*bytes) else {
        return spots;
    };
    if file.section_by_name(".go.buildinfo").is_some() {
        spots.push(BlindSpot::Go(path.to_owned()));
    }
    // Every dynamic program has this section; a position-independent static one has segments and no interpreter.
    let interpreted = file.section_by_name(".interp").is_some();
    if !interpreted && file.segments().any(|segment| segment.size() > 0) {
        spots.push(BlindSpot::Static(path.to_owned()));
    }
    spots
}

/// Finds the blind spots of all processes that share a telemetry file.
pub(crate) struct ProcessWatch {
    telemetry: PathBuf,
    hook: PathBuf,
    /// Processes without the hook at the last call of [`Self::look`]. They may just have been starting.
    without: HashSet<i32>,
}

impl ProcessWatch {
    pub(crate) fn new(telemetry: &Path, hook: &Path) -> Self {
        Self {
            telemetry: telemetry.to_owned(),
            hook: hook.to_owned(),
            without: HashSet::new(),
        }
    }

    /// Returns the blind spots of the processes that run now.
    pub(crate) fn look(&mut self) -> Vec<BlindSpot> {
        let mut spots = Vec::new();
        let before = std::mem::take(&mut self.without);
        for process in all_processes().into_iter().flatten().flatten() {
            let environment = process.environ().unwrap_or_default();
            if environment.get(OsStr::new("READHOOK_TELEMETRY")) != Some(&self.telemetry.clone().into()) {
                continue;
            }
            for spot in of_process(&process, &self.hook) {
                if matches!(spot, BlindSpot::NotLoaded(_)) {
                    self.without.insert(process.pid);
                    if !before.contains(&process.pid) {
                        continue;
                    }
                    spots.extend(process.exe().iter().flat_map(|file| of_file(file)));
                }
                spots.push(spot);
            }
        }
        spots
    }
}

/// Returns the blind spots of a process.
pub(crate) fn of_process(process: &Process, hook: &Path) -> Vec<BlindSpot> {
    // A process that has ended meanwhile has none.
    let (Ok(maps), Ok(stat)) = (process.maps(), process.stat()) else {
        return Vec::new();
    };
    let is_tls = |part: &MemoryMap| match &part.pathname {
        MMapPath::Path(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            TLS.iter().any(|library| name.starts_with(library))
        }
        _ => false,
    };
    let mut descriptors = process.fd().into_iter().flatten().flatten();
    let has_ring = descriptors.any(|descriptor| match descriptor.target {
        FDTarget::AnonInode(name) => name.contains("[io_uring]"),
        _ => false,
    });
    let spots = [
        (!has_mapped(process, hook)).then(|| BlindSpot::NotLoaded(stat.comm.clone())),
        maps.iter().any(is_tls).then(|| BlindSpot::Tls(stat.comm.clone())),
        has_ring.then(|| BlindSpot::IoUring(stat.comm.clone())),
    ];
    spots.into_iter().flatten().collect()
}
