//! Measures the cost of one call by mode. The function that the hook calls returns immediately, so the difference is
//! the cost of the hook.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use tempfile::TempDir;

use crate::case_times::{CaseTimes, table as lines};
use crate::command_line::HookBench;
use crate::request::REQUEST;

/// Number of batches in a process. The result is the time of the fastest batch, because a disturbance can only add
/// time.
const BATCHES: u32 = 15;

/// Path of the dynamic loader.
const LOADER: &str = if cfg!(target_arch = "aarch64") {
    "/lib/ld-linux-aarch64.so.1"
} else {
    "/lib64/ld-linux-x86-64.so.2"
};

struct HookSetting {
    name: &'static str,
    mode: Option<&'static str>,
    tracked: bool,
    hit: bool,
    log: &'static str,
    calls: u32,
}

const fn treatment(
    name: &'static str,
    mode: Option<&'static str>,
    tracked: bool,
    hit: bool,
    calls: u32,
) -> HookSetting {
    HookSetting {
        name,
        mode,
        tracked,
        hit,
        log: "log",
        calls,
    }
}

const TREATMENTS: [HookSetting; 11] = [
    treatment("bare", None, true, false, 200_000),
    treatment("forward", Some("forward"), true, false, 200_000),
    treatment("track, other descriptor", Some("track"), false, false, 200_000),
    treatment("track, socket", Some("track"), true, false, 200_000),
    treatment("scan, other descriptor", Some("scan"), false, false, 200_000),
    treatment("scan, no word", Some("scan"), true, false, 100_000),
    treatment("scan, a word", Some("scan"), true, true, 100_000),
    treatment("log, a word", Some("log"), true, true, 10_000),
    HookSetting {
        log: "ring",
        ..treatment("log to a ring, a word", Some("log"), true, true, 10_000)
    },
    treatment("upstream, no word", Some("upstream"), true, false, 10_000),
    treatment("upstream, a word", Some("upstream"), true, true, 5_000),
];

struct Programs {
    directory: TempDir,
    caller: PathBuf,
    stub: PathBuf,
}

impl Programs {
    fn build() -> Result<Self> {
        let directory = TempDir::new()?;
        let source = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("programs").join(name);
        let (caller, stub) = (directory.path().join("caller"), directory.path().join("libstub.so"));
        // -fplt makes calls go through the PLT. By default the compilers of some distributions call through the
        // global offset table.
        for (flags, out, source) in [
            (&["-O2", "-fplt"][..], &caller, source("caller.c")),
            (&["-O2", "-shared", "-fPIC"][..], &stub, source("stub.c")),
        ] {
            let status = Command::new("cc")
                .args(flags)
                .arg("-o")
                .arg(out)
                .arg(source)
                .status()
                .context("cc")?;
            ensure!(status.success(), "cc: {status}");
        }
        fs::write(directory.path().join("clean"), REQUEST)?;
        let lines = u32::from(u16::MAX) * 16;
        let ring = fs::File::create(directory.path().join("ring"))?;
        (&ring).write_all(&readhook_telemetry::log_ring_header(lines))?;
        ring.set_len(readhook_telemetry::log_ring_len(lines))?;
        // The word is in the last header, so a search has to read nearly the whole request.
        fs::write(
            directory.path().join("hit"),
            REQUEST.replace("Connection: x", "X: /webmail  "),
        )?;
        Ok(Self {
            directory,
            caller,
            stub,
        })
    }

    /// Returns the command of a process. The preloaded objects are an argument of the dynamic loader. In an
    /// environment variable they would also be loaded into the wrapper.
    fn command(
        &self,
        arguments: &HookBench,
        treatment: &HookSetting,
        wrapper: &[&str],
        batches: u32,
    ) -> Result<Command> {
        let mut preloads = self.stub.display().to_string();
        let mut words: Vec<&str> = wrapper.to_vec();
        words.push(LOADER);
        let mut command = Command::new(words[0]);
        if let Some(mode) = treatment.mode {
            let hook = arguments.hook.canonicalize().with_context(|| {
                let path = arguments.hook.display();
                format!("the hook {path} is not there; build it by `cargo xtask build`")
            })?;
            preloads = format!("{}:{preloads}", hook.display());
            command
                .env("READHOOK_MODE", mode)
                .env("READHOOK_LOG", self.directory.path().join(treatment.log));
        }
        if let Some(list) = &arguments.words {
            command.env("READHOOK_WORDS", list);
        }
        let file = self.directory.path().join(if treatment.hit { "hit" } else { "clean" });
        command
            .args(&words[1..])
            .args(["--preload", &preloads])
            .arg(&self.caller);
        command.arg(if treatment.tracked { "tracked" } else { "other" });
        command
            .args([batches.to_string(), treatment.calls.to_string()])
            .arg(file);
        Ok(command)
    }
}

