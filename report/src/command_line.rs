//! The command line of `report`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use report::simulation_study::SimulationSize;

use crate::hook_costs_command::HookCostsCommand;
use crate::output::Format;

#[derive(Parser)]
#[command(
    about = "From datasets to tables, figures, results.json and the HTML report",
    version
)]
pub(crate) struct ReportCommandLine {
    #[command(subcommand)]
    pub(crate) verb: ReportVerb,
}

#[derive(Subcommand)]
pub(crate) enum ReportVerb {
    /// Write index.html, results.json and figures/
    Html(HtmlCommand),
    /// Write figures/*.svg and *.png of a run, of the 2023 study, or of both
    Figures {
        /// Folder of the run
        #[arg(long)]
        run: Option<PathBuf>,
        /// Folder of the imported 2023 study; ignored if it does not exist
        #[arg(long, default_value = "data/ssp2023")]
        study: PathBuf,
        /// Folder to write to
        #[arg(long)]
        out: PathBuf,
    },
    /// Print the effects of a run
    Effects {
        /// Folder of the run
        #[arg(long)]
        run: PathBuf,
        /// Print each flagged launch with its reasons instead
        #[arg(long, conflicts_with = "format")]
        flags: bool,
        /// How to print
        #[arg(long, default_value = "text")]
        format: Format,
    },
    /// Print the functions by which servers receive, from the output of `runner observe --servers`
    Observed {
        /// Folder with observed.json
        #[arg(long)]
        run: PathBuf,
        /// How to print
        #[arg(long, default_value = "text")]
        format: Format,
    },
    /// Print and draw the errors of recovered delays in calibration runs, and the coverage of their intervals
    Calibration {
        /// Folder of a run; once per run
        #[arg(long = "run", required = true)]
        runs: Vec<PathBuf>,
        /// Launches of one repetition
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..))]
        repetition: u16,
        /// Folder to write calibration.json and figures/ to
        #[arg(long)]
        out: PathBuf,
    },
    /// Print the errors of estimates with known truth by dose of a disturbance, and the launches that the self-checks flag
    Checks {
        /// Folder of a run of experiments/checks.toml
        #[arg(long)]
        run: PathBuf,
    },
    /// Judge the study's recommendations by runs and by its recordings
    Claims {
        /// Folder of a run, or of runs; once for each
        #[arg(long = "run")]
        runs: Vec<PathBuf>,
        /// Folder of the imported 2023 study; ignored if it does not exist
        #[arg(long, default_value = "data/ssp2023")]
        study: PathBuf,
        /// How to print
        #[arg(long, default_value = "text")]
        format: Format,
        /// Also write the evidence of the claims to this file
        #[arg(long)]
        keep: Option<PathBuf>,
        /// Compute each quantity without each launch, and print a verdict that depends on one launch as inconclusive
        #[arg(long)]
        stability: bool,
        /// Trace the verdicts of one claim to rows, cells, machines, intervals, controls and figures
        #[arg(long, value_name = "CLAIM", conflicts_with = "format")]
        explain: Option<String>,
        /// Registered plan whose rows decide [default: experiments/plan.toml, as it was built in]
        #[arg(long)]
        plan: Option<PathBuf>,
    },
    /// Write the input of the paper: results.json, results.tex and figures/
    Paper {
        /// Folder of recorded runs
        #[arg(long)]
        reference: PathBuf,
        /// Folder of the imported 2023 study; ignored if it does not exist
        #[arg(long, default_value = "data/ssp2023")]
        study: PathBuf,
        /// Folder to write to
        #[arg(long)]
        out: PathBuf,
    },
    /// Print the table of one of the experiments r01 to r10 and draw its figure
    Exhibit {
        /// Folder of the run, or of the grid whose cells are runs
        #[arg(long)]
        run: PathBuf,
        /// Folder to write figures/ to; nothing is drawn without it
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Fit the noise of the simulation study to recordings and write it as JSON
    Fit {
        /// Folder of the imported 2023 study
        #[arg(long, default_value = "data/ssp2023")]
        study: PathBuf,
        /// The file that `report calibration` wrote for the coverage experiment
        #[arg(long, default_value = "data/reference/before-plan/coverage/calibration.json")]
        calibration: PathBuf,
        /// Folder of a run of the coverage experiment
        #[arg(long)]
        run: PathBuf,
        /// Folder to write simulation.json to
        #[arg(long, default_value = "analysis")]
        out: PathBuf,
    },
    /// Simulate experiments whose true effect is known, and count the intervals that contain it
    Simulate {
        /// The intervals or verdicts to examine
        #[arg(value_enum, default_value_t)]
        subject: SimulationSubject,
        #[command(flatten)]
        size: SimulationSize,
        /// Folder of recorded runs, from whose launches simulated launches are drawn
        #[arg(long, default_value = "data/reference")]
        recorded: PathBuf,
        /// The file that `report calibration` wrote for the coverage experiment
        #[arg(long, default_value = "data/reference/before-plan/coverage/calibration.json")]
        calibration: PathBuf,
        /// Folder to write SUBJECT.json to; the subject `effects` writes simulation.json
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Print the costs of hooks from the output of `runner measure`, and write a page
    HookCosts(HookCostsCommand),
    /// Print the costs of loading a hook from the output of `runner starts`
    Starts {
        /// The file that `runner starts` has written
        #[arg(long)]
        costs: PathBuf,
    },
    /// Print the 2023 study's numbers, recomputed from its recordings
    Study {
        /// Folder of the imported study
        #[arg(long, default_value = "data/ssp2023")]
        study: PathBuf,
        /// How to print
        #[arg(long, default_value = "text")]
        format: Format,
        /// Also write its two figures to this folder's figures/
        #[arg(long)]
        figures: Option<PathBuf>,
    },
}

#[derive(clap::Args)]
pub(crate) struct HtmlCommand {
    /// Folder of the run
    #[arg(long)]
    pub(crate) run: PathBuf,
    /// Folder of the imported 2023 study; ignored if it does not exist
    #[arg(long, default_value = "data/ssp2023")]
    pub(crate) study: PathBuf,
    /// Folder to write to
    #[arg(long)]
    pub(crate) out: PathBuf,
}

/// The intervals or verdicts that a simulation examines.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum SimulationSubject {
    /// The intervals of an effect
    #[default]
    Effects,
    /// The candidate intervals of a ratio of spreads
    Spreads,
    /// The total intervals of an effect
    Totals,
    /// The verdicts of claims: power at the least effect of interest, false verdicts at the threshold
    Claims,
}
