//! The processes between the runner and a launch, each tied to the one that started it.
//!
//! `bench run` starts `bench launch`, which enters the level, and starts `bench inside`, which is then alone in its
//! process namespace with what it starts. A kill of any of them ends all below it.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use isolation::LaunchNetwork;
use model::{IsolationLevel, Topology};
use monitor::ControlGroup;

use crate::launch::local::process_set::Family;
use crate::launch::spec::{LaunchSpec, Task};
use crate::observe;
use crate::preflight;

/// Starts the process in which a launch happens; what the launch came to is on its standard output.
pub(crate) fn launch(spec: &Path) -> Result<Child> {
    own("launch")?
        .arg(spec)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start a launch")
}

/// `bench launch`: enters the level and waits for the child that is in it.
pub(crate) fn enter(parent: u32, spec: &Path) -> Result<()> {
    isolation::die_with_parent(parent)?;
    let level = read(spec)?.level;
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

/// `bench inside`: runs the launch and prints its record.
pub(crate) fn run(parent: u32, spec: &Path) -> Result<()> {
    isolation::die_with_parent(parent)?;
    // At the level without process namespaces, nothing else would find them again.
    isolation::adopt_orphans()?;
    let spec = read(spec)?;
    let result = match &spec.task {
        Task::Measure => super::run(&spec).and_then(|record| Ok(serde_json::to_string(&record)?)),
        Task::Observe { arm, trace } => observe::client_probe::run(&spec, arm, trace.as_deref())
            .and_then(|asked| Ok(serde_json::to_string(&asked)?)),
        Task::Try(arm) => preflight::run(&spec, arm).and_then(|trial| Ok(serde_json::to_string(&trial)?)),
    };
    for process in Family::Descent(isolation::outer_pid()?).processes() {
        process.kill();
    }
    println!("{}", result?);
    Ok(())
}

/// `bench start`: pins itself, enters its control group, ties itself to its parent, and becomes the command.
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
        bail!("no command to start")
    };
    let variables = environment.iter().filter_map(|variable| variable.split_once('='));
    let error = Command::new(program).args(arguments).envs(variables).exec();
    Err(error).with_context(|| format!("cannot start {program}"))
}

/// Whether a place can be had at a level: tried in a process of its own.
pub(crate) fn try_place(place: Topology, level: IsolationLevel) -> Result<(), String> {
    let tried = own("try").and_then(|mut command| {
        Ok(command
            .arg(place.name())
            .arg(level.name())
            .stdin(Stdio::null())
            .output()?)
    });
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr)
            .trim()
            .trim_start_matches("Error: ")
            .to_owned()),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// `bench try`: enters the level and builds the place, or says why not.
pub(crate) fn enter_and_build(parent: u32, place: Topology, level: IsolationLevel) -> Result<()> {
    isolation::die_with_parent(parent)?;
    isolation::enter_namespaces(level)?;
    LaunchNetwork::build(place, level)?;
    Ok(())
}

/// The record that a launch printed, once it has ended.
pub(crate) fn output(child: &mut Child) -> Result<String> {
    let mut text = String::new();
    let stdout = child.stdout.as_mut().context("a launch without output")?;
    stdout.read_to_string(&mut text)?;
    Ok(text)
}

fn own(verb: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program's own file")?);
    command
        .arg(verb)
        .arg("--parent")
        .arg(isolation::outer_pid()?.to_string());
    Ok(command)
}

fn read(spec: &Path) -> Result<LaunchSpec> {
    let text = std::fs::read_to_string(spec).with_context(|| format!("cannot read {}", spec.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no launch", spec.display()))
}
