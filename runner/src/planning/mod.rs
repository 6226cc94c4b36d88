//! `runner plan`: writes the experiment that reaches a goal in the shortest time, from the variances of a pilot run.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use analysis::stats::components::of_segments;
use analysis::stats::power::{Goal, POWER, half_width, launches_for, mde};
use analysis::{AllocationBounds, Pilot};
use anyhow::{Context, Result, ensure};
use dataset::Run;
use model::{Contrast, Experiment, GridExtent, LaunchRecord, Location};
use samples::{FoldSettings, LaunchTimeline, ObservedLaunch};

use crate::command_line::units::duration_ns;
use crate::experiment_file;

const CONFIDENCE: f64 = 0.95;

/// The command line of `runner plan`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PlanningCommand {
    /// The pilot: a finished run, with about ten launches
    #[arg(long)]
    run: PathBuf,
    #[command(flatten)]
    goal: PlanGoal,
    /// Plan for this contrast; once for each contrast [default: all contrasts of medians]
    #[arg(long = "contrast")]
    contrasts: Vec<String>,
    /// File for the planned definition
    #[arg(long)]
    out: PathBuf,
}

/// The goal of the planned experiment: one of the two options.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct PlanGoal {
    /// Half-width of each contrast's 95 % interval, as 100ns or 0.1us
    #[arg(long, value_parser = duration_ns)]
    precision: Option<f64>,
    /// Effect that the experiment detects with 80 % power, as 0.5us
    #[arg(long, value_parser = duration_ns)]
    effect: Option<f64>,
}

impl PlanGoal {
    fn goal(&self) -> Goal {
        match (self.precision, self.effect) {
            (Some(half), _) => Goal::HalfWidth(half),
            (None, size) => Goal::Effect {
                size: size.unwrap_or_default(),
                power: POWER,
            },
        }
    }

    fn text(&self) -> String {
        match (self.precision, self.effect) {
            (Some(half_ns), _) => format!("half-widths of at most {:.3} us", half_ns / 1e3),
            (None, size_ns) => format!(
                "an effect of {:.3} us found with {:.0} % power",
                size_ns.unwrap_or_default() / 1e3,
                100.0 * POWER
            ),
        }
    }
}

/// The pilot's variances of one contrast in one condition.
struct ContrastVariances {
    condition: String,
    contrast: String,
    pilot: Pilot,
}

/// Size of the planned experiment.
struct ChosenDesign {
    launches: u32,
    /// Rounds of a launch without warm-up.
    rounds: u64,
    /// Expected duration of all launches, s.
    seconds: f64,
}

/// Reads the pilot, writes the planned definition, and prints the expected precision.
///
/// # Errors
/// If the pilot cannot be read, has no contrast of medians, or the goal cannot be reached.
pub(crate) fn run(options: &PlanningCommand) -> Result<()> {
    let run = Run::open(&options.run)?;
    let mut experiment = run.manifest.plan.clone().with_context(|| {
        format!(
            "{} cannot be a pilot: the manifest has no plan, because the run was imported",
            options.run.display()
        )
    })?;
    let spreads = spreads(&run, &experiment, &options.contrasts)?;
    let goal = options.goal.goal();
    let chosen = choose(&spreads, goal, &experiment)?;
    let text = expectation(&spreads, &chosen, options, &experiment)?;
    experiment.launches = chosen.launches;
    experiment.load.rounds = experiment.load.warm_up_rounds + chosen.rounds;
    experiment.precision_ns = None;
    experiment.budget_s = None;
    let here: BTreeSet<&str> = spreads.iter().map(|spread| spread.condition.as_str()).collect();
    experiment.conditions.retain(|place| here.contains(place.name()));
    experiment.validate().context("the planned experiment")?;
    let definition = toml::to_string(&experiment).context("the planned experiment as TOML")?;
    let comment: String = text.lines().map(|line| format!("# {line}\n")).collect();
    if let Some(folder) = options.out.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    dataset::write_file(&options.out, format!("{comment}\n{definition}").as_bytes())?;
    // The written file must be a valid definition of the same experiment.
    ensure!(
        experiment_file::read(&options.out, GridExtent::Default)? == [experiment],
        "{} differs from the planned experiment; please report this mistake",
        options.out.display()
    );
    print!("{text}");
    println!("wrote {}", options.out.display());
    Ok(())
}

