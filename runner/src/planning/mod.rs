//! `runner plan`: from a pilot run to the experiment that reaches a goal at least cost.

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

/// What to plan.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PlanningCommand {
    /// The pilot: any finished run with ten launches or so
    #[arg(long)]
    run: PathBuf,
    #[command(flatten)]
    goal: PlanGoal,
    /// Only for this contrast; once for each [default: all that compare medians]
    #[arg(long = "contrast")]
    contrasts: Vec<String>,
    /// The definition to write
    #[arg(long)]
    out: PathBuf,
}

/// One of both.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct PlanGoal {
    /// Half of each contrast's 95 % interval, as 100ns or 0.1us
    #[arg(long, value_parser = duration_ns)]
    precision: Option<f64>,
    /// Effect to be found with 80 % power, as 0.5us
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

/// How the experiment is to be.
struct ChosenDesign {
    launches: u32,
    /// Measured rounds, warm-up not among them.
    rounds: u64,
    seconds: f64,
}

/// Reads the pilot, chooses, writes the definition and says what to expect.
pub(crate) fn run(options: &PlanningCommand) -> Result<()> {
    let run = Run::open(&options.run)?;
    let mut experiment = run.manifest.plan.clone().with_context(|| {
        format!(
            "{} cannot be a pilot: it was imported, so that its plan is not known",
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
    // What was written is read as any definition is.
    ensure!(
        experiment_file::read(&options.out, GridExtent::Default)? == [experiment],
        "{} does not say what was planned; that is a mistake of this program",
        options.out.display()
    );
    print!("{text}");
    println!("wrote {}", options.out.display());
    Ok(())
}

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

/// What a launch costs besides its measured rounds, and what a round costs, s.
fn costs(run: &Run, experiment: &Experiment) -> Result<(f64, f64)> {
    let costs = run
        .manifest
        .costs_s(experiment.load.rounds, experiment.load.warm_up_rounds);
    costs.context("a launch does not say how long it measured (loadgen.elapsed_s); measure the pilot again")
}

/// The cheapest launches and rounds with which every contrast reaches the goal in every condition: one definition has the
/// same for all. Of the rounds that are best for any of them, those are taken with which all are cheapest.
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
    best.context("no contrast")
}

/// What to expect of it, and how it came about.
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
