//! Sampling of the resources of this container's program, by a process beside it. No data leaves the container while it is
//! measured.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use agent::ContainerRecording;
use anyhow::{Context as _, Result, bail};
use model::ResourceSubject;
use monitor::{ControlGroup, Monitor, MonitoredSubject, NodeSource, ProcessSource, UsageReading, UsageSource};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use crate::placement::{self, ProcessorChoice};
use crate::process_one::Signals;
use crate::requests;

/// The line that the sampler prints after its first sample.
const STARTED: &str = "sampling";
/// Longest time for the sampler to write its recording.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SamplingOptions {
    #[command(flatten)]
    program: SampledProgram,
    /// Sample the machine too, under this name
    #[arg(long)]
    node: Option<String>,
}

/// The program of this container.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct SampledProgram {
    /// The server of the arm of this name
    #[arg(long)]
    arm: Option<String>,
    /// A neighbour
    #[arg(long)]
    neighbour: bool,
    /// The load generator, by the path of its program, which starts later
    #[arg(long)]
    program: Option<PathBuf>,
}

fn sampler_path(work: &Path) -> PathBuf {
    work.join("sampler.json")
}

fn recording_path(work: &Path) -> PathBuf {
    work.join("samples.json")
}

/// Starts the sampler, which outlives this process.
pub(crate) fn start(work: &Path, options: &SamplingOptions) -> Result<()> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let SamplingOptions { program, node } = options;
    let mut command = Command::new(own);
    command.arg("--work").arg(work).arg("sample");
    for (flag, value) in [("--arm", &program.arm), ("--node", node)] {
        command.args(value.iter().flat_map(|value| [flag, value]));
    }
    command.args(program.neighbour.then_some("--neighbour"));
    let path = program.program.iter();
    command.args(path.flat_map(|path| [Path::new("--program"), path]));
    // Inherited streams would keep open the streams of the process that waits for this one.
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut sampler = command.spawn().context("cannot start the sampler")?;
    let mut line = String::new();
    let output = sampler.stdout.take().context("a sampler without output")?;
    BufReader::new(output).read_line(&mut line)?;
    if line.trim_end() != STARTED {
        let mut reason = String::new();
        if let Some(mut errors) = sampler.stderr.take() {
            errors.read_to_string(&mut reason)?;
        }
        bail!("cannot sample: {}", reason.trim());
    }
    requests::replace(&sampler_path(work), &sampler.id())
}

/// Runs as the sampler.
pub(crate) fn run(work: &Path, options: &SamplingOptions) -> Result<()> {
    let placement = placement::confine(ProcessorChoice::Between)?;
    let signals = Signals::block()?;
    let monitor = Monitor::start(subjects(work, options)?, || {})?;
    println!("{STARTED}");
    signals.idle()?;
    let recording = ContainerRecording {
        recording: monitor.finish()?,
        placement,
        realtime_offset_ns: now_ns(ClockId::CLOCK_REALTIME)? - now_ns(ClockId::CLOCK_MONOTONIC)?,
    };
    requests::replace(&recording_path(work), &recording)
}

/// Ends the sampler and prints its recording.
pub(crate) fn stop(work: &Path) -> Result<()> {
    let path = sampler_path(work);
    let text = fs::read_to_string(&path).context("no sampler runs here: `agent start-sampling` starts it")?;
    let sampler = serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
    kill(Pid::from_raw(sampler), Signal::SIGTERM).context("the sampler has ended too early")?;
    let began = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(recording_path(work)) {
            println!("{text}");
            return Ok(());
        }
        if began.elapsed() > WRITE_TIMEOUT {
            bail!("the sampler has not ended after {} s", WRITE_TIMEOUT.as_secs());
        }
        thread::sleep(requests::POLL_INTERVAL);
    }
}

fn subjects(work: &Path, options: &SamplingOptions) -> Result<Vec<MonitoredSubject>> {
    let mut sources: Vec<Box<dyn UsageSource>> = Vec::new();
    // The group counts the whole container, and more exactly than /proc counts a process.
    if let Ok(group) = ControlGroup::of_process(std::process::id()) {
        sources.push(Box::new(group));
    }
    let SampledProgram { arm, program, .. } = &options.program;
    let subject = if let Some(program) = program {
        sources.push(Box::new(FutureProcess {
            program: program.clone(),
            process: None,
        }));
        ResourceSubject::Loadgen
    } else {
        let process = ProcessSource::new(requests::read_report(work)?.pid.cast_unsigned());
        match arm {
            Some(arm) => {
                sources.push(Box::new(process?));
                ResourceSubject::Arm(arm.clone())
            }
            None => {
                // A neighbour may have ended, which its status says.
                sources.extend(process.map(|process| Box::new(process) as Box<dyn UsageSource>));
                ResourceSubject::Neighbour
            }
        }
    };
    let mut subjects = vec![MonitoredSubject { subject, sources }];
    subjects.extend(options.node.iter().map(|name| MonitoredSubject {
        subject: ResourceSubject::Node(name.clone()),
        sources: vec![Box::new(NodeSource)],
    }));
    Ok(subjects)
}

/// A process that starts after the sampling.
struct FutureProcess {
    program: PathBuf,
    process: Option<ProcessSource>,
}

impl FutureProcess {
    fn find(&self) -> Option<ProcessSource> {
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let runs = |pid: &u32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path == self.program);
        ProcessSource::new(numbers.find(runs)?).ok()
    }
}

impl UsageSource for FutureProcess {
    fn read(&mut self, reading: &mut UsageReading) -> bool {
        if self.process.is_none() {
            self.process = self.find();
        }
        self.process.as_mut().is_none_or(|process| process.read(reading))
    }
}

fn now_ns(clock: ClockId) -> Result<i64> {
    let now = clock_gettime(clock).context("cannot read a clock")?;
    Ok(now.tv_sec() * 1_000_000_000 + now.tv_nsec())
}
