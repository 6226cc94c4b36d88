//! The simulation study: the coverage of intervals under recorded noise.

use std::fmt::Write as _;

use analysis::simulation::{Design, LaunchFit, Scenario, ScenarioOutcome, SimulatedNoise, Stopping, WithinFit, study};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The noise of recordings, as `report fit` writes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseFits {
    /// Requests of the 2023 recordings of the unmodified program.
    pub within: Vec<WithinFit>,
    /// Interquartile range of the wire time in our own run, ns: the scale of the requests of an experiment of ours.
    pub iqr_ns: f64,
    /// The fit to launches of this project's own runs.
    pub launches: LaunchFit,
}

impl NoiseFits {
    /// The fit that is kept in the repository.
    ///
    /// # Errors
    /// When the file is not as expected.
    pub fn committed() -> Result<Self> {
        serde_json::from_str(include_str!("../../analysis/simulation.json"))
            .context("analysis/simulation.json: expected what `cargo xtask simulate --fit RUN` writes")
    }
}

/// The size of the simulation.
#[derive(Clone, Copy, Debug, Serialize, clap::Args)]
pub struct SimulationSize {
    /// Experiments of each scenario
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub experiments: u32,
    /// Rounds of each launch
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(100..))]
    pub rounds: u32,
    /// Launches of each experiment
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(10..))]
    pub launches: u32,
    /// Seed of the simulation
    #[arg(long, default_value_t = 2_023)]
    pub seed: u64,
}

/// The precision at which a run may stop early.
const STOPPING: Stopping = Stopping { aimed_at: 16, most: 40 };
/// Rounds of a launch of `experiments/overhead.toml`.
const ROUNDS_OF_A_LAUNCH: f64 = 16_000.0;
/// The cost of the hooked arm, ns.
const COST_NS: f64 = 500.0;

/// Simulates all scenarios. The requests of each condition of the study are simulated at the scale of our runs, interleaved
/// with and without a cost and by the study's design, and at their own scale, at which launches differ little.
#[must_use]
pub fn simulate(fits: &NoiseFits, size: SimulationSize) -> Vec<ScenarioOutcome> {
    let mut outcomes = Vec::new();
    // A launch of our runs has more rounds than can be simulated. A smaller variation of requests gives its median the same
    // standard error.
    let our_iqr_ns = fits.iqr_ns * (f64::from(size.rounds) / ROUNDS_OF_A_LAUNCH).sqrt();
    for within in &fits.within {
        for (scale, iqr_ns, design, cost_ns) in [
            ("our scale", our_iqr_ns, Design::Interleaved, 0.0),
            ("our scale", our_iqr_ns, Design::Interleaved, COST_NS),
            ("our scale", our_iqr_ns, Design::Sequential, 0.0),
            ("its own scale", within.iqr_ns, Design::Interleaved, 0.0),
        ] {
            let scenario = Scenario {
                name: format!("{}, {scale}", within.name),
                noise: SimulatedNoise {
                    within,
                    iqr_ns,
                    launches: &fits.launches,
                    cost_ns,
                },
                design,
                rounds: size.rounds as usize,
                launches: size.launches as usize,
                stopping: STOPPING,
            };
            eprintln!("simulating {}, {design:?}, cost {cost_ns} ns", scenario.name);
            outcomes.push(study(&scenario, size.experiments as usize, size.seed));
        }
    }
    outcomes
}

/// The outcomes as tables for a terminal.
#[must_use]
pub fn text(outcomes: &[ScenarioOutcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        _ = writeln!(
            text,
            "\n{} ({:?}, {}): {} experiments of {} launches; launches differ by {:.0} ns, of which {:.0} % between launches; \
             stopped at ±{:.0} ns after {:.1} launches",
            outcome.scenario,
            outcome.design,
            if outcome.a_a { "A/A" } else { "with a cost" },
            outcome.experiments,
            outcome.launches,
            outcome.launch_sd_ns,
            100.0 * outcome.launch_share,
            outcome.stopped_at_ns,
            outcome.stopped_after,
        );
        for coverage in &outcome.coverage {
            let (low, high) = coverage.held.confidence_interval;
            _ = writeln!(
                text,
                "  {:46}  {:5.1} % [{:.1}, {:.1}]  ± {:.0} ns",
                coverage.method.to_string(),
                100.0 * coverage.held.value,
                100.0 * low,
                100.0 * high,
                coverage.half_width_ns
            );
        }
    }
    text
}
