//! The backend in containers, whichever engine runs them: a container for each server, each proxy, the neighbour and the load
//! generator. The agent in each container starts, observes and stops the container's program.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use agent::{
    CpuPlacement, HOOK_LOG, PAYLOAD, PROGRAM_FOLDER, ReadinessSign, STAMPS, StartRequest, TELEMETRY, TightLoopRequest,
};
use anyhow::{Context as _, Result, anyhow, bail};
use engines::Image;
use engines::{ContainerLimits, ContainerRole, ContainerSpec, Engine, Owner, RunningContainers};
use model::{Experiment, LaunchPlan, NeighbourCpus, ServerUnderTest, TightLoopBlock, Usage};
use monitor::limit_hits_between;

use super::resource_samples::{Sampled, Sampling};
use super::{agent_client, fetch, image, load};
use crate::launch::backend::{
    ArmFiles, Backend, LoadGeneratorSite, LoadOutcome, LoopPlan, LoopSite, OwnPrograms, ProxySite, RecordRoom,
    ServerSite, StoppedProcess,
};
use crate::launch::local::control_groups::of_container;
use crate::launch::order::LaunchOrder;
use crate::launch::process::{LOAD_GENERATOR, LaunchProcess, ProcessStart, Readiness};
use crate::treatments::TreatmentSite;

/// The containers of one launch.
pub(crate) struct ContainerBackend<'a> {
    experiment: &'a Experiment,
    /// `None` after the containers have been removed.
    running: Option<Box<dyn RunningContainers>>,
    /// Room for records in the files of each arm.
    rooms: BTreeMap<usize, RecordRoom>,
    ports: BTreeMap<usize, u16>,
    /// Processor and machine of each arm's server.
    servers: BTreeMap<usize, CpuPlacement>,
    /// Processor and machine of the load generator.
    load_generator: Option<CpuPlacement>,
    started: Vec<LaunchProcess>,
    /// Use of each container before the first request.
    before: BTreeMap<LaunchProcess, Usage>,
}

impl<'a> ContainerBackend<'a> {
    /// Starts all containers of a launch by an engine. In each container the agent waits for a request to start a
    /// program.
    ///
    /// # Errors
    /// If one cannot be started.
    pub(crate) fn new(
        experiment: &'a Experiment,
        (engine, image): (&dyn Engine, &Image),
        owner: &Owner,
        order: &LaunchOrder,
    ) -> Result<Self> {
        Ok(Self {
            experiment,
            running: Some(engine.start(owner, image, &containers(experiment, order))?),
            rooms: BTreeMap::new(),
            ports: BTreeMap::new(),
            servers: BTreeMap::new(),
            load_generator: None,
            started: Vec::new(),
            before: BTreeMap::new(),
        })
    }

    fn running(&self) -> Result<&dyn RunningContainers> {
        self.running.as_deref().context("the containers have been removed")
    }
}

/// Paths in the container of an arm.
fn treatment_site(experiment: &Experiment, arm: usize) -> TreatmentSite {
    let work = Path::new(Image::WORK);
    TreatmentSite {
        hook: Image::HOOK.into(),
        words: experiment.words.as_ref().map(|_| Image::WORDS.into()),
        log: work.join(HOOK_LOG),
        telemetry: Some(work.join(TELEMETRY)),
        foreign_object: image::foreign_object(experiment, arm),
    }
}

