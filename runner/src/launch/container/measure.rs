//! What happens in a launch's containers, once they run.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use agent::{CpuPlacement, STAMPS, TELEMETRY};
use anyhow::{Context, Result, bail};
use dataset::Usage;
use engines::{Image, RunningContainers};
use model::{
    Anomaly, Arm, LaunchPlan, LimitHit, LimitKind, LoadSummary, OBSERVATIONS_FILE, ResourceLimits, Target, WaitMethod,
};
use monitor::limit_hits_between;

use super::agent_requests::{self, PATIENCE};
use super::cluster_metrics::Scraping;
use super::resource_samples::{Sampling, judged};
use super::{Job, LOADGEN, NEIGHBOUR, agent_client, container, fetch, image};
use crate::launch::order::Order;
use crate::launch::record::{Before, Measured, Stopped};
use crate::launch::watch::Seen;
use crate::proxies;
use crate::treatments::loaded;

/// Where arms are reached, by their number in the experiment.
pub(super) type Addresses = BTreeMap<usize, SocketAddr>;

/// An arm while it runs.
pub(super) struct Started<'a> {
    index: usize,
    pub(super) arm: &'a Arm,
    start_order: usize,
    pub(super) container: String,
    address: SocketAddr,
    pub(super) place: CpuPlacement,
    /// What was used before the first request.
    before: Usage,
    /// The same of its hops, in the order from the prober.
    hops_before: Vec<Usage>,
}

/// What the prober left.
pub(super) struct Probed {
    pub(super) summary: LoadSummary,
    /// Why it failed, if it did.
    pub(super) failure: Option<String>,
    /// Which limits it hit.
    pub(super) hits: Vec<LimitHit>,
    /// What was sampled of it and of the arms.
    pub(super) sampled: Seen,
    /// Whether it shared its processor with the arms.
    shared: bool,
}

/// What an arm left.
struct Left<'a> {
    stopped: Stopped<'a>,
    container: String,
    /// Which limits it hit.
    hits: Vec<LimitHit>,
    /// Which limits its hops hit, of which nothing is sampled.
    hop_hits: Vec<LimitHit>,
    /// Whether it was killed for want of memory.
    killed: bool,
}

