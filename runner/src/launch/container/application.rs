//! The backend on copies of an application that other people wrote. An arm is a copy in a namespace of its own; the load
//! generator is a pod of the project's.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use agent::CpuPlacement;
use anyhow::{Context as _, Result, anyhow, bail};
use engines::Image;
use engines::kubernetes::Kubernetes;
use engines::{Owner, RunningContainers};
use model::{
    ApplicationDefinition, Experiment, HttpRequest, LaunchPlan, Message, ResourceSubject, ServerUnderTest,
    TightLoopBlock,
};
use monitor::cadvisor::MetricScope;
use provisioning::application::{self, ApplicationCopies};
use provisioning::injection::Injection;

use super::cluster_metrics::MetricsScrape;
use super::resource_samples::Sampling;
use super::{ReadyEngine, agent_client, fetch, load};
use crate::launch::backend::{
    Backend, LoadGeneratorSite, LoadOutcome, LoopPlan, LoopSite, OwnPrograms, ProxySite, RecordRoom, ServerSite,
    StoppedProcess,
};
use crate::launch::process::{LOAD_GENERATOR, LaunchProcess, ProcessStart};
use crate::treatments::TreatmentSite;

/// Puts an application in the place of the experiment's server and request.
pub(crate) fn replace(experiment: &mut Experiment, application: ApplicationDefinition) {
    let request = &application.request;
    experiment.request = Message::Http(HttpRequest {
        method: request.method.clone(),
        path: request.path.clone(),
        headers: request.headers.clone(),
        body: String::new(),
    });
    experiment.sut = ServerUnderTest::Application(Box::new(application));
}

/// The copies of an application for one launch.
pub(crate) struct ApplicationBackend<'a> {
    experiment: &'a Experiment,
    cluster: &'a Kubernetes,
    image: &'a Image,
    owner: &'a Owner,
    front_port: u16,
    /// None when they have been removed.
    copies: Option<ApplicationCopies>,
    /// The namespace of each arm's copy, as a subject of the cluster's metrics.
    subjects: Vec<(ResourceSubject, MetricScope)>,
    /// The pod of the load generator.
    running: Option<Box<dyn RunningContainers>>,
    load_generator: Option<CpuPlacement>,
}

impl<'a> ApplicationBackend<'a> {
    /// Prepares the copies of an application whose manifests are in the folder `checkout`.
    ///
    /// # Errors
    /// If the engine is no cluster, or the manifests are not there.
    pub(crate) fn new(
        experiment: &'a Experiment,
        application: &ApplicationDefinition,
        checkout: Option<&Path>,
        (ready, image): (&'a ReadyEngine, &'a Image),
        owner: &'a Owner,
    ) -> Result<Self> {
        let Some(cluster) = ready.cluster.as_deref() else {
            bail!("applications are measured in Kubernetes: --topology node or nodes");
        };
        let checkout = checkout.with_context(|| {
            let (name, get) = (&application.name, application.checkout_command());
            format!("where are the manifests of {name}? say --manifests FOLDER, a checkout: {get}")
        })?;
        Ok(Self {
            experiment,
            cluster,
            image,
            owner,
            front_port: application.front.port,
            copies: Some(ApplicationCopies::new(
                cluster,
                application,
                application::read_objects(application, checkout)?,
            )?),
            subjects: Vec::new(),
            running: None,
            load_generator: None,
        })
    }

    fn running(&self) -> Result<&dyn RunningContainers> {
        self.running.as_deref().context("the load generator was not prepared")
    }
}

/// The error for the parts of a launch that a validated experiment on an application does not have.
fn not_here(part: &str) -> anyhow::Error {
    anyhow!("{part}: an application is measured as it is, with nothing beside it")
}

