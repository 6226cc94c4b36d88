//! The backend in Linux namespaces. Every process of the launch is a child of this process. The process namespace
//! contains only this process and its children.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use dataset::ServerFaultKind;
use isolation::{LaunchNetwork, ServerNamespace};
use model::{
    Anomaly, Experiment, IsolationLevel, LaunchPlan, Measure, NeighbourCpus, OBSERVATIONS_FILE, ProcessResources,
    ServerUnderTest, TightLoopBlock, Topology,
};
use monitor::ControlGroup;

use super::memory_file::MemoryFile;
use super::process_set::{has_mapped, name};
use super::server::{Placement, Server, starter};
use super::spec::LaunchSpec;
use super::watch::Watch;
use crate::blind_spots;
use crate::launch::backend::{
    ArmFiles, Backend, LoadGeneratorSite, LoadOutcome, LoopPlan, LoopSite, OwnPrograms, PreMeasurementCounts,
    ProxySite, RecordRoom, ServerSite, StoppedProcess,
};
use crate::launch::process::{LaunchProcess, ProcessStart};
use crate::launch::stamps::ServerStamps;
use crate::launch::telemetry::HookTelemetry;
use crate::treatments::TreatmentSite;

/// The processes of one launch in namespaces.
pub(crate) struct LocalBackend<'a> {
    spec: &'a LaunchSpec,
    experiment: &'a Experiment,
    network: LaunchNetwork,
    arms: BTreeMap<usize, LocalArm>,
    neighbour: Option<Server>,
    tight_loop: Option<LoopFiles>,
}

/// The processes and files of one arm.
struct LocalArm {
    server: Option<Server>,
    /// The proxies, by their number.
    proxies: BTreeMap<usize, Server>,
    /// The network namespace of the server, if it has one of its own.
    pod: Option<Rc<ServerNamespace>>,
    telemetry: Option<MemoryFile>,
    stamps: Option<MemoryFile>,
    // The log stays open as long as the server may write to it.
    _log: MemoryFile,
    resources: Option<ProcessResources>,
}

/// Files of a tight loop.
struct LoopFiles {
    telemetry: MemoryFile,
    // The files stay open as long as the processes of the loop may use them.
    _payload: MemoryFile,
    _log: MemoryFile,
}