impl Job<'_> {
    /// Starts to ask when all containers run, and ends when all that is to be kept has been fetched.
    pub(super) fn measure<'a>(&'a self, running: &dyn RunningContainers, order: &'a Order) -> Result<Measured<'a>> {
        let mut started = Vec::new();
        for (start_order, &index) in order.start.iter().enumerate() {
            let arm = self.started(running, order, (start_order, index));
            started.push(arm.with_context(|| format!("arm {}", self.experiment.arms[index].name))?);
        }
        let neighbour = self.experiment.neighbour.as_ref();
        if let Some(neighbour) = neighbour {
            let started = agent_client::start(running, NEIGHBOUR, &agent_requests::neighbour(neighbour), PATIENCE);
            started.context("the neighbour")?;
        }
        let addresses = started.iter().map(|arm| (arm.index, arm.address)).collect();
        let probed = self.probe(running, order, &addresses, &started, None)?;
        let stopped_early = neighbour.map_or(Ok(None), |_| agent_client::stop(running, NEIGHBOUR))?;
        let ended_early = stopped_early.map(|how| Anomaly::NeighbourEnded { how });
        let mut left = Vec::new();
        for arm in started {
            let name = &arm.arm.name;
            left.push(self.stopped(running, arm).with_context(|| format!("arm {name}"))?);
        }
        let counted = left.iter().flat_map(|arm| arm.hits.iter().cloned());
        let mut watched = judged(probed.sampled, probed.hits.into_iter().chain(counted));
        let hits = watched.hits.get_or_insert_default();
        hits.extend(left.iter().flat_map(|arm| arm.hop_hits.iter().cloned()));
        // Without an arm the prober cannot end well; what it wrote up to then is kept, and the launch flagged.
        let killed = left.iter().any(|arm| arm.killed);
        if let Some(failure) = probed.failure.filter(|_| !killed) {
            bail!("{}", [&[failure][..], &watched.warnings()].concat().join("; "));
        }
        self.fetch(running)?;
        let mut arms = Vec::new();
        for Left {
            mut stopped, container, ..
        } in left
        {
            if let Some(loop_request) = self.tight_loop(stopped.arm, stopped.address)? {
                let blocks = agent_client::tight_loop(running, &container, &loop_request);
                stopped.tight_loop = blocks.with_context(|| format!("arm {} in a tight loop", stopped.arm.name))?;
            }
            arms.push(stopped);
        }
        Ok(Measured {
            run: self.run,
            condition: self.condition,
            launch: self.owner.launch,
            experiment: self.experiment,
            order,
            arms,
            summary: probed.summary,
            anomalies: (probed.shared.then_some(Anomaly::SharedProcessor).into_iter())
                .chain(ended_early)
                .collect(),
            watched,
        })
    }

    /// Takes the observations out of the prober's container.
    pub(super) fn fetch(&self, running: &dyn RunningContainers) -> Result<()> {
        let observations = Path::new(Image::WORK).join(OBSERVATIONS_FILE);
        fetch::file(running, LOADGEN, &observations, &self.folder.join(OBSERVATIONS_FILE))
    }

    /// Starts an arm's server and then its hops, the last first; looks whether the hook is in the server.
    fn started<'a>(
        &'a self,
        running: &dyn RunningContainers,
        order: &Order,
        (start_order, index): (usize, usize),
    ) -> Result<Started<'a>> {
        let arm = &self.experiment.arms[index];
        let (container, told) = (container(index), order.ports[index]);
        let port = self.port(told);
        let server = agent_client::serve(running, &container, &self.server(arm, port)?, self.patience())?;
        if let Some(hook) = loaded(&image::arm(self.experiment, arm), Path::new(Image::HOOK))
            && !agent_client::has_mapped(running, &container, &hook.to_string_lossy(), port)?
        {
            bail!(
                "the hook was not loaded into the server; is it a shared object for the engine's machine? {}",
                running.log(&container)?.trim()
            );
        }
        let mut address = SocketAddr::from((running.address(&container)?, port));
        let mut hops_before = Vec::new();
        for (number, kind) in self.experiment.proxies.iter().enumerate().rev() {
            let (hop, port) = (super::hop(index, number), proxies::port(self.experiment, told, number)?);
            let seed = proxies::seed(order.load_seed, index, number);
            let started = agent_client::serve(running, &hop, &self.hop(number, port, address, seed)?, PATIENCE);
            started.with_context(|| format!("hop {}", kind.name()))?;
            hops_before.push(agent_client::usage(running, &hop)?);
            address = (running.address(&hop)?, port).into();
        }
        hops_before.reverse();
        Ok(Started {
            index,
            arm,
            start_order,
            address,
            place: server.placement,
            before: agent_client::usage(running, &container)?,
            hops_before,
            container,
        })
    }

    /// Stops an arm's hops and its server, and fetches what hook and server left.
    fn stopped<'a>(&self, running: &dyn RunningContainers, arm: Started<'a>) -> Result<Left<'a>> {
        let mut hop_hits = Vec::new();
        for (number, kind) in self.experiment.proxies.iter().enumerate() {
            let hop = super::hop(arm.index, number);
            let subject = format!("{}, hop {}", arm.arm.name, kind.name());
            let after = agent_client::usage(running, &hop)?;
            hop_hits.extend(limit_hits_between(&subject, Some(&arm.hops_before[number]), &after));
            if let Some(ended) = agent_client::stop(running, &hop)? {
                bail!("the hop {} {ended} before it was asked to", kind.name());
            }
        }
        let (limits, stamped) = (self.experiment.arm_limits(arm.arm), self.experiment.stamps(arm.arm));
        let left = stopped(running, arm, limits, stamped)?;
        Ok(Left { hop_hits, ..left })
    }

    fn plan(&self, order: &Order, addresses: &Addresses, place: &CpuPlacement, shared: bool) -> LaunchPlan {
        let targets = order.connection.iter().filter_map(|index| {
            Some(Target {
                arm: self.experiment.arms[*index].name.clone(),
                address: *addresses.get(index)?,
                namespace: None,
            })
        });
        let plan = self.experiment.launch_plan(targets.collect());
        LaunchPlan {
            run: self.run.to_owned(),
            condition: self.condition.name().to_owned(),
            launch: self.owner.launch,
            // A spinning prober would keep the arms from the only processor.
            wait: if shared { WaitMethod::Sleep } else { plan.wait },
            cpu: Some(place.processor),
            seed: order.load_seed,
            output: Path::new(Image::WORK).join(OBSERVATIONS_FILE),
            ..plan
        }
    }

    /// Sends the requests; resources are watched meanwhile, of the arms that were started as containers of the launch by
    /// us, of others by the cluster.
    pub(super) fn probe(
        &self,
        running: &dyn RunningContainers,
        order: &Order,
        addresses: &Addresses,
        started: &[Started<'_>],
        scraping: Option<Scraping<'_>>,
    ) -> Result<Probed> {
        let place = agent_client::place(running, LOADGEN)?;
        let before = agent_client::usage(running, LOADGEN)?;
        let shared = started.iter().any(|arm| arm.place == place);
        let line = agent_client::line(&self.plan(order, addresses, &place, shared))?;
        let sampling = self
            .experiment
            .monitor
            .then(|| Sampling::begin(running, (started, self.experiment.neighbour.is_some()), &place))
            .transpose()?;
        fs::write(self.folder.join("plan.json"), &line).context("cannot write the prober's plan")?;
        let mut summary = Vec::new();
        let ended = running.exec(LOADGEN, &[Image::LOADGEN, "run", "--plan", "-"], &line, &mut summary)?;
        let failure =
            (ended.code != 0).then(|| format!("loadgen ended with {}; what it said stands above", ended.code));
        // What ended the prober early may keep the rest from being told: the first failure is the one to report.
        let because = |error: anyhow::Error| match &failure {
            Some(failure) => error.context(failure.clone()),
            None => error,
        };
        let after = agent_client::usage(running, LOADGEN).map_err(because)?;
        let hits = limit_hits_between(LOADGEN, Some(&before), &after);
        let sampled = match sampling {
            Some(sampling) => self.sampled(sampling, scraping).map_err(because)?,
            None => Seen::default(),
        };
        Ok(Probed {
            summary: match (serde_json::from_slice(&summary), &failure) {
                (Ok(summary), _) => summary,
                (Err(_), Some(failure)) => {
                    let hits = hits.iter().map(|hit| hit.what.clone());
                    bail!(
                        "{}",
                        [failure.clone()].into_iter().chain(hits).collect::<Vec<_>>().join("; ")
                    )
                }
                (Err(error), None) => return Err(error).context("loadgen did not print its summary"),
            },
            failure,
            hits,
            sampled,
            shared,
        })
    }
}

