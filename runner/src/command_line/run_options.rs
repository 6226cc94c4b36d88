//! The command line of `runner run`, and the changes that it makes to a definition.

use std::path::PathBuf;

use anyhow::{Context, Result};
use model::{ApplicationDefinition, Condition, Experiment, FactorLevel, GridExtent, Schedule};
use provisioning::config::ConfigFile as _;

use crate::command_line::units::duration_ns;
use crate::experiment_file;
use crate::launch::container::{EngineOptions, application};

/// The command line of `runner run`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ExperimentCommand {
    /// Definition, such as experiments/overhead.toml
    pub(crate) experiment: PathBuf,
    /// Folder of the run; the command continues an unfinished run
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Conditions, instead of those of the definition
    #[arg(long, value_delimiter = ',')]
    pub(crate) conditions: Vec<Condition>,
    /// pod, node or nodes: the conditions kubernetes-pod, kubernetes-node or kubernetes-nodes, with containers in one pod, in
    /// pods on one node, or in pods on different nodes
    #[arg(long, value_delimiter = ',', value_parser = topology, conflicts_with = "conditions")]
    pub(crate) topology: Vec<Condition>,
    /// An application instead of the experiment's server and request, such as clusters/macro/teastore.yaml
    #[arg(long = "macro", value_name = "FILE", requires = "manifests")]
    pub(crate) application: Option<PathBuf>,
    /// All cells of a grid, also those of levels with full = true
    #[arg(long)]
    pub(crate) full_grid: bool,
    /// Launches of each condition, instead of the definition's
    #[arg(long)]
    pub(crate) launches: Option<u32>,
    /// Rounds of each launch, instead of the definition's
    #[arg(long)]
    pub(crate) rounds: Option<u64>,
    /// Schedule of the requests, instead of the definition's
    #[arg(long, value_enum)]
    pub(crate) schedule: Option<ScheduleChoice>,
    /// Stop after ten launches or more when the half-width of each contrast's 95 % interval is at most this time, as 100ns or 0.2us
    #[arg(long, value_parser = duration_ns)]
    pub(crate) precision: Option<f64>,
    /// Start no further launch after this time, as 90s or 10min
    #[arg(long, value_parser = duration_ns)]
    pub(crate) budget: Option<f64>,
    /// Fail after the last launch if a launch failed one of its checks
    #[arg(long)]
    pub(crate) strict: bool,
    /// Do not sample resources; the run has no table of resources and no check of limits
    #[arg(long)]
    pub(crate) no_monitor: bool,
    /// The project's hook [default: ../hook/libreadhook.so, from this program's folder]
    #[arg(long)]
    pub(crate) hook: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) engines: EngineOptions,
}

/// Returns the condition of a topology in any Kubernetes cluster.
fn topology(text: &str) -> Result<Condition, String> {
    format!("kubernetes-{text}")
        .parse()
        .map_err(|_| "expected pod, node or nodes".to_owned())
}

/// The schedules that the command line can choose.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum ScheduleChoice {
    Interleaved,
    Sequential,
}

/// Largest number of launches if a precision is given and no number of launches.
pub(crate) const MOST_LAUNCHES: u32 = 200;

/// Returns the experiments of the definition with the changes of the command line.
///
/// # Errors
/// If a file cannot be read, or an experiment is not valid.
pub(crate) fn experiments(options: &ExperimentCommand) -> Result<Vec<Experiment>> {
    let extent = if options.full_grid {
        GridExtent::Full
    } else {
        GridExtent::Default
    };
    let mut experiments = experiment_file::read(&options.experiment, extent)?;
    for experiment in &mut experiments {
        overrule(experiment, options);
        if let Some(file) = &options.application {
            application::replace(experiment, ApplicationDefinition::read(file)?);
        }
        experiment.validate().with_context(|| {
            format!(
                "{} {}",
                options.experiment.display(),
                FactorLevel::folder_name(&experiment.cell)
            )
            .trim_end()
            .to_owned()
        })?;
    }
    Ok(experiments)
}

fn overrule(experiment: &mut Experiment, options: &ExperimentCommand) {
    let conditions = [&options.conditions[..], &options.topology[..]].concat();
    if !conditions.is_empty() {
        experiment.conditions = conditions;
    }
    experiment.launches = options.launches.unwrap_or(experiment.launches);
    if let Some(order) = options.schedule {
        experiment.load.schedule = match order {
            ScheduleChoice::Interleaved => Schedule::Interleaved,
            ScheduleChoice::Sequential => Schedule::Sequential,
        };
    }
    experiment.monitor &= !options.no_monitor;
    experiment.precision_ns = options.precision.or(experiment.precision_ns);
    experiment.budget_s = options.budget.map(|budget_ns| budget_ns / 1e9).or(experiment.budget_s);
    if experiment.precision_ns.is_some() && options.launches.is_none() && options.precision.is_some() {
        experiment.launches = experiment.launches.max(MOST_LAUNCHES);
    }
    if let Some(rounds) = options.rounds {
        // Warm-up and segments keep their shares, so that a launch keeps its number of segments.
        let load = &mut experiment.load;
        let share = |part: u64| part * rounds / load.rounds.max(1);
        (load.warm_up_rounds, load.segment_rounds) = (share(load.warm_up_rounds), share(load.segment_rounds).max(1));
        load.rounds = rounds;
    }
}
