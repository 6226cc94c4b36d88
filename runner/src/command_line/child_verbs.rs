//! Hidden verbs: the processes between the runner and the processes of a local launch.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
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

/// `runner launch`: enters the isolation level and waits for the child that is in it.
pub(crate) fn launch(parent: u32, spec: &Path) -> Result<()> {
    isolation::die_with_parent(parent)?;
    let level = LaunchSpec::read(spec)?.level;
    isolation::enter_namespaces(level)?;
    let status = own("inside")?
        .arg(spec)
        .status()
        .context("cannot start a process in the new namespaces")?;
    if !status.success() {
        bail!("the launch ended with {status}");
    }
    Ok(())
}

/// `runner inside`: does the task of a launch and prints its result as JSON.
pub(crate) fn inside(parent: u32, spec: &Path) -> Result<()> {
    isolation::die_with_parent(parent)?;
    // At the level without process namespaces, nothing else would find them again.
    isolation::adopt_orphans()?;
    let spec = LaunchSpec::read(spec)?;
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
pub(crate) fn start(
    parent: u32,
    cpu: Option<usize>,
    group: Option<&ControlGroup>,
    environment: &[String],
    command: &[String],
) -> Result<()> {
    isolation::die_with_parent(parent)?;
    if let Some(cpu) = cpu {
        isolation::pin_to_cpu(cpu)?;
    }
    if let Some(group) = group {
        isolation::join_control_group(group)?;
    }
    let Some((program, arguments)) = command.split_first() else {
        bail!("there is no command to start; write it after `--`")
    };
    let variables = environment.iter().filter_map(|variable| variable.split_once('='));
    let error = Command::new(program).args(arguments).envs(variables).exec();
    Err(error).with_context(|| format!("cannot start {program}"))
}

/// `runner try`: enters an isolation level and sets up the network of a topology there.
pub(crate) fn try_place(parent: u32, place: Topology, level: IsolationLevel) -> Result<()> {
    isolation::die_with_parent(parent)?;
    isolation::enter_namespaces(level)?;
    LaunchNetwork::build(place, level)?;
    Ok(())
}
