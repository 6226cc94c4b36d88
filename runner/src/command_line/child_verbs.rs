//! Hidden verbs: the processes between the runner and the processes of a local launch.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use isolation::LaunchNetwork;
use model::{IsolationLevel, Topology};
use monitor::ControlGroup;

use crate::launch::driver;
use crate::launch::local::backend::LocalBackend;
use crate::launch::local::child::own;
use crate::launch::local::process_set::ProcessSet;
use crate::launch::local::spec::{LaunchSpec, LaunchTask};
use crate::{observe, preflight};

/// The command line of `runner launch` and `runner inside`.
#[derive(clap::Args)]
pub(crate) struct LaunchCommand {
    #[arg(long)]
    parent: u32,
    spec: PathBuf,
}

/// The command line of `runner try`.
#[derive(clap::Args)]
pub(crate) struct TryCommand {
    #[arg(long)]
    parent: u32,
    place: Topology,
    level: IsolationLevel,
}

/// The command line of `runner start`.
#[derive(clap::Args)]
pub(crate) struct StartCommand {
    #[arg(long)]
    parent: u32,
    #[arg(long)]
    cpu: Option<usize>,
    /// The control group, as JSON
    #[arg(long, value_parser = |text: &str| serde_json::from_str::<ControlGroup>(text))]
    group: Option<ControlGroup>,
    #[arg(long = "env")]
    environment: Vec<String>,
    #[arg(last = true)]
    command: Vec<String>,
}

/// `runner launch`: enters the isolation level and waits for the child that is in it.
pub(crate) fn launch(options: &LaunchCommand) -> Result<()> {
    isolation::die_with_parent(options.parent)?;
    let level = LaunchSpec::read(&options.spec)?.level;
    isolation::enter_namespaces(level)?;
    let status = own("inside")?
        .arg(&options.spec)
        .status()
        .context("cannot start a process in the new namespaces")?;
    if !status.success() {
        bail!("the launch ended with {status}");
    }
    Ok(())
}

/// `runner inside`: does the task of a launch and prints its result as JSON.
pub(crate) fn inside(options: &LaunchCommand) -> Result<()> {
    isolation::die_with_parent(options.parent)?;
    // Without a process namespace, a process whose parent ends would no longer be a descendant of this process.
    isolation::adopt_orphans()?;
    let spec = LaunchSpec::read(&options.spec)?;
    let result = match &spec.task {
        LaunchTask::Measure => measure(&spec),
        LaunchTask::Observe { arm, trace } => {
            let observed = observe::client_probe::run(&spec, arm, trace.as_deref());
            observed.and_then(|observed| Ok(serde_json::to_string(&observed)?))
        }
        LaunchTask::Try(arm) => preflight::run(&spec, arm).and_then(|preflight| Ok(serde_json::to_string(&preflight)?)),
    };
    ProcessSet::Descent(isolation::outer_pid()?).kill();
    println!("{}", result?);
    Ok(())
}

fn measure(spec: &LaunchSpec) -> Result<String> {
    let launch = spec.launch()?;
    let mut backend = LocalBackend::new(spec)?;
    Ok(serde_json::to_string(&driver::run(&launch, &mut backend)?)?)
}

/// `runner start`: pins itself, enters its control group, ties itself to its parent, and becomes the command.
pub(crate) fn start(options: &StartCommand) -> Result<()> {
    isolation::die_with_parent(options.parent)?;
    if let Some(cpu) = options.cpu {
        isolation::pin_to_cpu(cpu)?;
    }
    if let Some(group) = &options.group {
        isolation::join_control_group(group)?;
    }
    let Some((program, arguments)) = options.command.split_first() else {
        bail!("there is no command to start; write it after `--`")
    };
    let variables = options.environment.iter();
    let variables = variables.filter_map(|variable| variable.split_once('='));
    let error = Command::new(program).args(arguments).envs(variables).exec();
    Err(error).with_context(|| format!("cannot start {program}"))
}

/// `runner try`: enters an isolation level and sets up the network of a topology there.
pub(crate) fn try_place(options: &TryCommand) -> Result<()> {
    isolation::die_with_parent(options.parent)?;
    isolation::enter_namespaces(options.level)?;
    LaunchNetwork::build(options.place, options.level)?;
    Ok(())
}
