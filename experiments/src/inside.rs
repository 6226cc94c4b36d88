//! One launch, in the process that is alone with it: servers up, prober run, everything checked, files left in the
//! launch's folder. Whichever way this process ends, the place and all in it end with it.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clusters::Network;
use dataset::{LaunchRecord, Measure};
use loadgen::{Plan, Target, Wait};
use monitor::{Cgroup, CgroupSource, Reading, Source as _};

use crate::definition::{Arm, Experiment};
use crate::memory::MemoryFile;
use crate::order::Order;
use crate::record::{Measured, OBSERVATIONS, SHARED, Stopped, header};
use crate::server::{Server, starter};
use crate::spec::LaunchSpec;
use crate::sut;
use crate::treatment::environment;
use crate::watch::{Seen, Watch};

/// An arm while it runs.
struct Running<'a> {
    arm: &'a Arm,
    start_order: usize,
    server: Server,
    telemetry: Option<MemoryFile>,
    // Kept open as long as the server may write to it.
    _log: MemoryFile,
}

/// Runs the launch; this process must be the child of one that entered the level.
pub(crate) fn run(spec: &LaunchSpec) -> Result<LaunchRecord> {
    let experiment = spec.experiment()?;
    let order = Order::draw(experiment.seed, spec.condition(), spec.launch, experiment.arms.len());
    let network = Network::build(spec.place, spec.level)?;
    network.go_to_server()?;
    let mut running = Vec::new();
    for (start_order, &index) in order.start.iter().enumerate() {
        let port = order.ports[index];
        running.push(start(
            spec,
            &experiment,
            &experiment.arms[index],
            start_order,
            (network.server_address(), port).into(),
        )?);
    }
    network.go_to_client()?;
    let plan = plan(spec, &experiment, &order, &running);
    let (summary, watched) = probe(spec, &experiment, &plan, &running)?;
    record(spec, &experiment, &order, running, summary, watched)
}

fn start<'a>(
    spec: &LaunchSpec,
    experiment: &Experiment,
    arm: &'a Arm,
    start_order: usize,
    address: std::net::SocketAddr,
) -> Result<Running<'a>> {
    let capacity = arm.telemetry_records(experiment.load.rounds)?;
    let telemetry = arm
        .treatment
        .mode()
        .map(|_| MemoryFile::telemetry(capacity))
        .transpose()?;
    let log = MemoryFile::create(c"hits", b"")?;
    let variables = match &telemetry {
        Some(telemetry) => environment(arm, &spec.hook, spec.words.as_deref(), &log.path, &telemetry.path),
        None => Vec::new(),
    };
    let group = spec.groups.arms.get(&arm.name);
    let command = sut::command(&spec.binaries, &spec.folder, &experiment.sut, address)?;
    let server = Server::start(spec.cpus.arms, group, &variables, &command).with_context(|| {
        if group.is_some_and(was_killed) {
            format!(
                "arm {}: killed for want of memory; raise its limit memory_bytes",
                arm.name
            )
        } else {
            format!("arm {}", arm.name)
        }
    })?;
    if telemetry.is_some() && !server.has_mapped(&spec.hook)? {
        bail!(
            "arm {}: {} was not loaded into the server; is it a shared object for this machine?",
            arm.name,
            spec.hook.display()
        );
    }
    Ok(Running {
        arm,
        start_order,
        server,
        telemetry,
        _log: log,
    })
}

/// Whether something in a group was killed for want of memory.
fn was_killed(group: &Cgroup) -> bool {
    let mut reading = Reading::default();
    CgroupSource(group.clone()).read(&mut reading);
    reading.usage[Measure::OomKills] > Some(0)
}

fn plan(spec: &LaunchSpec, experiment: &Experiment, order: &Order, running: &[Running<'_>]) -> Plan {
    let targets = order.connection.iter().filter_map(|&index| {
        let arm = running
            .iter()
            .find(|running| running.arm.name == experiment.arms[index].name)?;
        Some(Target {
            arm: arm.arm.name.clone(),
            address: arm.server.address,
        })
    });
    let plan = experiment.plan(targets.collect());
    Plan {
        condition: spec.place.name().to_owned(),
        launch: spec.launch,
        // A spinning prober would keep the arms from the only processor.
        wait: if spec.cpus.shared() { Wait::Sleep } else { plan.wait },
        cpu: Some(spec.cpus.loadgen),
        seed: order.load_seed,
        output: spec.folder.join(OBSERVATIONS),
        ..plan
    }
}

/// The prober's summary, and what was used and denied meanwhile.
fn probe(
    spec: &LaunchSpec,
    experiment: &Experiment,
    plan: &Plan,
    running: &[Running<'_>],
) -> Result<(serde_json::Value, Seen)> {
    let path = spec.folder.join("plan.json");
    fs::write(&path, serde_json::to_vec_pretty(plan)?).with_context(|| format!("cannot write {}", path.display()))?;
    let child = starter(spec.groups.loadgen.as_ref())?
        .arg("--")
        .arg(spec.binaries.join("loadgen"))
        .args(["run", "--plan"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start loadgen")?;
    let arms = running
        .iter()
        .map(|running| (running.arm.name.as_str(), running.server.pid));
    let watch = Watch::start(
        spec,
        experiment.monitor,
        arms,
        clusters::outer_pid_of_child(child.id())?,
    )?;
    let output = child.wait_with_output().context("cannot wait for loadgen")?;
    let watched = match watch {
        Some(watch) => watch.finish(spec, &header(spec.condition(), spec.launch, experiment))?,
        None => Seen::default(),
    };
    // Without an arm the prober cannot end well; what it wrote up to then is kept, and the launch flagged.
    let arm_was_killed = running.iter().any(|running| watched.killed(&running.arm.name));
    if !output.status.success() && !arm_was_killed {
        let hits: String = watched.warnings().iter().map(|hit| format!("; {hit}")).collect();
        bail!("loadgen ended with {}; what it said stands above{hits}", output.status);
    }
    let summary = serde_json::from_slice(&output.stdout).context("loadgen did not print its summary")?;
    Ok((summary, watched))
}

fn record(
    spec: &LaunchSpec,
    experiment: &Experiment,
    order: &Order,
    running: Vec<Running<'_>>,
    summary: serde_json::Value,
    watched: Seen,
) -> Result<LaunchRecord> {
    let mut arms = Vec::new();
    for running in running {
        let (arm, address) = (running.arm, running.server.address);
        running.server.stop(watched.killed(&arm.name))?;
        arms.push(Stopped {
            arm,
            limits: spec.groups.arms.get(&arm.name).map(|_| experiment.arm_limits(arm)),
            start_order: running.start_order,
            address,
            telemetry: running.telemetry.map(|mut file| file.content()).transpose()?,
        });
    }
    let shared = spec.cpus.shared().then(|| SHARED.to_owned());
    let unlimited = spec
        .without_limits
        .as_ref()
        .map(|reason| format!("the limits asked for are not set: {reason}"));
    let measured = Measured {
        condition: spec.condition(),
        launch: spec.launch,
        experiment,
        order,
        arms,
        summary,
        warnings: shared.into_iter().chain(unlimited).collect(),
        watched,
    };
    measured.record(&spec.folder)
}
