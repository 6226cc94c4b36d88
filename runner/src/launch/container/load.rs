//! The load generator in its container.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use engines::Image;
use engines::{ContainerRole, ContainerSpec, RunningContainers};
use model::{Experiment, LaunchPlan, OBSERVATIONS_FILE};
use monitor::limit_hits_between;

use super::agent_client;
use super::cluster_metrics::MetricsScrape;
use super::resource_samples::{Sampling, watched};
use crate::launch::backend::LoadOutcome;
use crate::launch::local::control_groups::of_container;
use crate::launch::process::LOAD_GENERATOR;

/// Returns the container of the load generator, which idles until it is used.
pub(super) fn container(experiment: &Experiment) -> ContainerSpec {
    ContainerSpec {
        name: LOAD_GENERATOR.to_owned(),
        role: ContainerRole::LoadGenerator,
        command: [Image::AGENT, "idle"].map(str::to_owned).to_vec(),
        environment: BTreeMap::new(),
        limits: of_container(experiment.loadgen_limits()),
    }
}

/// Returns the file of observations in the load generator's container.
pub(super) fn observations() -> PathBuf {
    Path::new(Image::WORK).join(OBSERVATIONS_FILE)
}

/// Runs the load generator until it ends. `sampling` and `scraping` watch resources while it runs.
///
/// # Errors
/// If the container does not answer, or resources cannot be watched.
pub(super) fn generate(
    running: &dyn RunningContainers,
    plan: &LaunchPlan,
    sampling: Option<Sampling<'_>>,
    scraping: Option<MetricsScrape<'_>>,
) -> Result<LoadOutcome> {
    let before = agent_client::usage(running, LOAD_GENERATOR)?;
    let mut printed = Vec::new();
    let line = agent_client::line(plan)?;
    let ended = running.exec(
        LOAD_GENERATOR,
        &[Image::LOADGEN, "run", "--plan", "-"],
        &line,
        &mut printed,
    )?;
    let failed = ended.code != 0;
    let failure = failed.then(|| format!("the load generator ended with {}; its message stands above", ended.code));
    // The failure of the load generator can also prevent the reading of its resources. It came first, so it is the
    // reported reason.
    let because = |error: anyhow::Error| match &failure {
        Some(failure) => error.context(failure.clone()),
        None => error,
    };
    let after = agent_client::usage(running, LOAD_GENERATOR).map_err(because)?;
    let counted = limit_hits_between(LOAD_GENERATOR, Some(&before), &after);
    let watched = sampling.map(|sampling| watched(sampling, scraping)).transpose();
    let watched = watched.map_err(because)?;
    if let (true, Some(failure)) = (printed.is_empty(), &failure) {
        let hits = counted.iter().map(ToString::to_string);
        let reasons: Vec<String> = [failure.clone()].into_iter().chain(hits).collect();
        bail!("{}", reasons.join("; "));
    }
    Ok(LoadOutcome {
        printed,
        failure,
        watched,
        counted: Some(counted),
    })
}