/// Returns the specifications of all containers of a launch. In the containers of servers, proxies and neighbour the
/// agent waits for a request to start a program.
fn containers(experiment: &Experiment, order: &LaunchOrder) -> Vec<ContainerSpec> {
    let waiting = |process: LaunchProcess, (role, processor): (ContainerRole, &str), limits| ContainerSpec {
        name: process.to_string(),
        role,
        command: [Image::AGENT, "arm", "--processor", processor]
            .map(str::to_owned)
            .to_vec(),
        environment: BTreeMap::new(),
        limits,
    };
    let first = (ContainerRole::Arm, "first");
    let mut containers = Vec::new();
    for &arm in &order.start {
        let limits = of_container(experiment.arm_limits(&experiment.arms[arm]));
        containers.push(waiting(LaunchProcess::Server(arm), first, limits));
        let proxies = (0..experiment.proxies.len()).map(|number| LaunchProcess::Proxy { arm, number });
        containers.extend(proxies.map(|process| waiting(process, first, ContainerLimits::default())));
    }
    if let Some(neighbour) = &experiment.neighbour {
        let role = match neighbour.cpus {
            NeighbourCpus::Arms => first,
            NeighbourCpus::Loadgen => (ContainerRole::LoadGenerator, "last"),
            NeighbourCpus::All => (ContainerRole::Unconfined, "any"),
        };
        let limits = of_container(neighbour.limits.unwrap_or_default());
        containers.push(waiting(LaunchProcess::Neighbour, role, limits));
    }
    containers.push(load::container(experiment));
    containers
}

/// The request to an agent that starts a process.
fn request(start: &ProcessStart, room: RecordRoom) -> StartRequest {
    let text = |words: &std::ffi::OsStr| words.to_string_lossy().into_owned();
    let environment = start.environment.iter();
    StartRequest {
        command: start.command.iter().map(|word| text(word)).collect(),
        environment: environment.map(|(name, value)| (name.clone(), text(value))).collect(),
        files: start.files.clone(),
        records: room.telemetry,
        stamps: room.stamps,
        ready: match start.readiness {
            Readiness::Runs => ReadinessSign::Started,
            Readiness::Announces(_) => ReadinessSign::Announcement,
            // The agent waits for the listening port and sends no request, so that the hook has counted no request
            // before the first one.
            Readiness::Listens(address) | Readiness::Serves(address) => ReadinessSign::ListeningPort(address.port()),
        },
    }
}

/// The port at which a process is to listen, or 0.
fn port(readiness: Readiness) -> u16 {
    match readiness {
        Readiness::Announces(address) | Readiness::Listens(address) | Readiness::Serves(address) => address.port(),
        Readiness::Runs => 0,
    }
}

