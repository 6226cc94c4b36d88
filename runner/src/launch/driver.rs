//! The launch protocol: permute, start, wait until ready, check, measure, stop, collect. It is the same in every place.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use dataset::ServerFault;
use model::{
    Anomaly, Arm, Experiment, LaunchPlan, LaunchRecord, LimitHit, LimitKind, LoadSummary, OBSERVATIONS_FILE, Target,
    WaitMethod,
};

use super::active_arm::ActiveArm;
use super::backend::{Backend, LoadOutcome, PreMeasurementCounts, RecordRoom};
use super::context::Launch;
use super::process::{LOAD_GENERATOR, LaunchProcess};
use super::programs;
use super::record::{FinishedLaunch, StoppedArm};
use super::resource_record::{ResourceRecord, merge_hits};
use super::tight_loop;
use crate::proxies;
use crate::treatments::{Proof, TreatedServer, adapter_of, records, telemetry_records};

/// A backend and an arm: the interface that the treatment of this arm uses.
struct ArmServer<'a> {
    backend: &'a mut dyn Backend,
    arm: usize,
}

impl TreatedServer for ArmServer<'_> {
    fn require_mapped(&mut self, object: &Path) -> Result<()> {
        self.backend.require_mapped(self.arm, object)
    }
}

/// Runs a launch, writes its tables into the launch's folder, and returns its record. Nothing of the launch is left in the
/// backend, whether it succeeds or fails.
pub(crate) fn run(launch: &Launch<'_>, backend: &mut dyn Backend) -> Result<LaunchRecord> {
    let mut active = Vec::new();
    let measured = measure(launch, backend, &mut active);
    // After a failure, treatments are still attached. The first error is the one to report.
    let detached: Vec<Result<()>> = active.iter_mut().map(ActiveArm::detach).collect();
    let removed = backend.remove();
    let measured = measured?;
    detached.into_iter().collect::<Result<()>>()?;
    removed?;
    measured.record()
}

fn measure<'a>(
    launch: &'a Launch<'a>,
    backend: &mut dyn Backend,
    active: &mut Vec<ActiveArm<'a>>,
) -> Result<FinishedLaunch<'a>> {
    let experiment = launch.experiment;
    for (start_order, &index) in launch.order.start.iter().enumerate() {
        active.push(start_arm(launch, backend, start_order, index)?);
    }
    if let Some(neighbour) = &experiment.neighbour {
        let started = backend.start(LaunchProcess::Neighbour, &programs::neighbour(neighbour));
        started.context("the neighbour")?;
    }
    let (load, shared) = generate_load(launch, backend, active)?;
    let node = backend.node()?;
    let mut anomalies = backend.anomalies();
    if shared {
        anomalies.push(Anomaly::SharedProcessor);
    }
    if experiment.neighbour.is_some()
        && let Some(end) = backend.stop(LaunchProcess::Neighbour)?.ended_early
    {
        anomalies.push(Anomaly::NeighbourEnded { how: reason(&end) });
    }
    let mut resources = ResourceRecord::write(launch, load.watched)?;
    let stopped = stop_arms(launch, backend, active, &resources)?;
    let counted = load.counted.map(|counted| of_subject(LOAD_GENERATOR, counted));
    resources.hits = merge_hits(resources.hits, [counted, stopped.hits]);
    resources.hits = match (resources.hits, stopped.proxy_hits) {
        (hits, None) => hits,
        (hits, Some(more)) => Some([hits.unwrap_or_default(), more].concat()),
    };
    // Without an arm the load generator cannot succeed. Its observations until then are kept, and the launch is invalid.
    if let Some(failure) = load.failure.filter(|_| !stopped.killed) {
        bail!("{}", [&[failure][..], &resources.warnings()].concat().join("; "));
    }
    backend.fetch_observations(&launch.folder.join(OBSERVATIONS_FILE))?;
    let summary: LoadSummary =
        serde_json::from_slice(&load.printed).context("the load generator printed no summary")?;
    let mut arms = Vec::new();
    for arm in active.drain(..) {
        let name = &arm.arm.name;
        arms.push(collect_arm(launch, backend, arm).with_context(|| format!("arm {name}"))?);
    }
    for stopped in &mut arms {
        let active = &stopped.active;
        let blocks = tight_loop::run(experiment, backend, active.index, active.target.address);
        stopped.tight_loop = blocks.with_context(|| format!("arm {} in a tight loop", active.arm.name))?;
    }
    let finished = FinishedLaunch {
        launch,
        arms,
        summary,
        anomalies,
        resources,
        node,
    };
    Ok(finished)
}