/// Memory that other work touches between two calls, KiB. With the functions that it calls, it is about as much as a server uses for a
/// request, and takes about as long.
const COLD_KIB: &str = "512";
/// Calls of a batch with other work between them, and batches.
const COLD_CALLS: u32 = 200;
const COLD_BATCHES: u32 = 5;

/// Measures every treatment in every round, in fresh processes. Returns the table.
pub(crate) fn table(arguments: &HookBench) -> Result<String> {
    let programs = Programs::build()?;
    let title = format!(
        "One read of {} bytes, {} fresh processes each",
        REQUEST.len(),
        arguments.rounds
    );
    let all = measured(arguments, |treatment| {
        let output = programs.command(arguments, treatment, &[], BATCHES)?.output()?;
        let times = times(treatment, &output)?;
        Ok(times.iter().map(|(time_ns, _)| *time_ns).fold(f64::INFINITY, f64::min))
    })?;
    Ok(lines(&title, &all, "bare"))
}

/// Measures every treatment as [`table`] does, with other work before each call. Returns the table.
pub(crate) fn cold_table(arguments: &HookBench) -> Result<String> {
    let programs = Programs::build()?;
    let mut work_ns = Vec::new();
    let all = measured(arguments, |treatment| {
        let few = HookSetting {
            calls: COLD_CALLS,
            ..*treatment
        };
        let output = programs
            .command(arguments, &few, &[], COLD_BATCHES)?
            .arg(COLD_KIB)
            .output()?;
        let times = times(treatment, &output)?;
        work_ns.extend(times.iter().filter_map(|(_, work_ns)| *work_ns));
        let mut medians: Vec<f64> = times.iter().map(|(time_ns, _)| *time_ns).collect();
        medians.sort_by(f64::total_cmp);
        medians.get(medians.len() / 2).copied().context("no batch was measured")
    })?;
    let title = format!(
        "One read of {} bytes after {:.0} µs of other work, {} fresh processes each, two readings of the clock included",
        REQUEST.len(),
        work_ns.iter().sum::<f64>() / work_ns.len().max(1) as f64 / 1e3,
        arguments.rounds
    );
    Ok(lines(&title, &all, "bare"))
}

/// The times of the batches of a process, ns, each with the mean time of the other work, where there was any.
fn times(treatment: &HookSetting, output: &Output) -> Result<Vec<(f64, Option<f64>)>> {
    ensure!(output.status.success(), "{}: {}", treatment.name, output.status);
    let text = str::from_utf8(&output.stdout)?;
    let batch = |line: &str| {
        let mut numbers = line.split(' ').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next().and_then(Result::ok)))
    };
    Ok(text.lines().filter_map(batch).collect())
}

/// Measures every treatment in every round by `measure`, which returns the time of one call, ns.
fn measured(arguments: &HookBench, mut measure: impl FnMut(&HookSetting) -> Result<f64>) -> Result<Vec<CaseTimes>> {
    let mut random = Pcg64::seed_from_u64(1);
    let mut all: Vec<CaseTimes> = TREATMENTS
        .iter()
        .map(|treatment| CaseTimes {
            name: treatment.name.to_owned(),
            values_ns: Vec::new(),
        })
        .collect();
    let mut order: Vec<usize> = (0..TREATMENTS.len()).collect();
    for _ in 0..arguments.rounds {
        order.shuffle(&mut random);
        for &index in &order {
            all[index].values_ns.push(measure(&TREATMENTS[index])?);
        }
    }
    Ok(all)
}

/// Counts instructions per call with callgrind, as the difference of two runs. The count does not depend on other work
/// of the machine.
pub(crate) fn instructions(arguments: &HookBench) -> Result<String> {
    let mut text = "Instructions per call (callgrind, which has no AVX-512)\n".to_owned();
    if Command::new("valgrind").arg("--version").output().is_err() {
        text.push_str("  not counted: valgrind is not installed\n");
        return Ok(text);
    }
    let programs = Programs::build()?;
    let out = programs.directory.path().join("callgrind");
    let wrapper = [
        "valgrind",
        "--tool=callgrind",
        &format!("--callgrind-out-file={}", out.display()),
    ];
    for treatment in &TREATMENTS {
        let few = HookSetting {
            calls: 1_000,
            ..*treatment
        };
        let mut counts = [0; 2];
        for (count, batches) in counts.iter_mut().zip([0, 1]) {
            let output = programs.command(arguments, &few, &wrapper, batches)?.output()?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "{}: {said}", treatment.name);
            let collected = said
                .lines()
                .find_map(|line| line.split("Collected : ").nth(1)?.trim().parse::<u64>().ok());
            *count = collected.with_context(|| format!("callgrind said no count: {said}"))?;
        }
        let per_call = (counts[1] - counts[0]) as f64 / f64::from(few.calls);
        _ = writeln!(text, "  {:24} {per_call:8.0}", treatment.name);
    }
    Ok(text)
}
