//! One launch, in the process that is alone with it: servers up, prober run, everything checked, files left in the
//! launch's folder. Whichever way this process ends, the place and all in it end with it.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clusters::Network;
use dataset::{ArmRecord, Coverage, FileHeader, LaunchRecord};
use loadgen::{Plan, Target, Wait};

use crate::definition::{Arm, Experiment};
use crate::memory::{MemoryFile, Seen};
use crate::order::Order;
use crate::server::Server;
use crate::spec::LaunchSpec;
use crate::sut;
use crate::treatment::environment;

/// Name of the observations in the launch's folder.
pub(crate) const OBSERVATIONS: &str = "observations.parquet";
/// Name of the hook's calls there.
pub(crate) const HOOK_CALLS: &str = "hook_calls.parquet";

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
    let order = Order::draw(experiment.seed, spec.place, spec.launch, experiment.arms.len());
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
    let capacity = if arm.has_records() {
        u32::try_from(experiment.load.rounds)?.saturating_mul(2)
    } else {
        0
    };
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
        &sut::command(spec, &experiment.sut, address)?,
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
    let mut warnings: Vec<String> = summary["warnings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|warning| Some(warning.as_str()?.to_owned()))
        .collect();
    if spec.cpus.shared() {
        warnings.push("prober and arms share the only processor".to_owned());
    }
    let mut valid = !summary["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|check| check["verdict"] == "failed");
    let mut arms = Vec::new();
    let mut calls = Vec::new();
    for Running {
        arm,
        start_order,
        server,
        telemetry,
        _log,
    } in running
    {
        let address = server.address.to_string();
        let requests_sent = summary["requests_sent"][&arm.name].as_u64().unwrap_or(0);
        server.stop()?;
        let seen = match telemetry {
            Some(mut file) => Some(Seen::read(&file.content()?, experiment.load.warm_up_rounds)?),
            None => None,
        };
        let coverage = seen.as_ref().map(|seen| Coverage::of(&seen.counters));
        let expected = sut::receives(&experiment.sut, requests_sent);
        if let Some(receives) = coverage.as_ref().map(|coverage| coverage.payload_receives)
            && !expected.contains(&receives)
        {
            valid = false;
            warnings.push(format!(
                "{}: the hook saw {receives} receives, expected at least {} and at most {}",
                arm.name,
                expected.start(),
                expected.end()
            ));
        }
        let connected = order
            .connection
            .iter()
            .position(|&index| experiment.arms[index].name == arm.name);
        arms.push(ArmRecord {
            arm: arm.name.clone(),
            treatment: arm.treatment.name().to_owned(),
            start_order: u32::try_from(start_order)?,
            connection_order: u32::try_from(connected.unwrap_or_default())?,
            address,
            hook_mapped: arm.treatment.mode().map(|_| true),
            requests_sent,
            telemetry: seen.as_ref().and_then(|seen| seen.summary),
            coverage,
        });
        let index = experiment.arms.iter().position(|other| other.name == arm.name);
        let records = seen.into_iter().flat_map(|seen| seen.records);
        calls.extend(records.map(|record| (index.unwrap_or_default(), record)));
    }
    arms.sort_by_key(|record| experiment.arms.iter().position(|arm| arm.name == record.arm));
    if !calls.is_empty() {
        calls.sort_by_key(|(arm, record)| (*arm, record.sequence));
        let header = FileHeader {
            condition: spec.place.name().to_owned(),
            launch: spec.launch,
            arms: experiment.arms.iter().map(|arm| arm.name.clone()).collect(),
        };
        dataset::write_hook_calls(&spec.folder.join(HOOK_CALLS), &header, &calls)?;
    }
    Ok(LaunchRecord {
        condition: spec.place.name().to_owned(),
        launch: spec.launch,
        file: format!("observations/{}.parquet", spec.stem()),
        hook_calls: (!calls.is_empty()).then(|| format!("hook_calls/{}.parquet", spec.stem())),
        arms,
        loadgen: summary,
        valid,
        warnings,
    })
}