/// Starts the server of an arm and then its proxies, the one next to the server first, and checks that the treatment works.
pub(crate) fn start_arm<'a>(
    launch: &Launch<'a>,
    backend: &mut dyn Backend,
    start_order: usize,
    index: usize,
) -> Result<ActiveArm<'a>> {
    let arm = &launch.experiment.arms[index];
    let started = start_server(launch, backend, start_order, index).and_then(|mut active| {
        let checked = start_proxies(launch, backend, &mut active);
        if checked.is_err() {
            // The first error is the one to report.
            _ = active.detach();
        }
        checked.map(|()| active)
    });
    started.with_context(|| format!("arm {}", arm.name))
}

fn start_server<'a>(
    launch: &Launch<'a>,
    backend: &mut dyn Backend,
    start_order: usize,
    index: usize,
) -> Result<ActiveArm<'a>> {
    let experiment = launch.experiment;
    let arm = &experiment.arms[index];
    let site = backend.server_site(index, launch.order.ports[index], record_room(experiment, arm)?)?;
    let treatment = adapter_of(arm);
    let mut start = programs::server(experiment, &backend.programs(), &site)?;
    treatment.attach(&site.treatment, &mut start);
    let address = backend.start(LaunchProcess::Server(index), &start)?;
    Ok(ActiveArm {
        index,
        arm,
        start_order,
        target: Target {
            arm: arm.name.clone(),
            address,
            namespace: None,
        },
        treatment,
        site: site.treatment,
        proof: Proof::NotNeeded,
        before: PreMeasurementCounts::default(),
        attached: true,
    })
}

/// Checks that the treatment of a started server works, and starts the proxies before it.
fn start_proxies(launch: &Launch<'_>, backend: &mut dyn Backend, active: &mut ActiveArm<'_>) -> Result<()> {
    let (experiment, index) = (launch.experiment, active.index);
    let port = launch.order.ports[index];
    let mut server = ArmServer {
        backend: &mut *backend,
        arm: index,
    };
    active.proof = active.treatment.prove_active(&active.site, &mut server)?;
    let mut address = active.target.address;
    for (number, proxy) in experiment.proxies.iter().enumerate().rev() {
        let process = LaunchProcess::Proxy { arm: index, number };
        let site = backend.proxy_site(index, number, proxies::port(experiment, port, number)?)?;
        let seeds = proxies::seeds(launch.order.load_seed, index, number);
        let start = programs::proxy(proxy, number, &backend.programs(), &site, (address, seeds))?;
        let started = backend.start(process, &start);
        address = started.with_context(|| format!("proxy {}", proxy.name()))?;
    }
    let (address, namespace) = backend.route(index, address);
    active.target.address = address;
    active.target.namespace = namespace;
    active.before = backend.counts_before(index)?;
    Ok(())
}

/// Returns how a process ended, in words.
fn reason(end: &anyhow::Error) -> String {
    match end.downcast_ref::<ServerFault>() {
        Some(fault) => format!("{}: {}; {}", fault.kind, fault.what, fault.output),
        None => format!("{end:#}"),
    }
}

fn record_room(experiment: &Experiment, arm: &Arm) -> Result<RecordRoom> {
    let rounds = experiment.load.rounds;
    let telemetry = arm.treatment.mode().map(|_| telemetry_records(arm, rounds));
    let stamps = experiment.stamps(arm).then(|| records(rounds));
    Ok(RecordRoom {
        telemetry: telemetry.transpose()?,
        stamps: stamps.transpose()?,
    })
}

