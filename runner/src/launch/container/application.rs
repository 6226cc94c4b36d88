//! One launch on copies of an application that other people wrote: an arm is a copy of it in a namespace of its own, the
//! prober a pod of ours.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use dataset::Subject;
use engines::Image;
use model::{ApplicationDefinition, Experiment, HttpRequest, LaunchRecord, Message, ServerUnderTest};
use monitor::cadvisor::MetricScope;
use provisioning::application::{self, ApplicationCopies};
use provisioning::injection::Injection;

use super::cluster_metrics::Scraping;
use super::resource_samples::judged;
use super::{Job, LOADGEN, Ready, container};
use crate::launch::order::Order;
use crate::launch::record::{Before, Measured, Stopped};

/// The application in place of the experiment's server and request.
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

impl Job<'_> {
    /// Runs it on copies of an application.
    pub(super) fn run_on_copies(
        &self,
        (ready, image): (&Ready, &Image),
        order: &Order,
        (application, checkout): (&ApplicationDefinition, Option<&Path>),
    ) -> Result<LaunchRecord> {
        let Some(cluster) = ready.kubernetes() else {
            bail!("applications are measured in Kubernetes: --topology node or nodes");
        };
        let checkout = checkout.with_context(|| {
            let (name, get) = (&application.name, application.checkout_command());
            format!("where are the manifests of {name}? say --manifests FOLDER, a checkout: {get}")
        })?;
        let mut copies =
            ApplicationCopies::new(cluster, application, application::read_objects(application, checkout)?)?;
        let (mut addresses, mut subjects) = (BTreeMap::new(), Vec::new());
        for &index in &order.start {
            let arm = &self.experiment.arms[index];
            let injection = arm.treatment.mode().map(|mode| {
                let variables = BTreeMap::from([("READHOOK_MODE".to_owned(), mode.to_owned())]);
                Injection::new(cluster, image, variables)
            });
            let copy = copies
                .add(&self.owner, &container(index), injection.as_ref())
                .with_context(|| format!("arm {}", arm.name))?;
            addresses.insert(index, SocketAddr::from((copy.front, application.front.port)));
            subjects.push((Subject::Arm(arm.name.clone()), MetricScope::Namespace(copy.namespace)));
        }
        let running = cluster.start_load_generator(&self.owner, image, &self.prober())?;
        // The prober's own node is watched from its pod.
        let node = copies.node().to_owned();
        if running.placement(LOADGEN)?.get("node") != Some(&node) {
            subjects.push((Subject::Node(node), MetricScope::Node));
        }
        let scraping = self.experiment.monitor.then(|| Scraping::begin(&copies, subjects));
        let probed = self.probe(&*running, order, &addresses, &[], scraping.transpose()?)?;
        if let Some(failure) = probed.failure {
            bail!(failure);
        }
        self.fetch(&*running)?;
        running.remove()?;
        copies.remove()?;
        let arms = order.start.iter().enumerate().map(|(start_order, index)| Stopped {
            arm: &self.experiment.arms[*index],
            start_order,
            address: addresses[index],
            before: Before::default(),
            telemetry: None,
            stamps: None,
            tight_loop: Vec::new(),
            limits: None,
            resources: None,
        });
        Measured {
            run: self.run,
            condition: self.condition,
            launch: self.owner.launch,
            experiment: self.experiment,
            order,
            arms: arms.collect(),
            summary: probed.summary,
            anomalies: Vec::new(),
            watched: judged(probed.sampled, probed.hits.into_iter()),
        }
        .record(self.folder)
    }
}