impl Backend for ContainerBackend<'_> {
    fn programs(&self) -> OwnPrograms {
        OwnPrograms::in_image()
    }

    fn server_site(&mut self, arm: usize, port: u16, room: RecordRoom) -> Result<ServerSite> {
        self.rooms.insert(arm, room);
        let port = match &self.experiment.sut {
            ServerUnderTest::Command(program) if !program.takes_port() => program.port.unwrap_or(port),
            _ => port,
        };
        self.ports.insert(arm, port);
        let work = Path::new(Image::WORK);
        Ok(ServerSite {
            folder: work.join(PROGRAM_FOLDER),
            address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
            stamps: room.stamps.map(|_| work.join(STAMPS)),
            treatment: treatment_site(self.experiment, arm),
        })
    }

    fn proxy_site(&mut self, _: usize, _: usize, port: u16) -> Result<ProxySite> {
        Ok(ProxySite {
            folder: Path::new(Image::WORK).join(PROGRAM_FOLDER),
            address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        })
    }

    fn start(&mut self, process: LaunchProcess, start: &ProcessStart) -> Result<SocketAddr> {
        let (running, container) = (self.running()?, process.to_string());
        let room = match process {
            LaunchProcess::Server(arm) => self.rooms.get(&arm).copied().unwrap_or_default(),
            LaunchProcess::Proxy { .. } | LaunchProcess::Neighbour => RecordRoom::default(),
        };
        let request = request(start, room);
        let server = if process == LaunchProcess::Neighbour {
            // [`Backend::stop`] reports the end of the neighbour.
            agent_client::start(running, &container, &request, start.patience)?
        } else {
            agent_client::serve(running, &container, &request, start.patience)?
        };
        let address = SocketAddr::from((running.address(&container)?, port(start.readiness)));
        if let LaunchProcess::Server(arm) = process {
            self.servers.insert(arm, server.placement);
        }
        self.started.push(process);
        Ok(address)
    }

    fn require_mapped(&mut self, arm: usize, object: &Path) -> Result<()> {
        let (running, container) = (self.running()?, LaunchProcess::Server(arm).to_string());
        let port = self.ports.get(&arm).copied().unwrap_or(0);
        if agent_client::has_mapped(running, &container, &object.to_string_lossy(), port)? {
            return Ok(());
        }
        bail!(
            "the hook was not loaded into the server; is it a shared object for the engine's machine? {}",
            running.log(&container)?.trim()
        )
    }

    fn node(&self) -> Result<Option<String>> {
        let server = LaunchProcess::Server(0).to_string();
        Ok(self.running()?.placement(&server)?.remove("node"))
    }

    fn load_generator(&mut self) -> Result<LoadGeneratorSite> {
        let place = agent_client::place(self.running()?, LOAD_GENERATOR)?;
        let site = LoadGeneratorSite {
            processor: place.processor,
            shared: self.servers.values().any(|server| *server == place),
            observations: load::observations(),
        };
        self.load_generator = Some(place);
        Ok(site)
    }

    fn generate_load(&mut self, plan: &LaunchPlan, _: &Path) -> Result<LoadOutcome> {
        let running = self.running()?;
        let before = self.started.iter().map(|process| {
            let used = agent_client::usage(running, &process.to_string())?;
            Ok((*process, used))
        });
        let before = before.collect::<Result<_>>()?;
        let place = self
            .load_generator
            .as_ref()
            .context("the load generator was not prepared")?;
        let arms = self.servers.iter().map(|(&arm, place)| Sampled {
            container: LaunchProcess::Server(arm).to_string(),
            flag: ["--arm", &self.experiment.arms[arm].name],
            place: Some(place),
        });
        let neighbour = self.experiment.neighbour.is_some();
        let sampling = self
            .experiment
            .monitor
            .then(|| Sampling::begin(running, place, arms, neighbour));
        let outcome = load::generate(running, plan, sampling.transpose()?, None)?;
        self.before = before;
        Ok(outcome)
    }

    fn stop(&mut self, process: LaunchProcess) -> Result<StoppedProcess> {
        let (running, container) = (self.running()?, process.to_string());
        // The agent's own work in a container uses its processor time, too.
        let ended = agent_client::stop(running, &container)?;
        let after = agent_client::usage(running, &container)?;
        let counted = limit_hits_between(&container, self.before.get(&process), &after);
        Ok(StoppedProcess {
            ended_early: ended.map(|end| anyhow!("{end} before it was asked to stop")),
            counted: Some(counted),
        })
    }

    fn fetch_observations(&mut self, to: &Path) -> Result<()> {
        fetch::file(self.running()?, LOAD_GENERATOR, &load::observations(), to)
    }

    fn fetch_arm(&mut self, arm: usize) -> Result<ArmFiles> {
        let (running, container) = (self.running()?, LaunchProcess::Server(arm).to_string());
        let room = self.rooms.get(&arm).copied().unwrap_or_default();
        let file = |name: &str, there: Option<u32>| {
            let path = Path::new(Image::WORK).join(name);
            there.map(|_| fetch::bytes(running, &container, &path)).transpose()
        };
        Ok(ArmFiles {
            telemetry: file(TELEMETRY, room.telemetry)?,
            stamps: file(STAMPS, room.stamps)?,
            resources: None,
        })
    }

    fn loop_site(&mut self, arm: usize, _: &[u8], _: u32) -> Result<LoopSite> {
        Ok(LoopSite {
            payload: Path::new(Image::WORK).join(PAYLOAD),
            treatment: treatment_site(self.experiment, arm),
        })
    }

    fn run_loop(&mut self, arm: usize, plan: &LoopPlan) -> Result<Vec<TightLoopBlock>> {
        let start = request(&plan.hooked, RecordRoom::default());
        let tight_loop = TightLoopRequest {
            command: start.command,
            treatment: start.environment.into_iter().collect(),
            payload: plan.payload.clone(),
            records: plan.records,
            blocks: plan.blocks,
            calls: plan.block_calls,
        };
        agent_client::tight_loop(self.running()?, &LaunchProcess::Server(arm).to_string(), &tight_loop)
    }

    fn remove(&mut self) -> Result<()> {
        Ok(self.running.take().map_or(Ok(()), RunningContainers::remove)?)
    }
}
