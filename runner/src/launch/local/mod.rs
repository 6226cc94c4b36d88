//! One launch, in the process that is alone with it: servers up, prober run, everything checked, files left in the
//! launch's folder. Whichever way this process ends, the place and all in it end with it.

pub(crate) mod child;
pub(crate) mod control_groups;
pub(crate) mod neighbour;
mod output;
pub(crate) mod process_set;
pub(crate) mod server;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use dataset::{Measure, ServerFaultKind};
use isolation::LaunchNetwork;
use model::{
    Anomaly, Arm, Experiment, LaunchPlan, LaunchRecord, LoadSummary, OBSERVATIONS_FILE, ProcessResources, Target,
    WaitMethod,
};
use monitor::ControlGroup;

use crate::launch::local::process_set::Process;
use crate::launch::local::server::{Server, starter};
use crate::launch::order::Order;
use crate::launch::record::{Before, Measured, Stopped, header};
use crate::launch::spec::LaunchSpec;
use crate::launch::stamps::Stamps;
use crate::launch::sut;
use crate::launch::telemetry::{MemoryFile, Seen as Telemetry};
use crate::launch::tight_loop;
use crate::launch::watch::{Seen, Watch};
use crate::observe::blind_spots;
use crate::proxies;
use crate::treatments::{environment, loaded, records, telemetry_records};

/// An arm while it runs.
pub(crate) struct Running<'a> {
    arm: &'a Arm,
    start_order: usize,
    pub(crate) server: Server,
    /// In the order from the prober.
    hops: Vec<Server>,
    /// What the prober connects to.
    address: SocketAddr,
    pub(crate) telemetry: Option<MemoryFile>,
    /// The server's own stamps.
    stamps: Option<MemoryFile>,
    /// What came before the measurement.
    before: Before,
    /// What it took while it was measured.
    resources: Option<ProcessResources>,
    // Kept open as long as the server may write to it.
    _log: MemoryFile,
}

/// Runs the launch; this process must be the child of one that entered the level.
pub(crate) fn run(spec: &LaunchSpec) -> Result<LaunchRecord> {
    let experiment = &spec.experiment;
    let order = spec.order(experiment)?;
    let network = LaunchNetwork::build(spec.topology, spec.level)?;
    network.enter_server_end()?;
    let mut running = Vec::new();
    for (start_order, &index) in order.start.iter().enumerate() {
        let arm = &experiment.arms[index];
        let started = Running::start(spec, experiment, &network, &order, (index, start_order));
        running.push(started.with_context(|| format!("arm {}", arm.name))?);
    }
    network.enter_client_end()?;
    let before: Vec<ProcessResources> = running.iter().map(|arm| arm.server.family.resources()).collect();
    let neighbour = experiment.neighbour.as_ref();
    let neighbour = neighbour
        .map(|neighbour| neighbour::start(neighbour, spec))
        .transpose()?;
    let plan = plan(spec, &experiment, &order, &running);
    let (summary, watched) = match probe(spec, &experiment, &plan, &running) {
        Ok(probed) => probed,
        Err(error) => return Err(culprit(&mut running)?.unwrap_or(error)),
    };
    for (arm, before) in running.iter_mut().zip(before) {
        let after = arm.server.family.resources();
        arm.resources = Some(ProcessResources {
            cpu_ns: after.cpu_ns.saturating_sub(before.cpu_ns),
            ..after
        });
    }
    let faults = neighbour::end(neighbour)?;
    // Where servers live, tight loops live too.
    network.enter_server_end()?;
    record(spec, &experiment, &order, running, (summary, faults), watched)
}