impl Backend for ApplicationBackend<'_> {
    fn programs(&self) -> OwnPrograms {
        OwnPrograms::in_image()
    }

    fn server_site(&mut self, _: usize, _: u16, _: RecordRoom) -> Result<ServerSite> {
        Ok(ServerSite {
            folder: Image::WORK.into(),
            address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, self.front_port)),
            stamps: None,
            // The hook keeps no file in an application's containers.
            treatment: TreatmentSite {
                hook: Image::HOOK.into(),
                ..TreatmentSite::default()
            },
        })
    }

    fn proxy_site(&mut self, _: usize, _: usize, _: u16) -> Result<ProxySite> {
        Err(not_here("a proxy"))
    }

    fn start(&mut self, process: LaunchProcess, start: &ProcessStart) -> Result<SocketAddr> {
        let LaunchProcess::Server(arm) = process else {
            return Err(not_here("a neighbour"));
        };
        // The injection sets LD_PRELOAD itself: the hook has another path in the application's containers.
        let variables = start.environment.iter().filter(|(name, _)| name != "LD_PRELOAD");
        let variables: BTreeMap<String, String> = variables
            .map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned()))
            .collect();
        let injection = (!variables.is_empty()).then(|| Injection::new(self.cluster, self.image, variables));
        let copies = self.copies.as_mut().context("the copies have been removed")?;
        let copy = copies.add(self.owner, &process.to_string(), injection.as_ref())?;
        let subject = ResourceSubject::Arm(self.experiment.arms[arm].name.clone());
        self.subjects.push((subject, MetricScope::Namespace(copy.namespace)));
        Ok(SocketAddr::from((copy.front, self.front_port)))
    }

    fn require_mapped(&mut self, _: usize, _: &Path) -> Result<()> {
        // Checked in each hooked workload when the copy was added.
        Ok(())
    }

    fn node(&self) -> Result<Option<String>> {
        Ok(self.copies.as_ref().map(|copies| copies.node().to_owned()))
    }

    fn load_generator(&mut self) -> Result<LoadGeneratorSite> {
        let running = self
            .cluster
            .start_load_generator(self.owner, self.image, &load::container(self.experiment))?;
        let place = agent_client::place(&*running, LOAD_GENERATOR)?;
        let site = LoadGeneratorSite {
            processor: place.processor,
            shared: false,
            observations: load::observations(),
        };
        self.load_generator = Some(place);
        self.running = Some(running);
        Ok(site)
    }

    fn generate_load(&mut self, plan: &LaunchPlan, _: &Path) -> Result<LoadOutcome> {
        let running = self.running()?;
        let copies = self.copies.as_ref().context("the copies have been removed")?;
        let mut subjects = self.subjects.clone();
        // The load generator's own machine is sampled from its pod.
        let node = copies.node().to_owned();
        if running.placement(LOAD_GENERATOR)?.get("node") != Some(&node) {
            subjects.push((ResourceSubject::Node(node), MetricScope::Node));
        }
        let (mut sampling, mut scraping) = (None, None);
        if self.experiment.monitor {
            let place = self
                .load_generator
                .as_ref()
                .context("the load generator was not prepared")?;
            scraping = Some(MetricsScrape::begin(copies, subjects)?);
            sampling = Some(Sampling::begin(running, place, std::iter::empty(), false)?);
        }
        load::generate(running, plan, sampling, scraping)
    }

    fn stop(&mut self, _: LaunchProcess) -> Result<StoppedProcess> {
        // A copy is not stopped, but removed.
        Ok(StoppedProcess::default())
    }

    fn fetch_observations(&mut self, to: &Path) -> Result<()> {
        fetch::file(self.running()?, LOAD_GENERATOR, &load::observations(), to)
    }

    fn loop_site(&mut self, _: usize, _: &[u8], _: u32) -> Result<LoopSite> {
        Err(not_here("[micro]"))
    }

    fn run_loop(&mut self, _: usize, _: &LoopPlan) -> Result<Vec<TightLoopBlock>> {
        Err(not_here("[micro]"))
    }

    fn enforces_limits(&self) -> bool {
        false
    }

    fn remove(&mut self) -> Result<()> {
        let removed = self.running.take().map_or(Ok(()), RunningContainers::remove);
        self.copies.take().map_or(Ok(()), |mut copies| copies.remove())?;
        Ok(removed?)
    }
}
