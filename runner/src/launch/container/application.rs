//! One launch on copies of an application that other people wrote: an arm is a copy of it in a namespace of its own, the
//! prober a pod of ours.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use dataset::{LaunchRecord, Subject};
use engines::Image;
use model::{Condition, Message, Treatment};
use monitor::cadvisor::MetricScope;
use provisioning::application::{Application, Copies};
use provisioning::injection::Injection;

use super::cluster_metrics::Scraping;
use super::resource_samples::judged;
use super::{Job, LOADGEN, Ready, container};
use crate::definition::{Experiment, Sut};
use crate::launch::order::Order;
use crate::launch::record::{Before, Measured, Stopped};

/// The application in place of the experiment's server and request.
pub(crate) fn replace(experiment: &mut Experiment, application: Application) -> Result<()> {
    let request = &application.request;
    let whole =
        serde_json::json!({ "method": request.method, "path": request.path, "headers": request.headers, "body": "" });
    experiment.request = serde_json::from_value::<Message>(whole).context("the application's request")?;
    experiment.sut = Sut::Application(Box::new(application));
    Ok(())
}

/// Checks what applications ask of an experiment.
pub(crate) fn validate(experiment: &Experiment) -> Result<()> {
    for condition in &experiment.conditions {
        ensure!(
            matches!(condition, Condition::KubernetesNode | Condition::KubernetesNodes),
            "{condition}: applications are measured from a pod beside them: --topology node or nodes"
        );
    }
    for arm in &experiment.arms {
        ensure!(
            matches!(
                arm.treatment,
                Treatment::Unmodified | Treatment::Forward | Treatment::Track | Treatment::Scan
            ) && !arm.records
                && !experiment.stamps(arm),
            "[[arm]] {}: of applications nothing is fetched; expected unmodified, forward, track or scan, without records \
             or stamps",
            arm.name
        );
    }
    for (asked, what) in [
        (!experiment.hops.is_empty(), "[[hop]]"),
        (experiment.neighbour.is_some(), "[neighbour]"),
        (experiment.micro.is_some(), "[micro]"),
    ] {
        ensure!(
            !asked,
            "{what}: an application is measured as it is, with nothing of ours beside it; remove it"
        );
    }
    ensure!(
        experiment.words.is_none(),
        "words: applications take the hook with its own words"
    );
    Ok(())
}

impl Job<'_> {
    /// Runs it on copies of an application.
    pub(super) fn run_on_copies(
        &self,
        (ready, image): (&Ready, &Image),
        order: &Order,
        (application, checkout): (&Application, Option<&Path>),
    ) -> Result<LaunchRecord> {
        let Some(cluster) = ready.kubernetes() else {
            bail!("applications are measured in Kubernetes: --topology node or nodes");
        };
        let checkout = checkout.with_context(|| {
            let (name, get) = (&application.name, application.how_to_get());
            format!("where are the manifests of {name}? say --manifests FOLDER, a checkout: {get}")
        })?;
        let mut copies = Copies::new(cluster, application, application.objects(checkout)?)?;
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
            condition: self.condition,
            launch: self.owner.launch,
            experiment: self.experiment,
            order,
            arms: arms.collect(),
            summary: probed.summary,
            warnings: Vec::new(),
            faults: Vec::new(),
            watched: judged(probed.sampled, probed.hits.into_iter()),
        }
        .record(self.folder)
    }
}
