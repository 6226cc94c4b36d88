//! What a preloaded library cannot see, told from a program's file and from its processes.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use object::{Object as _, ObjectSection as _, ObjectSegment as _};
use serde::{Deserialize, Serialize};

use crate::program::found;

/// Libraries that encrypt, by the beginning of their names.
const TLS: [&str; 4] = ["libssl.", "libgnutls.", "libssl3.", "libmbedtls."];

/// One reason why payload may pass unseen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "where")]
pub(crate) enum BlindSpot {
    /// No dynamic loader runs, so nothing is preloaded.
    Static(PathBuf),
    /// The Go runtime makes system calls itself.
    Go(PathBuf),
    /// The loader ignores LD_PRELOAD in set-user-id and set-group-id programs.
    Privileged(PathBuf),
    /// It receives through a ring that it shares with the kernel.
    IoUring(String),
    /// What comes over TLS is encrypted where the hook sees it.
    Tls(String),
    /// The environment was passed on, and the library is not there.
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
                    "{process}: has a TLS library; what comes over TLS is seen encrypted"
                )
            }
            Self::NotLoaded(process) => write!(formatter, "{process}: did not load the hook"),
        }
    }
}

impl BlindSpot {
    /// Whether it is so without our hook, too.
    pub(crate) fn is_of_the_server(&self) -> bool {
        !matches!(self, Self::NotLoaded(_))
    }
}

/// Why a program's file may not load the hook.
pub(crate) fn of_program(program: &Path) -> Vec<BlindSpot> {
    match found(program) {
        Some(path) => of_file(&path),
        None => Vec::new(),
    }
}

/// What its file says of a program.
pub(crate) fn of_file(path: &Path) -> Vec<BlindSpot> {
    let mut spots = Vec::new();
    if fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o6000 != 0) {
        spots.push(BlindSpot::Privileged(path.to_owned()));
    }
    let Ok(bytes) = fs::read(path) else { return spots };
    let Ok(file) = object::File::parse(&*bytes) else {
        return spots;
    };
    if file
        .sections()
        .any(|section| section.name().is_ok_and(|name| name == ".go.buildinfo"))
    {
        spots.push(BlindSpot::Go(path.to_owned()));
    }
    // Every dynamic program has this section; a position-independent static one has segments and no interpreter.
    let interpreted = file.section_by_name(".interp").is_some();
    if !interpreted && file.segments().any(|segment| segment.size() > 0) {
        spots.push(BlindSpot::Static(path.to_owned()));
    }
    spots
}

/// Looks at processes from time to time.
pub(crate) struct ProcessWatch {
    /// In the environment of every process that is looked at.
    mark: String,
    hook: PathBuf,
    /// Processes that did not have the hook when they were last looked at: they may just have been starting.
    without: HashSet<PathBuf>,
}

impl ProcessWatch {
    pub(crate) fn new(telemetry: &Path, hook: &Path) -> Self {
        Self {
            mark: format!("READHOOK_TELEMETRY={}", telemetry.display()),
            hook: hook.to_owned(),
            without: HashSet::new(),
        }
    }

    /// What is to be said of the processes that there are now.
    pub(crate) fn look(&mut self) -> Vec<BlindSpot> {
        let mut spots = Vec::new();
        let mut without = HashSet::new();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in processes.map(|entry| entry.path()) {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            if !variables.any(|variable| variable == self.mark.as_bytes()) {
                continue;
            }
            for spot in of_process(&process, &self.hook) {
                if matches!(spot, BlindSpot::NotLoaded(_)) {
                    without.insert(process.clone());
                    if !self.without.contains(&process) {
                        continue;
                    }
                    let file = fs::read_link(process.join("exe"));
                    spots.extend(file.iter().flat_map(|file| of_file(file)));
                }
                spots.push(spot);
            }
        }
        self.without = without;
        spots
    }
}

/// What is to be said of a process, given its folder in /proc.
pub(crate) fn of_process(process: &Path, hook: &Path) -> Vec<BlindSpot> {
    // A process that ends meanwhile has nothing more to say.
    let (Ok(maps), Ok(name)) = (
        fs::read_to_string(process.join("maps")),
        fs::read_to_string(process.join("comm")),
    ) else {
        return Vec::new();
    };
    let name = name.trim().to_owned();
    let mapped = |beginning: &str| {
        maps.lines().any(|line| {
            let file = line.rsplit('/').next().unwrap_or_default();
            line.contains('/') && file.starts_with(beginning)
        })
    };
    let mut spots = Vec::new();
    if !maps.lines().any(|line| line.ends_with(&*hook.to_string_lossy())) {
        spots.push(BlindSpot::NotLoaded(name.clone()));
    }
    if TLS.iter().any(|library| mapped(library)) {
        spots.push(BlindSpot::Tls(name.clone()));
    }
    let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let rings = descriptors.filter(|entry| {
        fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().contains("[io_uring]"))
    });
    if rings.count() > 0 {
        spots.push(BlindSpot::IoUring(name));
    }
    spots
}
