//! Sampling what this container's program uses and is denied, by a process beside it: nothing goes out of the container
//! while it is measured.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use agent::Sampled;
use anyhow::{Context as _, Result, bail};
use dataset::Subject;
use monitor::{Cgroup, CgroupSource, Monitor, NodeSource, ProcessSource, Reading, Source, Watched};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use crate::ask;
use crate::first::Signals;
use crate::processor::{self, Processor};

/// What the sampler says when it has taken its first sample.
const BEGUN: &str = "watching";
/// How long it may take to write what it has.
const WRITING: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Whom {
    #[command(flatten)]
    subject: Which,
    /// And the machine, by this name
    #[arg(long)]
    node: Option<String>,
}

/// What runs in this container.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The server of the arm of this name
    #[arg(long)]
    arm: Option<String>,
    /// A neighbour
    #[arg(long)]
    neighbour: bool,
    /// The prober, which will be this program
    #[arg(long)]
    program: Option<PathBuf>,
}

fn number(work: &Path) -> PathBuf {
    work.join("sampler.json")
}

fn samples(work: &Path) -> PathBuf {
    work.join("samples.json")
}

/// Starts the sampler, which outlives this process.
pub(crate) fn begin(work: &Path, whom: &Whom) -> Result<()> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(own);
    command.arg("--work").arg(work).arg("sample");
    for (flag, value) in [("--arm", &whom.subject.arm), ("--node", &whom.node)] {
        command.args(value.iter().flat_map(|value| [flag, value]));
    }
    command.args(whom.subject.neighbour.then_some("--neighbour"));
    command.args(
        whom.subject
            .program
            .iter()
            .flat_map(|path| [Path::new("--program"), path]),
    );
    // What it inherits of ours would keep whoever waits for this process.
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut sampler = command.spawn().context("cannot start the sampler")?;
    let mut said = String::new();
    let output = sampler.stdout.take().context("a sampler without output")?;
    BufReader::new(output).read_line(&mut said)?;
    if said.trim_end() != BEGUN {
        let mut why = String::new();
        if let Some(mut errors) = sampler.stderr.take() {
            errors.read_to_string(&mut why)?;
        }
        bail!("cannot sample: {}", why.trim());
    }
    ask::replace(&number(work), &sampler.id())
}

/// As the sampler.
pub(crate) fn run(work: &Path, whom: &Whom) -> Result<()> {
    let place = processor::confine(Processor::Aside)?;
    let signals = Signals::block()?;
    let monitor = Monitor::start(watched(work, whom)?, || {})?;
    println!("{BEGUN}");
    signals.idle()?;
    let watching = monitor.finish()?;
    let ahead_ns = now_ns(ClockId::CLOCK_REALTIME)? - now_ns(ClockId::CLOCK_MONOTONIC)?;
    let sampled = Sampled {
        watching,
        place,
        ahead_ns,
    };
    ask::replace(&samples(work), &sampled)
}

/// Ends the sampler and prints what it has.
pub(crate) fn end(work: &Path) -> Result<()> {
    let path = number(work);
    let text = fs::read_to_string(&path).context("nothing is sampled here: `agent watch` begins it")?;
    let sampler = Pid::from_raw(serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?);
    kill(sampler, Signal::SIGTERM).context("the sampler has ended too early")?;
    let asked = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(samples(work)) {
            println!("{text}");
            return Ok(());
        }
        if asked.elapsed() > WRITING {
            bail!("the sampler does not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn watched(work: &Path, whom: &Whom) -> Result<Vec<Watched>> {
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    // Of the whole container, and more exact than what is known of a process.
    if let Ok(group) = Cgroup::of_process(std::process::id()) {
        sources.push(Box::new(CgroupSource(group)));
    }
    let subject = if let Some(program) = &whom.subject.program {
        let program = program.clone();
        sources.push(Box::new(Awaited { program, found: None }));
        Subject::Loadgen
    } else {
        let process = ProcessSource::new(ask::read(work)?.pid.cast_unsigned());
        match &whom.subject.arm {
            Some(arm) => {
                sources.push(Box::new(process?));
                Subject::Arm(arm.clone())
            }
            None => {
                // A neighbour may have ended, which is told in the end.
                sources.extend(process.map(|process| Box::new(process) as Box<dyn Source>));
                Subject::Neighbour
            }
        }
    };
    let mut watched = vec![Watched { subject, sources }];
    watched.extend(whom.node.iter().map(|name| Watched {
        subject: Subject::Node(name.clone()),
        sources: vec![Box::new(NodeSource)],
    }));
    Ok(watched)
}

/// A program that is started after the sampling.
struct Awaited {
    program: PathBuf,
    found: Option<ProcessSource>,
}

impl Awaited {
    fn find(&self) -> Option<ProcessSource> {
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_it = |pid: &u32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path == self.program);
        ProcessSource::new(numbers.find(is_it)?).ok()
    }
}

impl Source for Awaited {
    fn read(&mut self, reading: &mut Reading) -> bool {
        if self.found.is_none() {
            self.found = self.find();
        }
        self.found.as_mut().is_none_or(|process| process.read(reading))
    }
}

fn now_ns(clock: ClockId) -> Result<i64> {
    let now = clock_gettime(clock).context("cannot ask for the time")?;
    Ok(now.tv_sec() * 1_000_000_000 + now.tv_nsec())
}
