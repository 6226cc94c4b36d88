//! One launch in containers, whichever engine runs them: a container per arm, one for each of its hops, one for the
//! neighbour and one for the prober. All that is done in them is asked of the agent; whichever way this ends, the containers are removed.

mod agent_client;
mod agent_requests;
pub(crate) mod application;
mod cluster_metrics;
mod engine_choice;
mod fetch;
mod image;
mod measure;
mod resource_samples;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use engines::Image;
use engines::{ContainerLimits, ContainerRole, ContainerSpec, Owner};
use model::{Condition, Experiment, LaunchRecord, NeighbourCpus, ServerUnderTest};

use crate::launch::local::control_groups::of_container;
use crate::launch::order::Order;

pub(crate) use engine_choice::{Engines, Ready};
pub(crate) use image::{image, own};

/// Name of the neighbour's container.
const NEIGHBOUR: &str = "neighbour";
/// Name of the prober's container.
const LOADGEN: &str = "loadgen";

/// A launch to be made.
pub(crate) struct Job<'a> {
    /// Name of the run.
    pub(crate) run: &'a str,
    pub(crate) condition: Condition,
    pub(crate) experiment: &'a Experiment,
    pub(crate) owner: Owner,
    /// Where unfinished files go; the runner removes it.
    pub(crate) folder: &'a Path,
    /// A checkout with the manifests of the application, where one is measured.
    pub(crate) manifests: Option<&'a Path>,
}

impl Job<'_> {
    /// Runs it.
    pub(crate) fn run(&self, ready: &Ready, image: &Image) -> Result<LaunchRecord> {
        let experiment = self.experiment;
        let order = Order::draw(
            experiment.seed,
            self.condition,
            self.owner.launch,
            experiment.arms.len(),
        );
        if let ServerUnderTest::Application(application) = &experiment.sut {
            return self.run_on_copies((ready, image), &order, (application, self.manifests));
        }
        let containers = self.containers(&order);
        let running = ready.engine().start(&self.owner, image, &containers)?;
        let measured = self.measure(&*running, &order)?;
        running.remove()?;
        measured.record(self.folder)
    }

    /// All of them, of which those of arms, hops and neighbour wait until they are told what to start.
    fn containers(&self, order: &Order) -> Vec<ContainerSpec> {
        let waiting = |name: String, (role, processor): (ContainerRole, &str), limits| ContainerSpec {
            name,
            role,
            command: [Image::AGENT, "arm", "--processor", processor]
                .map(str::to_owned)
                .to_vec(),
            environment: BTreeMap::new(),
            limits,
        };
        let first = (ContainerRole::Arm, "first");
        let mut containers = Vec::new();
        for &index in &order.start {
            let limits = of_container(self.experiment.arm_limits(&self.experiment.arms[index]));
            containers.push(waiting(container(index), first, limits));
            let hops = 0..self.experiment.proxies.len();
            containers.extend(hops.map(|number| waiting(hop(index, number), first, ContainerLimits::default())));
        }
        if let Some(neighbour) = &self.experiment.neighbour {
            let role = match neighbour.cpus {
                NeighbourCpus::Arms => first,
                NeighbourCpus::Loadgen => (ContainerRole::LoadGenerator, "last"),
                NeighbourCpus::All => (ContainerRole::Unconfined, "any"),
            };
            let limits = of_container(neighbour.limits.unwrap_or_default());
            containers.push(waiting(NEIGHBOUR.to_owned(), role, limits));
        }
        containers.push(self.prober());
        containers
    }

    fn prober(&self) -> ContainerSpec {
        ContainerSpec {
            name: LOADGEN.to_owned(),
            role: ContainerRole::LoadGenerator,
            command: [Image::AGENT, "idle"].map(str::to_owned).to_vec(),
            environment: BTreeMap::new(),
            limits: of_container(self.experiment.loadgen_limits()),
        }
    }
}

/// Name of an arm's container: arms may have names that no engine takes.
fn container(index: usize) -> String {
    format!("arm-{index}")
}

/// Name of a hop's container.
fn hop(index: usize, number: usize) -> String {
    format!("arm-{index}-hop-{number}")
}