/// Returns the variances of the wanted contrasts in each condition.
fn spreads(run: &Run, experiment: &Experiment, wanted: &[String]) -> Result<Vec<ContrastVariances>> {
    for name in wanted {
        let known = experiment.contrasts.iter().any(|contrast| contrast.name == *name);
        ensure!(known, "--contrast {name}: the pilot has no such contrast");
    }
    let chosen = |contrast: &&Contrast| {
        contrast.location == Location::Median && (wanted.is_empty() || wanted.contains(&contrast.name))
    };
    let mut found = Vec::new();
    for condition in &run.manifest.conditions {
        let launches: Vec<&LaunchRecord> = run
            .manifest
            .launches
            .iter()
            .filter(|launch| launch.condition == condition.name)
            .collect();
        if launches.is_empty() {
            continue;
        }
        let settings = FoldSettings::from(experiment);
        let timelines = launches
            .iter()
            .map(|launch| {
                let file = run.directory.join(&launch.files.observations);
                Ok(ObservedLaunch::read(&file, launch, &settings, None)?.timeline)
            })
            .collect::<Result<Vec<LaunchTimeline>>>()?;
        let (launch_s, round_s) = costs(run, experiment)?;
        for contrast in experiment.contrasts.iter().filter(chosen) {
            let differences: Vec<Vec<f64>> = timelines
                .iter()
                .map(|timeline| timeline.differences(&contrast.baseline, &contrast.arm))
                .collect();
            let components = of_segments(&differences)
                .with_context(|| format!("contrast {} in {}", contrast.name, condition.name))?;
            found.push(ContrastVariances {
                condition: condition.name.clone(),
                contrast: contrast.name.clone(),
                pilot: Pilot::new(&components, experiment.load.segment_rounds, launch_s, round_s)?,
            });
        }
    }
    ensure!(
        !found.is_empty(),
        "the pilot has no contrast of medians; name a run of an experiment with [[contrast]]"
    );
    Ok(found)
}

/// Returns the duration of a launch without its measured rounds, and the duration of a round, s.
fn costs(run: &Run, experiment: &Experiment) -> Result<(f64, f64)> {
    let costs = run
        .manifest
        .costs_s(experiment.load.rounds, experiment.load.warm_up_rounds);
    costs.context("the record of a launch has no duration (loadgen.elapsed_s); measure the pilot again")
}

/// Returns the numbers of launches and rounds with which every contrast reaches the goal in every condition in the shortest
/// time. The candidates are the optimal numbers of rounds of the single contrasts.
#[expect(clippy::cast_precision_loss, reason = "a count of rounds")]
fn choose(spreads: &[ContrastVariances], goal: Goal, experiment: &Experiment) -> Result<ChosenDesign> {
    let measured = experiment.load.rounds.saturating_sub(experiment.load.warm_up_rounds);
    let limits = AllocationBounds::of_pilot(experiment.load.segment_rounds, measured);
    let conditions: BTreeSet<&str> = spreads.iter().map(|spread| spread.condition.as_str()).collect();
    let mut best: Option<ChosenDesign> = None;
    for candidate in spreads {
        let rounds = candidate.pilot.allocate(goal, CONFIDENCE, &limits)?.rounds;
        let mut launches = limits.least_launches;
        for spread in spreads {
            launches = launches.max(launches_for(goal, spread.pilot.launch_sd(rounds), CONFIDENCE)?);
        }
        let of_launch_s = candidate.pilot.launch_s + rounds as f64 * candidate.pilot.round_s;
        let seconds = f64::from(launches) * of_launch_s * conditions.len() as f64;
        if best.as_ref().is_none_or(|best| seconds < best.seconds) {
            best = Some(ChosenDesign {
                launches,
                rounds,
                seconds,
            });
        }
    }
    best.context("the pilot has no contrast")
}

/// Returns the comment of the planned definition: the goal, the duration, and the expected precision of each contrast.
fn expectation(
    spreads: &[ContrastVariances],
    chosen: &ChosenDesign,
    options: &PlanningCommand,
    experiment: &Experiment,
) -> Result<String> {
    let mut text = format!(
        "Planned by `runner plan` from the run {} for {}.\n",
        options.run.file_name().unwrap_or_default().display(),
        options.goal.text()
    );
    let Pilot { launch_s, round_s, .. } = spreads[0].pilot;
    _ = writeln!(
        text,
        "The pilot's launches took {launch_s:.2} s around their measured rounds, warm-up among it, and {:.1} us a round.",
        round_s * 1e6
    );
    _ = writeln!(
        text,
        "{} launches of {} measured rounds in each condition: about {:.0} s in all.",
        chosen.launches, chosen.rounds, chosen.seconds
    );
    for spread in spreads {
        let launch_sd = spread.pilot.launch_sd(chosen.rounds);
        _ = writeln!(
            text,
            "{}, {}: standard deviation {:.3} us between launches and {:.3} us between segments of {} rounds; expected \
             half-width {:.3} us, MDE {:.3} us",
            spread.condition,
            spread.contrast,
            spread.pilot.launch_variance.sqrt() / 1e3,
            spread.pilot.segment_variance.sqrt() / 1e3,
            experiment.load.segment_rounds,
            half_width(launch_sd, chosen.launches, CONFIDENCE)? / 1e3,
            mde(launch_sd, chosen.launches, CONFIDENCE, POWER)? / 1e3,
        );
    }
    Ok(text)
}
