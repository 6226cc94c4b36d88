//! `bench observe -- CMD…`: by which functions and system calls a server accepts connections and receives payload, and
//! whether a hook sees that.

pub(crate) mod client_probe;
mod exports;
mod passive;
mod report;
mod survey;
mod trace;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use engines::Stop;
use model::{Experiment, IsolationLevel, ServerUnderTest, Topology};

use crate::command_line::units::duration_ns;
use crate::foreign_hook::experiments;
use crate::launch::installation::Setting;
use crate::launch::local::child::run_in_child;
use crate::launch::local::spec::Task;
use crate::preflight::subject::{Given, Subject};
use crate::run::availability;
use crate::signals::stop_flag;
use client_probe::ProbeResult;
use report::Report;

/// Client and server share a network namespace.
const PLACE: Topology = Topology::LocalPod;
/// Name of the trace in the launch's folder.
const TRACE: &str = "trace";

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Our own hook, a libreadhook.so
    #[arg(long)]
    own_hook: PathBuf,
    /// Would this shared object see the payload? Once per hook
    #[arg(long = "hook")]
    hooks: Vec<PathBuf>,
    /// A variable of the server's, as NAME=VALUE
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// File with the request, TOML or JSON, instead of GET / or of the server's own
    #[arg(long)]
    request: Option<PathBuf>,
    /// Port on which the server listens, where it is not told one by {port}
    #[arg(long)]
    port: Option<u16>,
    /// A ready server, such as sut/macro/nginx.toml, instead of a command
    #[arg(long, conflicts_with_all = ["command", "port"])]
    server: Option<PathBuf>,
    /// All these ready servers, the synthetic one in its call styles, and programs of which no hook sees anything
    #[arg(long, num_args = 1.., value_delimiter = ',', requires = "out", conflicts_with_all = ["server", "command", "port", "request", "hooks", "environment"])]
    servers: Vec<PathBuf>,
    /// Folder for what is observed of several servers
    #[arg(long, requires = "servers")]
    out: Option<PathBuf>,
    /// Longest time until the server answers, as 30s [default: a minute]
    #[arg(long, value_parser = duration_ns)]
    ready: Option<f64>,
    /// Folder in which the command is started [default: the present one]
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The server's command; without {port} in it and without --port it runs until it ends, and is sent nothing
    #[arg(last = true, required_unless_present_any = ["server", "servers"])]
    command: Vec<String>,
}

/// Observes and prints.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !options.own_hook.is_file() {
        bail!(
            "{} is not there; `cargo xtask build` makes it",
            options.own_hook.display()
        );
    }
    if let Some(out) = &options.out {
        return survey::run(&options.servers, &options.own_hook, out);
    }
    let told = options.port.is_some() || options.server.is_some();
    let words = options.command.iter().chain(&options.environment);
    if !told && !words.into_iter().any(|word| word.contains("{port}")) {
        return passive::run(options);
    }
    let subject = Subject::read(&Given {
        environment: &options.environment,
        request: options.request.as_deref(),
        server: options.server.as_deref(),
        command: &options.command,
        port: options.port,
        directory: options.directory.as_deref(),
        ready_ns: options.ready,
    })?;
    let stopped = stop_flag()?;
    let (hooked, traced) = Instruments::find(&options.own_hook, &stopped)?.ask(&subject)?;
    let report = Report::new(&subject.name, hooked, traced, &options.hooks)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text());
    }
    report.conclusive()
}

/// What looks at servers: our hook and strace.
struct Instruments<'a> {
    setting: Setting,
    level: IsolationLevel,
    stopped: &'a Stop,
}

impl<'a> Instruments<'a> {
    fn find(own_hook: &Path, stopped: &'a Stop) -> Result<Self> {
        let (level, _) = availability::best_level(PLACE).map_err(anyhow::Error::msg)?;
        Ok(Self {
            setting: Setting::find(Some(own_hook))?,
            level,
            stopped,
        })
    }

    /// What each sees of a server that is started anew for it; of a trace, why there is none.
    fn ask(&self, subject: &Subject) -> Result<(ProbeResult, Result<ProbeResult, String>)> {
        let folder = tempfile::tempdir().context("a folder for the server")?;
        let mut experiment = experiments::for_observing(subject);
        experiment.validate()?;
        let launch = |experiment: &Experiment, name: &str, arm: &str, trace: Option<&Path>| -> Result<ProbeResult> {
            let own = folder.path().join(name);
            std::fs::create_dir(&own)?;
            let mut spec = self.setting.launch(experiment, (PLACE, self.level), 0, &own)?;
            spec.task = Task::Observe {
                arm: arm.to_owned(),
                trace: trace.map(Path::to_owned),
            };
            run_in_child(&spec, self.stopped)
        };
        let hooked = launch(&experiment, "hooked", experiments::OWN, None)?;
        if let Some(why) = trace::missing() {
            return Ok((hooked, Err(why)));
        }
        let path = folder.path().join(TRACE);
        if let ServerUnderTest::Command(program) = &mut experiment.sut {
            program.command = trace::command(&path, &program.command);
        }
        Ok((
            hooked,
            Ok(launch(&experiment, "traced", experiments::BARE, Some(&path))?),
        ))
    }
}