/// Stops an arm's server and fetches what the hook left, and the server's stamps where there are some.
fn stopped<'a>(
    running: &dyn RunningContainers,
    arm: Started<'a>,
    limits: ResourceLimits,
    stamped: bool,
) -> Result<Left<'a>> {
    let ended = agent_client::stop(running, &arm.container)?;
    let after = agent_client::usage(running, &arm.container)?;
    let hits = limit_hits_between(&arm.arm.name, Some(&arm.before), &after);
    let killed = hits.iter().any(|hit| hit.kind == LimitKind::OomKill);
    if let Some(ended) = ended.filter(|_| !killed) {
        bail!("the server {ended} before it was asked to");
    }
    let path = Path::new(Image::WORK).join(TELEMETRY);
    let hooked = arm.arm.treatment.mode();
    let telemetry = hooked.map(|_| fetch::bytes(running, &arm.container, &path));
    let path = Path::new(Image::WORK).join(STAMPS);
    let stamps = stamped.then(|| fetch::bytes(running, &arm.container, &path));
    Ok(Left {
        stopped: Stopped {
            arm: arm.arm,
            start_order: arm.start_order,
            address: arm.address,
            before: Before::default(),
            telemetry: telemetry.transpose()?,
            stamps: stamps.transpose()?,
            tight_loop: Vec::new(),
            limits: limits.any().then_some(limits),
            resources: None,
        },
        hits,
        hop_hits: Vec::new(),
        container: arm.container,
        killed,
    })
}