/// The server or hop that has ended, where the prober failed because one has.
fn culprit(running: &mut [Running<'_>]) -> Result<Option<anyhow::Error>> {
    for Running { arm, server, hops, .. } in running {
        for process in [server].into_iter().chain(hops) {
            if let Some(fault) = process.ended()? {
                return Ok(Some(
                    anyhow::Error::new(fault).context(format!("arm {}, while it was measured", arm.name)),
                ));
            }
        }
    }
    Ok(None)
}

impl<'a> Running<'a> {
    /// Starts the arm with this number, the next in the order, with its hops.
    pub(crate) fn start(
        spec: &LaunchSpec,
        experiment: &'a Experiment,
        network: &LaunchNetwork,
        order: &Order,
        (index, start_order): (usize, usize),
    ) -> Result<Self> {
        let arm = &experiment.arms[index];
        let capacity = telemetry_records(arm, experiment.load.rounds)?;
        let telemetry = arm
            .treatment
            .mode()
            .map(|_| MemoryFile::telemetry(capacity))
            .transpose()?;
        let log = MemoryFile::create(c"hits", b"")?;
        let stamps = experiment
            .stamps(arm)
            .then(|| MemoryFile::telemetry(records(experiment.load.rounds)?))
            .transpose()?;
        let mut start = sut::start(spec, experiment, network, (index, order.ports[index]))?;
        if let Some(stamps) = &stamps {
            start.command.extend(sut::stamping(&stamps.path));
        }
        let file = telemetry.as_ref().map(|telemetry| &*telemetry.path);
        start
            .environment
            .extend(environment(arm, &spec.hook, spec.words.as_deref(), &log.path, file));
        let group = spec.groups.arms.get(&arm.name);
        start.group = group.cloned();
        let mut server = Server::start(start).map_err(|error| {
            if group.is_some_and(was_killed) {
                error.context("killed for want of memory; raise its limit memory_bytes")
            } else {
                error
            }
        })?;
        if let Some(hook) = loaded(arm, &spec.hook)
            && !server.has_mapped(hook)
        {
            let what = not_loaded(hook, &server);
            return Err(server.fault(ServerFaultKind::NotLoaded, what).into());
        }
        let hops = proxies::start_all(spec, experiment, (index, order.load_seed), &mut server)?;
        let mut running = Self {
            arm,
            start_order,
            address: network.target_address(hops.first().unwrap_or(&server).address),
            server,
            hops,
            telemetry,
            stamps,
            before: Before::default(),
            resources: None,
            _log: log,
        };
        if !running.hops.is_empty() {
            running.until_stamped()?;
        }
        running.before = Before {
            receives: running.receives()?.unwrap_or(0),
            requests: running.stamped()?.unwrap_or(0),
        };
        Ok(running)
    }

    /// How the prober reaches it.
    pub(crate) fn target(&self) -> Target {
        self.server.at(&self.arm.name, self.address)
    }

    /// Receives of payload that the hook has seen.
    pub(crate) fn receives(&mut self) -> Result<Option<u64>> {
        let Some(telemetry) = &mut self.telemetry else {
            return Ok(None);
        };
        Ok(Some(
            Telemetry::read(&telemetry.content()?, 0, 0)?.counters.payload_receives,
        ))
    }

    /// Requests that the server has stamped.
    fn stamped(&mut self) -> Result<Option<u64>> {
        let Some(stamps) = &mut self.stamps else {
            return Ok(None);
        };
        Ok(Some(Stamps::read(&stamps.content()?, 0, 0)?.requests))
    }

    /// Waits for the stamps of the request that has passed the hops: the server leaves them when it has answered, and the
    /// answer may be here first.
    fn until_stamped(&mut self) -> Result<()> {
        let Some(stamps) = &mut self.stamps else {
            return Ok(());
        };
        self.server.until_seen("does not stamp what it has answered", |_| {
            let stamped = stamps.content().and_then(|bytes| Stamps::read(&bytes, 0, 0));
            stamped.map(|stamps| (stamps.requests > 0).then_some(())).transpose()
        })?
    }

    /// Ends hops and server, of which the latter may have been `killed` for want of memory.
    pub(crate) fn stop(&mut self, killed: bool) -> Result<()> {
        for hop in &mut self.hops {
            hop.stop(false).context("a hop")?;
        }
        self.server.stop(killed)
    }
}

/// Why a hook is not in the processes that serve.
fn not_loaded(hook: &Path, server: &Server) -> String {
    let serving: Vec<_> = server
        .serving()
        .into_iter()
        .filter(|process| !process.has_mapped(hook))
        .collect();
    let reasons: BTreeSet<String> = serving
        .iter()
        .filter_map(Process::program)
        .flat_map(|program| blind_spots::of_file(&program))
        .map(|spot| spot.to_string())
        .collect();
    let names: BTreeSet<String> = serving.iter().map(Process::name).collect();
    let names: Vec<String> = names.into_iter().collect();
    let why = if reasons.is_empty() {
        "is it a shared object for this machine?".to_owned()
    } else {
        reasons.into_iter().collect::<Vec<_>>().join("; ")
    };
    format!(
        "{} was not loaded into the server ({}); {why}",
        hook.display(),
        names.join(", ")
    )
}

/// Whether something in a group was killed for want of memory.
fn was_killed(group: &ControlGroup) -> bool {
    group.usage()[Measure::OomKills] > Some(0)
}

fn plan(spec: &LaunchSpec, experiment: &Experiment, order: &Order, running: &[Running<'_>]) -> LaunchPlan {
    let targets = order.connection.iter().filter_map(|&index| {
        let arm = running
            .iter()
            .find(|running| running.arm.name == experiment.arms[index].name)?;
        Some(arm.target())
    });
    let plan = experiment.launch_plan(targets.collect());
    LaunchPlan {
        run: spec.run.clone(),
        condition: spec.topology.name().to_owned(),
        launch: spec.launch,
        // A spinning prober would keep the arms from the only processor.
        wait: if spec.cpus.shared() {
            WaitMethod::Sleep
        } else {
            plan.wait
        },
        cpu: Some(spec.cpus.loadgen),
        seed: order.load_seed,
        output: spec.folder.join(OBSERVATIONS_FILE),
        ..plan
    }
}

/// The prober's summary, and what was used and denied meanwhile.
fn probe(
    spec: &LaunchSpec,
    experiment: &Experiment,
    plan: &LaunchPlan,
    running: &[Running<'_>],
) -> Result<(LoadSummary, Seen)> {
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
        isolation::outer_pid_of_child(child.id())?,
    )?;
    let output = child.wait_with_output().context("cannot wait for loadgen")?;
    let watched = match watch {
        Some(watch) => watch.finish(spec, &header(&spec.run, spec.condition(), spec.launch, experiment))?,
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
    (summary, ended_early): (LoadSummary, Option<Anomaly>),
    watched: Seen,
) -> Result<LaunchRecord> {
    let mut arms = Vec::new();
    for mut running in running {
        let arm = running.arm;
        running.stop(watched.killed(&arm.name))?;
        arms.push(Stopped {
            arm,
            limits: spec.groups.arms.get(&arm.name).map(|_| experiment.arm_limits(arm)),
            start_order: running.start_order,
            address: running.address,
            before: running.before,
            telemetry: running.telemetry.map(|mut file| file.content()).transpose()?,
            stamps: running.stamps.map(|mut file| file.content()).transpose()?,
            tight_loop: Vec::new(),
            resources: running.resources,
        });
    }
    for stopped in &mut arms {
        let measured = tight_loop::run(spec, experiment, stopped.arm, stopped.address);
        stopped.tight_loop = measured.with_context(|| format!("arm {} in a tight loop", stopped.arm.name))?;
    }
    let shared = spec.cpus.shared().then_some(Anomaly::SharedProcessor);
    let unlimited = spec.without_limits.clone();
    let unlimited = unlimited.map(|reason| Anomaly::LimitsNotSet { reason });
    let measured = Measured {
        run: &spec.run,
        condition: spec.condition(),
        launch: spec.launch,
        experiment,
        order,
        arms,
        summary,
        anomalies: shared.into_iter().chain(unlimited).chain(ended_early).collect(),
        watched,
    };
    measured.record(&spec.folder)
}