impl<'a> LocalBackend<'a> {
    /// Sets up the network of a launch. The parent of this process must have entered the launch's isolation level.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(crate) fn new(spec: &'a LaunchSpec) -> Result<Self> {
        Ok(Self {
            spec,
            experiment: &spec.experiment,
            network: LaunchNetwork::build(spec.topology, spec.level)?,
            arms: BTreeMap::new(),
            neighbour: None,
            tight_loop: None,
        })
    }

    /// Moves this thread to the network namespace of the load generator.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(crate) fn go_to_client(&self) -> Result<()> {
        Ok(self.network.enter_client_end()?)
    }

    /// Returns the running server of an arm.
    ///
    /// # Errors
    /// If it was not started, or was stopped.
    pub(crate) fn server(&mut self, arm: usize) -> Result<&mut Server> {
        let arm = self.arms.get_mut(&arm);
        arm.and_then(|arm| arm.server.as_mut()).context("the arm has no server")
    }

    /// Returns the hook's telemetry of an arm; none if the arm has none.
    ///
    /// # Errors
    /// If the telemetry is damaged.
    pub(crate) fn telemetry(&mut self, arm: usize) -> Result<Option<HookTelemetry>> {
        let telemetry = self.arm(arm)?.telemetry.as_mut();
        telemetry
            .map(|file| HookTelemetry::read(&file.content()?, 0, 0))
            .transpose()
    }

    fn arm(&mut self, arm: usize) -> Result<&mut LocalArm> {
        self.arms.get_mut(&arm).context("the arm was not prepared")
    }

    /// The control group of an arm.
    fn group(&self, arm: usize) -> Option<&ControlGroup> {
        self.spec.groups.arms.get(&self.experiment.arms[arm].name)
    }

    fn treatment_site(&self, arm: usize, log: &MemoryFile, telemetry: Option<&MemoryFile>) -> TreatmentSite {
        let preload = self.experiment.arms[arm].preload.as_ref();
        TreatmentSite {
            hook: self.spec.hook.clone(),
            words: self.spec.words.clone(),
            log: log.path.clone(),
            telemetry: telemetry.map(|file| file.path.clone()),
            foreign_object: preload.map(|preload| preload.path.clone()),
        }
    }

    fn folder(&self, process: LaunchProcess) -> PathBuf {
        self.spec.folder.join(process.to_string())
    }

    /// Starts a process in its own folder.
    fn launch(&self, process: LaunchProcess, start: &ProcessStart, place: Placement) -> Result<Server> {
        let folder = self.folder(process);
        crate::program::lay_out(&start.files, &folder)?;
        Server::start(start, place, &folder, &self.experiment.request)
    }

    fn start_server(&mut self, arm: usize, start: &ProcessStart) -> Result<SocketAddr> {
        let group = self.group(arm).cloned();
        let place = Placement {
            cpu: Some(self.spec.cpus.arms),
            group: group.clone(),
            pod: self.arm(arm)?.pod.clone(),
            sidecar: false,
        };
        let started = self.launch(LaunchProcess::Server(arm), start, place);
        let server = started.map_err(|error| {
            if group.is_some_and(|group| was_killed(&group)) {
                error.context("killed for want of memory; raise its limit memory_bytes")
            } else {
                error
            }
        })?;
        let address = server.address;
        self.arm(arm)?.server = Some(server);
        Ok(address)
    }

    fn start_proxy(&mut self, arm: usize, number: usize, start: &ProcessStart) -> Result<SocketAddr> {
        let place = Placement {
            cpu: Some(self.spec.cpus.arms),
            group: None,
            pod: self.arm(arm)?.pod.clone(),
            sidecar: true,
        };
        let proxy = self.launch(LaunchProcess::Proxy { arm, number }, start, place)?;
        self.server(arm)?.has_beside(&proxy);
        let address = proxy.address;
        self.arm(arm)?.proxies.insert(number, proxy);
        Ok(address)
    }

    /// Starts the neighbour in a network namespace of its own, so that its sockets are not counted as those of a server or of
    /// the load generator.
    fn start_neighbour(&mut self, start: &ProcessStart) -> Result<SocketAddr> {
        let pod = (self.spec.level != IsolationLevel::Loopback)
            .then(ServerNamespace::create)
            .transpose()?;
        let cpus = self.experiment.neighbour.as_ref().map(|neighbour| neighbour.cpus);
        let place = Placement {
            cpu: match cpus.unwrap_or_default() {
                NeighbourCpus::Arms => Some(self.spec.cpus.arms),
                NeighbourCpus::Loadgen => Some(self.spec.cpus.loadgen),
                NeighbourCpus::All => None,
            },
            group: self.spec.groups.neighbour.clone(),
            pod: pod.map(Rc::new),
            sidecar: false,
        };
        let neighbour = self.launch(LaunchProcess::Neighbour, start, place)?;
        let address = neighbour.address;
        self.neighbour = Some(neighbour);
        Ok(address)
    }

    /// Waits for the stamps of the request that has passed the proxies. The server writes them after its answer, so the
    /// answer can arrive first.
    fn until_stamped(&mut self, arm: usize) -> Result<()> {
        let arm = self.arm(arm)?;
        let (Some(server), Some(stamps)) = (&mut arm.server, &mut arm.stamps) else {
            return Ok(());
        };
        server.until_seen("does not stamp what it has answered", |_| {
            let stamped = stamps.content().and_then(|bytes| ServerStamps::read(&bytes, 0, 0));
            stamped.map(|stamps| (stamps.requests > 0).then_some(())).transpose()
        })?
    }

    fn resources(&self) -> BTreeMap<usize, ProcessResources> {
        let servers = self
            .arms
            .iter()
            .filter_map(|(index, arm)| Some((index, arm.server.as_ref()?)));
        servers
            .map(|(index, server)| (*index, server.processes.resources()))
            .collect()
    }

    /// Returns a command that starts another command on the processor and in the control group of an arm.
    fn in_place_of(
        &self,
        arm: usize,
        start: &ProcessStart,
        environment: &[(String, std::ffi::OsString)],
    ) -> Result<Command> {
        let mut starter = starter(self.group(arm), Some(self.spec.cpus.arms), environment)?;
        starter.arg("--").args(&start.command);
        Ok(starter)
    }
}

