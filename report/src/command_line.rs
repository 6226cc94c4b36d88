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
        /// Folder of the imported 2023 study; left out where it is not there
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
        /// How to print
        #[arg(long, default_value = "text")]
        format: Format,
    },
    /// Print by what servers receive, as `runner observe --servers` has found it
    Observed {
        /// Folder with observed.json
        #[arg(long)]
        run: PathBuf,
        /// How to print
        #[arg(long, default_value = "text")]
        format: Format,
    },
    /// Print and draw what calibration runs recover of known delays, and how often their intervals hold
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
    /// Hold the study's recommendations against runs and against its recordings
    Claims {
        /// Folder of a run, or of runs; once for each
        #[arg(long = "run")]
        runs: Vec<PathBuf>,
        /// Folder of the imported 2023 study; left out where it is not there
        #[arg(long, default_value = "data/ssp2023")]
        study: PathBuf,
        /// How to print
        #[arg(long, default_value = "text")]
        format: Format,
        /// Also keep what the claims were held against, in this file
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// Write what the paper reads: results.json, results.tex and figures/
    Paper {
        /// Folder of recorded runs
        #[arg(long)]
        reference: PathBuf,
        /// Folder of the imported 2023 study; left out where it is not there
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
    /// Fit the simulation study's noise to recordings, and write it as JSON
    Fit {
        /// Folder of the imported 2023 study
        #[arg(long, default_value = "data/ssp2023")]
        study: PathBuf,
        /// What `report calibration` wrote of the coverage experiment
        #[arg(long, default_value = "data/reference/before-plan/coverage/calibration.json")]
        calibration: PathBuf,
        /// Folder of a run of the coverage experiment
        #[arg(long)]
        run: PathBuf,
        /// Folder to write simulation.json to
        #[arg(long, default_value = "analysis")]
        out: PathBuf,
    },
    /// Simulate experiments whose truth is known, and count how often the intervals hold it
    Simulate {
        #[command(flatten)]
        size: SimulationSize,
        /// Folder to write simulation.json to
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Print what hooks cost, as `runner measure` has measured it, and write a page
    HookCosts(HookCostsCommand),
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
    /// Folder of the imported 2023 study; left out where it is not there
    #[arg(long, default_value = "data/ssp2023")]
    pub(crate) study: PathBuf,
    /// Folder to write to
    #[arg(long)]
    pub(crate) out: PathBuf,
}