/// Runs the load generator against all arms. Returns its outcome, and whether it shared a processor with the arms.
fn generate_load(
    launch: &Launch<'_>,
    backend: &mut dyn Backend,
    arms: &[ActiveArm<'_>],
) -> Result<(LoadOutcome, bool)> {
    let site = backend.load_generator()?;
    let targets = launch.order.connection.iter().filter_map(|&index| {
        let arm = arms.iter().find(|arm| arm.index == index)?;
        Some(arm.target.clone())
    });
    let plan = launch.experiment.launch_plan(targets.collect());
    let plan = LaunchPlan {
        run: launch.run.to_owned(),
        condition: launch.condition.name().to_owned(),
        launch: launch.number,
        // A load generator that spins would keep the arms from their only processor.
        wait: if site.shared { WaitMethod::Sleep } else { plan.wait },
        cpu: Some(site.processor),
        seed: launch.order.load_seed,
        output: site.observations,
        ..plan
    };
    let file = launch.folder.join("plan.json");
    fs::write(&file, serde_json::to_vec_pretty(&plan)?).with_context(|| format!("cannot write {}", file.display()))?;
    Ok((backend.generate_load(&plan, &file)?, site.shared))
}

/// The limits that were hit and the kills, found when all arms stop.
#[derive(Default)]
struct StoppedArms {
    /// Limits that the servers hit; none if nothing counts them.
    hits: Option<Vec<LimitHit>>,
    /// Limits that the proxies hit. Nothing is sampled of proxies.
    proxy_hits: Option<Vec<LimitHit>>,
    /// True if a server was killed because memory ran out.
    killed: bool,
}

fn stop_arms(
    launch: &Launch<'_>,
    backend: &mut dyn Backend,
    arms: &mut [ActiveArm<'_>],
    resources: &ResourceRecord,
) -> Result<StoppedArms> {
    let mut all = StoppedArms::default();
    for active in arms {
        active.detach()?;
        let name = &active.arm.name;
        let in_arm = || format!("arm {name}");
        for (number, proxy) in launch.experiment.proxies.iter().enumerate() {
            let process = LaunchProcess::Proxy {
                arm: active.index,
                number,
            };
            let stopped = backend.stop(process).with_context(in_arm)?;
            if let Some(end) = stopped.ended_early {
                return Err(end.context(format!("arm {name}, proxy {}", proxy.name())));
            }
            let subject = format!("{name}, proxy {}", proxy.name());
            extend(
                &mut all.proxy_hits,
                stopped.counted.map(|counted| of_subject(&subject, counted)),
            );
        }
        let stopped = backend.stop(LaunchProcess::Server(active.index)).with_context(in_arm)?;
        let of_memory = |hit: &LimitHit| hit.kind == LimitKind::OomKill;
        let killed = resources.killed(name) || stopped.counted.iter().flatten().any(of_memory);
        if let Some(end) = stopped.ended_early.filter(|_| !killed) {
            return Err(end.context(in_arm()));
        }
        all.killed |= killed;
        extend(&mut all.hits, stopped.counted.map(|counted| of_subject(name, counted)));
    }
    Ok(all)
}

fn extend(all: &mut Option<Vec<LimitHit>>, more: Option<Vec<LimitHit>>) {
    if let Some(more) = more {
        all.get_or_insert_default().extend(more);
    }
}

/// Attributes hits to the subject of this name in the record.
fn of_subject(subject: &str, hits: Vec<LimitHit>) -> Vec<LimitHit> {
    let hits = hits.into_iter().map(|hit| LimitHit {
        subject: subject.to_owned(),
        ..hit
    });
    hits.collect()
}

fn collect_arm<'a>(launch: &Launch<'a>, backend: &mut dyn Backend, active: ActiveArm<'a>) -> Result<StoppedArm<'a>> {
    let limits = launch.experiment.arm_limits(active.arm);
    Ok(StoppedArm {
        files: backend.fetch_arm(active.index)?,
        tight_loop: Vec::new(),
        limits: (backend.enforces_limits() && limits.any()).then_some(limits),
        active,
    })
}

#[cfg(test)]
mod tests;