impl Backend for LocalBackend<'_> {
    fn programs(&self) -> OwnPrograms {
        OwnPrograms {
            sut: self.spec.binaries.join("sut"),
            runner: self.spec.binaries.join("runner"),
        }
    }

    fn server_site(&mut self, arm: usize, port: u16, room: RecordRoom) -> Result<ServerSite> {
        let (mut pod, mut port) = (None, port);
        if let ServerUnderTest::Command(program) = &self.experiment.sut {
            // If client and servers share a namespace, each server can instead have a namespace of its own, from which
            // the client connects to this server.
            if self.spec.topology == Topology::LocalPod && self.spec.level != IsolationLevel::Loopback {
                pod = Some(Rc::new(ServerNamespace::create()?));
            }
            ensure!(
                pod.is_some() || program.takes_port(),
                "without a network namespace for each server, several cannot listen on one port; write {{port}} into the \
                 command, or see `cargo xtask doctor` for what namespaces need"
            );
            port = program.port.filter(|_| pod.is_some()).unwrap_or(port);
        }
        let log = MemoryFile::create(c"hits", b"")?;
        let telemetry = room.telemetry.map(MemoryFile::telemetry).transpose()?;
        let stamps = room.stamps.map(MemoryFile::telemetry).transpose()?;
        let site = ServerSite {
            folder: self.folder(LaunchProcess::Server(arm)),
            address: SocketAddr::from((self.network.server_address(), port)),
            stamps: stamps.as_ref().map(|file| file.path.clone()),
            treatment: self.treatment_site(arm, &log, telemetry.as_ref()),
        };
        let prepared = LocalArm {
            server: None,
            proxies: BTreeMap::new(),
            pod,
            telemetry,
            stamps,
            _log: log,
            resources: None,
        };
        self.arms.insert(arm, prepared);
        Ok(site)
    }

    fn proxy_site(&mut self, arm: usize, number: usize, port: u16) -> Result<ProxySite> {
        let ip = match self.server(arm)?.address.ip() {
            ip if ip.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        Ok(ProxySite {
            folder: self.folder(LaunchProcess::Proxy { arm, number }),
            address: SocketAddr::new(ip, port),
        })
    }

    fn start(&mut self, process: LaunchProcess, start: &ProcessStart) -> Result<SocketAddr> {
        match process {
            LaunchProcess::Server(arm) => {
                self.network.enter_server_end()?;
                self.start_server(arm, start)
            }
            LaunchProcess::Proxy { arm, number } => {
                self.network.enter_server_end()?;
                self.start_proxy(arm, number, start)
            }
            LaunchProcess::Neighbour => {
                self.network.enter_client_end()?;
                self.start_neighbour(start)
            }
        }
    }

    fn require_mapped(&mut self, arm: usize, object: &Path) -> Result<()> {
        let server = self.server(arm)?;
        if server.has_mapped(object) {
            return Ok(());
        }
        let why = not_mapped(object, server);
        Err(server.fault(ServerFaultKind::NotLoaded, why).into())
    }

    fn counts_before(&mut self, arm: usize) -> Result<PreMeasurementCounts> {
        // A request passed the proxies when they were tried.
        if !self.arm(arm)?.proxies.is_empty() {
            self.until_stamped(arm)?;
        }
        let receives = self
            .telemetry(arm)?
            .map(|telemetry| telemetry.counters.payload_receives);
        let stamps = self.arm(arm)?.stamps.as_mut();
        let stamps = stamps
            .map(|file| ServerStamps::read(&file.content()?, 0, 0))
            .transpose()?;
        Ok(PreMeasurementCounts {
            receives: receives.unwrap_or(0),
            requests: stamps.map_or(0, |stamps| stamps.requests),
        })
    }

    fn route(&self, arm: usize, address: SocketAddr) -> (SocketAddr, Option<PathBuf>) {
        let pod = self.arms.get(&arm).and_then(|arm| arm.pod.as_ref());
        (self.network.target_address(address), pod.map(|pod| pod.path.clone()))
    }

    fn load_generator(&mut self) -> Result<LoadGeneratorSite> {
        Ok(LoadGeneratorSite {
            processor: self.spec.cpus.loadgen,
            shared: self.spec.cpus.shared(),
            observations: self.spec.folder.join(OBSERVATIONS_FILE),
        })
    }

    fn generate_load(&mut self, _: &LaunchPlan, file: &Path) -> Result<LoadOutcome> {
        self.network.enter_client_end()?;
        let before = self.resources();
        let mut starter = starter(self.spec.groups.loadgen.as_ref(), None, &[])?;
        let child = starter
            .arg("--")
            .arg(self.spec.binaries.join("loadgen"))
            .args(["run", "--plan"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the load generator")?;
        let arms = self.arms.iter().filter_map(|(index, arm)| {
            let name = self.experiment.arms[*index].name.as_str();
            Some((name, arm.server.as_ref()?.pid))
        });
        let loadgen = isolation::outer_pid_of_child(child.id())?;
        let watch = Watch::start(self.spec, self.experiment.monitor, arms, loadgen)?;
        let output = child.wait_with_output().context("cannot wait for the load generator")?;
        let watched = watch.map(Watch::finish).transpose()?;
        for (index, after) in self.resources() {
            let before_ns = before.get(&index).map_or(0, |before| before.cpu_ns);
            self.arm(index)?.resources = Some(ProcessResources {
                cpu_ns: after.cpu_ns.saturating_sub(before_ns),
                ..after
            });
        }
        let failed = !output.status.success();
        Ok(LoadOutcome {
            printed: output.stdout,
            failure: failed.then(|| {
                format!(
                    "the load generator ended with {}; its message stands above",
                    output.status
                )
            }),
            watched,
            counted: None,
        })
    }

    fn stop(&mut self, process: LaunchProcess) -> Result<StoppedProcess> {
        let server = match process {
            LaunchProcess::Server(arm) => self.arm(arm)?.server.take(),
            LaunchProcess::Proxy { arm, number } => self.arm(arm)?.proxies.remove(&number),
            LaunchProcess::Neighbour => self.neighbour.take(),
        };
        let mut server = server.with_context(|| format!("{process} does not run"))?;
        Ok(StoppedProcess {
            ended_early: server.stop()?.map(anyhow::Error::new),
            counted: None,
        })
    }

    fn fetch_observations(&mut self, to: &Path) -> Result<()> {
        // The load generator has already written the observations to this file.
        ensure!(
            to.exists(),
            "{} is not there: the load generator wrote no observations",
            to.display()
        );
        Ok(())
    }

    fn fetch_arm(&mut self, arm: usize) -> Result<ArmFiles> {
        let arm = self.arm(arm)?;
        Ok(ArmFiles {
            telemetry: arm.telemetry.as_mut().map(MemoryFile::content).transpose()?,
            stamps: arm.stamps.as_mut().map(MemoryFile::content).transpose()?,
            resources: arm.resources,
        })
    }

    fn loop_site(&mut self, arm: usize, payload: &[u8], records: u32) -> Result<LoopSite> {
        let payload = MemoryFile::create(c"payload", payload)?;
        let telemetry = MemoryFile::telemetry(records)?;
        let log = MemoryFile::create(c"hits", b"")?;
        let site = LoopSite {
            payload: payload.path.clone(),
            treatment: self.treatment_site(arm, &log, Some(&telemetry)),
        };
        self.tight_loop = Some(LoopFiles {
            telemetry,
            _payload: payload,
            _log: log,
        });
        Ok(site)
    }

    fn run_loop(&mut self, arm: usize, plan: &LoopPlan) -> Result<Vec<TightLoopBlock>> {
        // Tight loops run where the servers ran.
        self.network.enter_server_end()?;
        let bare = self.in_place_of(arm, &plan.hooked, &[])?;
        let hooked = self.in_place_of(arm, &plan.hooked, &plan.hooked.environment)?;
        let (blocks, calls) = agent::run_alternately(bare, hooked, plan.blocks, plan.block_calls)?;
        let mut files = self.tight_loop.take().context("the tight loop was not prepared")?;
        let counted = HookTelemetry::read(&files.telemetry.content()?, 0, 0)?;
        let counted = counted.counters.payload_receives;
        ensure!(
            counted == calls,
            "the tight loop made {calls} calls, of which the hook counted {counted}"
        );
        Ok(blocks)
    }

    fn enforces_limits(&self) -> bool {
        self.spec.without_limits.is_none()
    }

    fn anomalies(&self) -> Vec<Anomaly> {
        let reason = self.spec.without_limits.iter().cloned();
        reason.map(|reason| Anomaly::LimitsNotSet { reason }).collect()
    }

    fn remove(&mut self) -> Result<()> {
        // Dropping a server ends all its processes.
        self.neighbour = None;
        self.arms.clear();
        self.tight_loop = None;
        Ok(())
    }
}

/// Returns the reason why a shared object is not mapped into the processes that listen.
fn not_mapped(object: &Path, server: &Server) -> String {
    let mut serving = server.serving();
    serving.retain(|process| !has_mapped(process, object));
    let programs = serving.iter().filter_map(|process| process.exe().ok());
    let reasons: BTreeSet<String> = programs
        .flat_map(|program| blind_spots::of_file(&program))
        .map(|spot| spot.to_string())
        .collect();
    let names: BTreeSet<String> = serving.iter().map(name).collect();
    let names: Vec<String> = names.into_iter().collect();
    let why = if reasons.is_empty() {
        "is it a shared object for this machine?".to_owned()
    } else {
        reasons.into_iter().collect::<Vec<_>>().join("; ")
    };
    format!(
        "{} was not loaded into the server ({}); {why}",
        object.display(),
        names.join(", ")
    )
}

/// Returns true if a process of a group was killed because memory ran out.
fn was_killed(group: &ControlGroup) -> bool {
    group.usage()[Measure::OomKills] > Some(0)
}
