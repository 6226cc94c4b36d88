//! One launch in containers, whichever engine runs them: a container per arm and one for the prober. All that is done in
//! them is asked of the agent; whichever way this ends, the containers are removed.

pub(crate) mod application;
mod asked;
mod fetch;
mod measure;
mod ready;
mod sampled;
mod scraped;

use std::collections::BTreeMap;
use std::path::Path;

use agent::{LOG, STAMPS, TELEMETRY};
use anyhow::{Result, ensure};
use clusters::container::{ContainerSpec, Engine, Owner, Role};
use clusters::{Condition, Image};
use dataset::LaunchRecord;

use crate::definition::{Arm, Experiment, Sut};
use crate::limits::of_container;
use crate::order::Order;
use crate::sut;
use crate::treatment::{environment, records};

pub(crate) use ready::{Engines, Ready, image};

/// Name of the prober's container.
const LOADGEN: &str = "loadgen";

/// A launch to be made.
pub(crate) struct Job<'a> {
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
    pub(crate) fn run(&self, engine: &dyn Engine, image: &Image) -> Result<LaunchRecord> {
        let experiment = self.experiment;
        let order = Order::draw(
            experiment.seed,
            self.condition,
            self.owner.launch,
            experiment.arms.len(),
        );
        if let Sut::Application(application) = &experiment.sut {
            return self.run_on_copies((engine, image), &order, (application, self.manifests));
        }
        let containers = self.containers(&order)?;
        let running = engine.start(&self.owner, image, &containers)?;
        let measured = self.measure(&*running, &order)?;
        running.remove()?;
        measured.record(self.folder)
    }

    fn containers(&self, order: &Order) -> Result<Vec<ContainerSpec>> {
        let mut containers = Vec::new();
        for &index in &order.start {
            let arm = &self.experiment.arms[index];
            containers.push(ContainerSpec {
                name: container(index),
                role: Role::Arm,
                command: self.command(arm, order.ports[index])?,
                environment: BTreeMap::new(),
                limits: of_container(self.experiment.arm_limits(arm)),
            });
        }
        containers.push(self.prober());
        Ok(containers)
    }

    fn prober(&self) -> ContainerSpec {
        ContainerSpec {
            name: LOADGEN.to_owned(),
            role: Role::Loadgen,
            command: [Image::AGENT, "idle"].map(str::to_owned).to_vec(),
            environment: BTreeMap::new(),
            limits: of_container(self.experiment.loadgen_limits()),
        }
    }

    /// The agent, which starts the server with the arm's treatment.
    fn command(&self, arm: &Arm, port: u16) -> Result<Vec<String>> {
        ensure!(
            arm.preload.is_none(),
            "arm {}: images hold our own hook only; use a condition local-* for the treatment preload",
            arm.name
        );
        let mut words = [Image::AGENT, "arm", "--processor", "first"]
            .map(str::to_owned)
            .to_vec();
        if arm.treatment.mode().is_some() {
            let records = arm.telemetry_records(self.experiment.load.rounds)?;
            words.extend(["--records".to_owned(), records.to_string()]);
        }
        let stamps = self.experiment.stamps(arm);
        if stamps {
            let room = records(self.experiment.load.rounds)?;
            words.extend(["--stamps".to_owned(), room.to_string()]);
        }
        let work = Path::new(Image::WORK);
        let words_file = self.experiment.words.as_ref().map(|_| Path::new(Image::WORDS));
        for (name, value) in environment(
            arm,
            Path::new(Image::HOOK),
            words_file,
            &work.join(LOG),
            Some(&work.join(TELEMETRY)),
        ) {
            words.extend(["--env".to_owned(), format!("{name}={}", value.to_string_lossy())]);
        }
        words.push("--".to_owned());
        words.extend(sut::command_in_image(
            &self.experiment.sut,
            ([0, 0, 0, 0], port).into(),
        )?);
        if stamps {
            let flags = sut::stamping(&work.join(STAMPS));
            words.extend(flags.map(|word| word.to_string_lossy().into_owned()));
        }
        Ok(words)
    }
}

/// Name of an arm's container: arms may have names that no engine takes.
fn container(index: usize) -> String {
    format!("arm-{index}")
}
