//! `report`: reads datasets, writes tables, figures, `results.json` and the HTML report.
#![forbid(unsafe_code)]

mod hook_costs_command;
mod run_page_contents;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use analysis::figures::Figure;
use anyhow::{Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use dataset::{ObservedServers, Run};
use rayon::prelude::*;
use report::claims::{self, JudgedClaims};
use report::paper::Paper;
use report::simulation_study::{Fits, Size};
use report::study::StudyResults;
use report::{
    calibration, exhibits, figures, noise_fit, observed_servers, output_files, results, run_page, simulation_study,
    table,
};
use samples::{run_samples, study_recordings};

/// Times 96 pixels per inch: 216 dpi, 1,188 pixels of width.
const PNG_SCALE: f32 = 2.25;

#[derive(Parser)]
#[command(
    about = "From datasets to tables, figures, results.json and the HTML report",
    version
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write index.html, results.json and figures/
    Html(Output),
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
    /// Print by what servers receive, as `bench observe --servers` has found it
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
        size: Size,
        /// Folder to write simulation.json to
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Print what hooks cost, as `bench measure` has measured it, and write a page
    MeasuredQuantity(hook_costs_command::Options),
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
struct Output {
    /// Folder of the run
    #[arg(long)]
    run: PathBuf,
    /// Folder of the imported 2023 study; left out where it is not there
    #[arg(long, default_value = "data/ssp2023")]
    study: PathBuf,
    /// Folder to write to
    #[arg(long)]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::MeasuredQuantity(options) => return hook_costs_command::run(&options),
        Command::Html(output) => write_html(&output)?,
        Command::Figures { run, study, out } => write_figures(run.as_deref(), &study, &out)?,
        Command::Effects { run, format } => {
            let run = Run::open(&run)?;
            let samples = run_samples(&run)?;
            let results = results::results(&run.manifest, &samples)?;
            match format {
                Format::Text => {
                    print!("{}", table::effects(&results));
                    for limit in table::limits(&run.manifest) {
                        println!("limits: {limit}");
                    }
                }
                Format::Json => println!("{}", serde_json::to_string_pretty(&results)?),
            }
        }
        Command::Observed { run, format } => {
            let observed = ObservedServers::read(&run)?;
            match format {
                Format::Text => print!("{}", observed_servers::text(&observed)),
                Format::Json => println!("{}", serde_json::to_string_pretty(&observed_servers::rows(&observed))?),
            }
        }
        Command::Calibration { runs, repetition, out } => write_calibration(&runs, repetition, &out)?,
        Command::Claims {
            runs,
            study,
            format,
            keep,
        } => print_claims(&runs, &study, format, keep.as_deref())?,
        Command::Paper { reference, study, out } => write_paper(&Paper::of(&reference, &study)?, &out)?,
        Command::Exhibit { run, out } => show_exhibit(&run, out.as_deref())?,
        Command::Fit {
            study,
            calibration,
            run,
            out,
        } => write_fit(&study, &calibration, &run, &out)?,
        Command::Simulate { size, out } => write_simulation(size, out.as_deref())?,
        Command::Study { study, format, figures } => print_study(&study, format, figures.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_study(study: &Path, format: Format, out: Option<&Path>) -> Result<()> {
    let recordings = study_recordings(study)?;
    let draw = |out| -> Result<[[PathBuf; 2]; 2]> {
        let (boxes, sequence) = rayon::join(
            || write_both(&figures::study_boxes(&recordings)?, out),
            || write_both(&figures::study_sequence(&recordings)?, out),
        );
        Ok([boxes?, sequence?])
    };
    let (study, written) = rayon::join(|| StudyResults::compute(&recordings), || out.map(draw).transpose());
    let study = study?;
    match format {
        Format::Text => print!("{}", study.text()),
        Format::Json => println!("{}", serde_json::to_string_pretty(&study)?),
    }
    written?.iter().flatten().flatten().for_each(|path| announce(path));
    Ok(())
}

fn print_claims(runs: &[PathBuf], study: &Path, format: Format, keep: Option<&Path>) -> Result<()> {
    let found = claims::gather(runs, study)?;
    if let Some(path) = keep {
        dataset::write_json(path, &found)?;
    }
    let judged = JudgedClaims::of(&found)?;
    match format {
        Format::Text => print!("{}", judged.text()),
        Format::Json => println!("{}", serde_json::to_string_pretty(&judged)?),
    }
    Ok(())
}

fn show_exhibit(run: &Path, out: Option<&Path>) -> Result<()> {
    let exhibit = exhibits::read(run)?;
    println!("{}: {}\n", exhibit.experiment, exhibit.question);
    print!("{}", exhibit.table);
    out.map_or(Ok(()), |out| write_all(&[exhibit.figure], out))
}

fn write_fit(study: &Path, calibration: &Path, run: &Path, out: &Path) -> Result<()> {
    let fits = noise_fit::fit(study, calibration, run)?;
    let json = serde_json::to_string_pretty(&fits)? + "\n";
    announce(&output_files::write(out, "simulation.json", json.as_bytes())?);
    Ok(())
}

fn write_simulation(size: Size, out: Option<&Path>) -> Result<()> {
    let outcomes = simulation_study::simulate(&Fits::committed()?, size);
    print!("{}", simulation_study::text(&outcomes));
    if let Some(out) = out {
        let values = serde_json::json!({ "size": size, "outcomes": outcomes });
        let json = serde_json::to_string_pretty(&values)? + "\n";
        announce(&output_files::write(out, "simulation.json", json.as_bytes())?);
    }
    Ok(())
}

fn write_calibration(runs: &[PathBuf], repetition: u16, out: &Path) -> Result<()> {
    let mut found = Vec::new();
    for run in runs {
        let run = Run::open(run)?;
        let samples = run_samples(&run)?;
        found.extend(calibration::calibrations(&run.manifest, &samples, repetition.into())?);
    }
    print!("{}", calibration::text(&found));
    let json = serde_json::to_string_pretty(&found)?;
    announce(&output_files::write(out, "calibration.json", json.as_bytes())?);
    write_all(&calibration::figures(&found)?, out)
}

fn write_html(output: &Output) -> Result<()> {
    let page = run_page_contents::page(&output.run, &output.study, &output.out)?;
    write_all(&page.figures, &output.out)?;
    let values = serde_json::json!({
        "run": page.results, "further": page.further, "study": page.study, "claims": page.claims,
        "reproduction": page.reproduction, "checklist": page.checklist,
    });
    announce(&output_files::write(
        &output.out,
        "results.json",
        serde_json::to_string_pretty(&values)?.as_bytes(),
    )?);
    if let Some(reproduction) = &page.reproduction {
        let kept = serde_json::to_string_pretty(reproduction)?;
        announce(&output_files::write(&output.out, "reproduction.json", kept.as_bytes())?);
    }
    let path = output_files::write(&output.out, "index.html", run_page::page(&page).as_bytes())?;
    announce(&path);
    println!("again with: {}", page.command);
    Ok(())
}

fn write_figures(run: Option<&Path>, study: &Path, out: &Path) -> Result<()> {
    let mut drawn = Vec::new();
    if let Some(run) = run {
        let run = Run::open(run)?;
        let samples = run_samples(&run)?;
        drawn.extend(figures::run(&results::results(&run.manifest, &samples)?, &samples)?);
    }
    if let Some(recordings) = run_page_contents::recordings(study)? {
        drawn.extend(figures::study(&recordings)?);
    }
    if drawn.is_empty() {
        bail!("nothing to draw: name a run by --run, or import the study by `cargo xtask import ssp2023`");
    }
    write_all(&drawn, out)
}

fn write_paper(paper: &Paper, out: &Path) -> Result<()> {
    let numbers = serde_json::to_string_pretty(&paper.numbers)? + "\n";
    announce(&output_files::write(out, "results.json", numbers.as_bytes())?);
    announce(&output_files::write(out, "results.tex", paper.macros.as_bytes())?);
    for figure in &paper.figures {
        let name = format!("figures/{}.svg", figure.name);
        announce(&output_files::write(out, &name, figure.svg.as_bytes())?);
    }
    Ok(())
}

fn write_all(figures: &[Figure], out: &Path) -> Result<()> {
    let written = figures.par_iter().map(|figure| write_both(figure, out));
    let written: Vec<[PathBuf; 2]> = written.collect::<Result<_>>()?;
    written.iter().flatten().for_each(|path| announce(path));
    Ok(())
}

/// A figure as SVG and as PNG.
fn write_both(figure: &Figure, out: &Path) -> Result<[PathBuf; 2]> {
    let name = |ending| format!("figures/{}.{ending}", figure.name);
    Ok([
        output_files::write(out, &name("svg"), figure.svg.as_bytes())?,
        output_files::write(out, &name("png"), &figure.to_png(PNG_SCALE)?)?,
    ])
}

fn announce(path: &Path) {
    println!("wrote {}", path.display());
}
