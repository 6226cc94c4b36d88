//! `cargo xtask run`: measures one experiment.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::container_options::ContainerOptions;
use crate::programs::{Program, find};
use crate::runs::{RunName, RunProgress};
use crate::{build, observe, paths};

/// The experiment that also lists the functions by which servers receive.
const OBSERVED: &str = "r07";

#[derive(clap::Args)]
pub(crate) struct RunCommand {
    /// Definition, as experiments/overhead.toml, or its name, as r05 [default with --macro: macro]
    #[arg(value_parser = definition, required_unless_present = "application")]
    experiment: Option<PathBuf>,
    /// Folder of the run [default: the latest unfinished run of the same definition and options, or a new one]
    #[arg(long, value_parser = paths::from_here)]
    out: Option<PathBuf>,
    #[command(flatten)]
    options: RunOptions,
}

/// Options that override the definition.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct RunOptions {
    /// Conditions, instead of the experiment's: local-pod,local-bridge,local-nodes,local-service,docker,
    /// kind,eks-pod,eks-nodes,kubernetes-pod,kubernetes-node,kubernetes-nodes
    #[arg(long, value_delimiter = ',')]
    pub(crate) conditions: Vec<String>,
    /// Conditions in any Kubernetes: pod, node or nodes, for containers in one pod, in pods on one node, in pods on different
    /// nodes
    #[arg(long, value_delimiter = ',', conflicts_with = "conditions")]
    pub(crate) topology: Vec<String>,
    /// All cells of a grid, also those of levels with full = true
    #[arg(long)]
    pub(crate) full_grid: bool,
    /// Number of launches per condition
    #[arg(long)]
    pub(crate) launches: Option<u32>,
    /// Number of rounds per launch
    #[arg(long)]
    pub(crate) rounds: Option<u64>,
    /// Order of the requests: interleaved or sequential
    #[arg(long)]
    pub(crate) schedule: Option<String>,
    /// Stop when the half-width of each contrast's 95 % interval is at most this, as 100ns or 0.2us, after at least ten launches
    #[arg(long)]
    pub(crate) precision: Option<String>,
    /// Begin no launch after this time, as 90s or 10min
    #[arg(long)]
    pub(crate) budget: Option<String>,
    /// Fail after the measurement if a launch failed one of its checks
    #[arg(long)]
    pub(crate) strict: bool,
    /// Do not watch the resources and limits of servers and load generator; the run then has no table of resources and no gate
    #[arg(long)]
    pub(crate) no_monitor: bool,
    #[command(flatten)]
    pub(crate) containers: ContainerOptions,
    /// Application instead of the experiment's server: teastore, deathstarbench, unguard, or a definition of your own
    #[arg(long = "macro", value_name = "NAME", value_parser = application, requires = "manifests")]
    pub(crate) application: Option<String>,
    /// For --macro: checkout of the application's repository, with its manifests
    #[arg(long)]
    pub(crate) manifests: Option<String>,
}

/// The file that defines an application, from its name or from the file's own path.
fn application(text: &str) -> Result<String, String> {
    let file = if text.ends_with(".yaml") {
        text.to_owned()
    } else {
        format!("clusters/macro/{text}.yaml")
    };
    if paths::root().join(&file).is_file() {
        Ok(file)
    } else {
        Err(format!(
            "there is no file {file}; the definitions are in clusters/macro/"
        ))
    }
}

impl RunOptions {
    fn given(&self, runner: Program) -> Program {
        self.containers
            .given(runner)
            .options("--conditions", &self.conditions)
            .options("--topology", &self.topology)
            .options("--launches", self.launches.map(|launches| launches.to_string()))
            .options("--rounds", self.rounds.map(|rounds| rounds.to_string()))
            .options("--schedule", &self.schedule)
            .options("--precision", &self.precision)
            .options("--budget", &self.budget)
            .options("--macro", &self.application)
            .options("--manifests", &self.manifests)
            .flag("--full-grid", self.full_grid)
            .flag("--strict", self.strict)
            .flag("--no-monitor", self.no_monitor)
    }
}

/// The path of a definition, from its path or from the name of one in experiments/.
fn definition(text: &str) -> Result<PathBuf> {
    let named = Path::new("experiments").join(text).with_extension("toml");
    if !text.contains('.') && paths::root().join(&named).is_file() {
        return Ok(named);
    }
    paths::from_here(text).with_context(|| format!("{text} is not a path"))
}

/// Builds the programs and measures.
///
/// # Errors
/// When the build or the runner fails.
pub(crate) fn run(arguments: &RunCommand) -> Result<()> {
    build::run()?;
    let with_macro = || PathBuf::from("experiments/macro.toml");
    let experiment = shortened(&arguments.experiment.clone().unwrap_or_else(with_macro));
    let folder = match &arguments.out {
        Some(folder) => folder.clone(),
        None => folder(
            &experiment,
            &title(&experiment),
            &arguments.options,
            paths::RUNS.as_ref(),
        )?,
    };
    measure(&experiment, &arguments.options, &folder)
}

/// The folder in `runs` in which this measurement continues or begins.
///
/// # Errors
/// When the definition cannot be read or `runs` cannot be listed.
pub(crate) fn folder(experiment: &Path, title: &str, options: &RunOptions, runs: &Path) -> Result<PathBuf> {
    let (folder, progress) = name(experiment, title, options)?.folder(runs)?;
    if progress == RunProgress::Continued {
        eprintln!(
            "continuing the unfinished run {}; remove it to begin a new one",
            folder.display()
        );
    }
    Ok(folder)
}

/// The name of this measurement's runs.
///
/// # Errors
/// When the definition cannot be read.
pub(crate) fn name(experiment: &Path, title: &str, options: &RunOptions) -> Result<RunName> {
    let definition = std::fs::read(experiment).with_context(|| {
        format!(
            "{} cannot be read; the definitions are in experiments/",
            experiment.display()
        )
    })?;
    let given = options.given(Program::new("runner")).shown();
    Ok(RunName::new(title, &[&definition, given.as_bytes()]))
}

/// Runs the experiment to its end; the binaries are built already.
///
/// # Errors
/// When the runner fails.
pub(crate) fn measure(experiment: &Path, options: &RunOptions, folder: &Path) -> Result<()> {
    let runner = Program::new(paths::binary("runner")).arg("run").arg(experiment);
    options
        .given(runner)
        .options("--out", [folder])
        .options("--hook", [paths::hook()])
        .run()?;
    complete(experiment, folder)
}

/// Observes the servers for the experiment that lists their receiving functions, unless that is done.
///
/// # Errors
/// When the servers cannot be observed.
pub(crate) fn complete(experiment: &Path, folder: &Path) -> Result<()> {
    if title(experiment) != OBSERVED {
        return Ok(());
    }
    if find("strace").is_none() {
        eprintln!(
            "left out: the functions by which servers receive; strace is not installed (Debian: apt-get install strace)"
        );
        return Ok(());
    }
    observe::servers(folder)
}

/// The name of a definition.
pub(crate) fn title(experiment: &Path) -> String {
    experiment
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The path from the project's folder, where it lies there, so that a recorded command line works in any clone.
fn shortened(path: &Path) -> PathBuf {
    path.strip_prefix(paths::root()).unwrap_or(path).to_owned()
}
