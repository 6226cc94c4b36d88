//! One launch, in the process that is alone with it: servers up, prober run, everything checked, files left in the
//! launch's folder. Whichever way this process ends, the place and all in it end with it.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clusters::Network;
use dataset::LaunchRecord;
use loadgen::{Plan, Target, Wait};

use crate::definition::{Arm, Experiment};
use crate::memory::MemoryFile;
use crate::order::Order;
use crate::record::{Measured, OBSERVATIONS, SHARED, Stopped};
use crate::server::Server;
use crate::spec::LaunchSpec;
use crate::sut;
use crate::treatment::environment;

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
    let summary = probe(spec, &plan)?;
    record(spec, &experiment, &order, running, summary)
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
        Some(telemetry) => environment(arm, &spec.hook, &log.path, &telemetry.path),
        None => Vec::new(),
    };
    let server = Server::start(
        spec.cpus.arms,
        &variables,
        &sut::command(&spec.binaries, &spec.folder, &experiment.sut, address)?,
    )
    .with_context(|| format!("arm {}", arm.name))?;
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

fn probe(spec: &LaunchSpec, plan: &Plan) -> Result<serde_json::Value> {
    let path = spec.folder.join("plan.json");
    fs::write(&path, serde_json::to_vec_pretty(plan)?).with_context(|| format!("cannot write {}", path.display()))?;
    let output = Command::new(std::env::current_exe()?)
        .args(["start", "--parent"])
        .arg(clusters::outer_pid()?.to_string())
        .arg("--")
        .arg(spec.binaries.join("loadgen"))
        .args(["run", "--plan"])
        .arg(&path)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start loadgen")?;
    if !output.status.success() {
        bail!("loadgen ended with {}; what it said stands above", output.status);
    }
    serde_json::from_slice(&output.stdout).context("loadgen did not print its summary")
}

fn record(
    spec: &LaunchSpec,
    experiment: &Experiment,
    order: &Order,
    running: Vec<Running<'_>>,
    summary: serde_json::Value,
) -> Result<LaunchRecord> {
    let mut arms = Vec::new();
    for running in running {
        let address = running.server.address;
        running.server.stop()?;
        arms.push(Stopped {
            arm: running.arm,
            start_order: running.start_order,
            address,
            telemetry: running.telemetry.map(|mut file| file.content()).transpose()?,
        });
    }
    let shared = spec.cpus.shared().then(|| SHARED.to_owned());
    let unlimited = experiment
        .has_limits()
        .then(|| format!("the limits asked for are not set: {} has none", spec.condition()));
    let measured = Measured {
        condition: spec.condition(),
        launch: spec.launch,
        experiment,
        order,
        arms,
        summary,
        warnings: shared.into_iter().chain(unlimited).collect(),
        valid: true,
    };
    measured.record(&spec.folder)
}
