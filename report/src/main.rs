//! `report`: reads datasets, writes tables, figures, `results.json` and the HTML report.
#![forbid(unsafe_code)]

mod command_line;
mod hook_costs_command;
mod output;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use analysis::claims::CurrentPlan;
use anyhow::{Context as _, Result, bail};
use clap::Parser;
use dataset::{ObservedServers, Run};
use model::flagged_line;
use report::claim_definitions::{current_plan, plan_of};
use report::claims::{self, JudgedClaims};
use report::explanation::explanation;
use report::hook_costs::start_text;
use report::paper::Paper;
use report::recorded_launches::recorded_contrasts;
use report::run_page::{self, RunPage};
use report::simulation_study::{self, NoiseFits, SimulationSize};
use report::study::StudyResults;
use report::{
    calibration, check_study, claim_power, exhibits, figures, noise_fit, observed_servers, output_files, results,
    spread_study, table, total_interval_study,
};
use samples::{imported_recordings, run_samples, study_recordings};

use crate::command_line::{HtmlCommand, ReportCommandLine, ReportVerb, SimulationSubject};
use crate::output::{Format, announce, write_all, write_both, write_json};

fn main() -> Result<ExitCode> {
    match ReportCommandLine::parse().verb {
        ReportVerb::HookCosts(options) => return hook_costs_command::run(&options),
        ReportVerb::Html(output) => write_html(&output)?,
        ReportVerb::Figures { run, study, out } => write_figures(run.as_deref(), &study, &out)?,
        ReportVerb::Effects { run, flags: true, .. } => print!("{}", table::flags(&Run::open(&run)?.manifest)),
        ReportVerb::Effects { run, format, .. } => {
            let run = Run::open(&run)?;
            let samples = run_samples(&run)?;
            let results = results::results(&run.manifest, &samples)?;
            format.print(&results, || {
                let limits = table::limits(&run.manifest).into_iter();
                let limits: String = limits.map(|limit| format!("limits: {limit}\n")).collect();
                table::effects(&results) + &limits + &flagged_line(&run.manifest.launches) + "\n"
            })?;
        }
        ReportVerb::Observed { run, format } => {
            let observed = ObservedServers::read(&run)?;
            format.print(&observed_servers::rows(&observed), || observed_servers::text(&observed))?;
        }
        ReportVerb::Checks { run } => print!("{}", check_study::text(&run)?),
        ReportVerb::Calibration { runs, repetition, out } => write_calibration(&runs, repetition, &out)?,
        ReportVerb::Claims {
            runs,
            study,
            format,
            keep,
            stability,
            explain,
            plan,
        } => {
            let plan = plan.as_deref().map_or_else(current_plan, read_plan)?;
            let gathered = claims::gather_from(&runs, &study, stability)?;
            if let Some(path) = keep {
                dataset::write_json(&path, &gathered.evidence)?;
            }
            let mut judged = JudgedClaims::by(&plan, &gathered.evidence)?;
            if stability {
                judged.examine_stability(&plan, &gathered)?;
            }
            match explain {
                Some(id) => print!("{}", explanation(&id, &judged, &plan, &gathered)?),
                None => format.print(&judged, || judged.text())?,
            }
        }
        ReportVerb::Paper { reference, study, out } => write_paper(&Paper::of(&reference, &study)?, &out)?,
        ReportVerb::Exhibit { run, out } => show_exhibit(&run, out.as_deref())?,
        ReportVerb::Fit {
            study,
            calibration,
            run,
            out,
        } => write_fit(&study, &calibration, &run, &out)?,
        ReportVerb::Simulate {
            subject,
            size,
            recorded,
            calibration,
            out,
        } => match subject {
            SimulationSubject::Effects => write_simulation(size, out.as_deref())?,
            SimulationSubject::Spreads => write_spreads(size, &recorded, &calibration, out.as_deref())?,
            SimulationSubject::Totals => write_totals(size, &recorded, out.as_deref())?,
            SimulationSubject::Claims => write_claim_power(size, &recorded, out.as_deref())?,
        },
        ReportVerb::Starts { costs } => {
            let text = std::fs::read_to_string(&costs).with_context(|| format!("cannot read {}", costs.display()))?;
            let read = serde_json::from_str(&text).with_context(|| format!("{} is damaged", costs.display()))?;
            print!("{}", start_text(&read)?);
        }
        ReportVerb::Study { study, format, figures } => print_study(&study, format, figures.as_deref())?,
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
    format.print(&study, || study.text())?;
    written?.iter().flatten().flatten().for_each(|path| announce(path));
    Ok(())
}

fn read_plan(path: &Path) -> Result<CurrentPlan> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    plan_of(&text).with_context(|| path.display().to_string())
}

fn show_exhibit(run: &Path, out: Option<&Path>) -> Result<()> {
    let exhibit = exhibits::read(run)?;
    println!("{}: {}\n", exhibit.experiment, exhibit.question);
    print!("{}", exhibit.table);
    out.map_or(Ok(()), |out| write_all(&[exhibit.figure], out))
}

fn write_fit(study: &Path, calibration: &Path, run: &Path, out: &Path) -> Result<()> {
    let fits = noise_fit::fit(study, calibration, run)?;
    write_json(out, "simulation.json", &fits)
}

fn write_simulation(size: SimulationSize, out: Option<&Path>) -> Result<()> {
    let outcomes = simulation_study::simulate(&NoiseFits::committed()?, size);
    print!("{}", simulation_study::text(&outcomes));
    if let Some(out) = out {
        let values = serde_json::json!({ "size": size, "outcomes": outcomes });
        write_json(out, "simulation.json", &values)?;
    }
    Ok(())
}

fn write_spreads(size: SimulationSize, recorded: &Path, repeated: &Path, out: Option<&Path>) -> Result<()> {
    let populations = spread_study::populations(&recorded_contrasts(recorded)?, &calibration::read(repeated)?);
    let outcomes = spread_study::simulate(&populations, size.experiments, size.seed)?;
    print!("{}", spread_study::text(&outcomes));
    out.map_or(Ok(()), |out| write_json(out, "spreads.json", &outcomes))
}

fn write_totals(size: SimulationSize, recorded: &Path, out: Option<&Path>) -> Result<()> {
    let cells = total_interval_study::cells(&recorded_contrasts(recorded)?);
    let outcomes = total_interval_study::simulate(&cells, size.experiments, size.seed)?;
    print!("{}", total_interval_study::text(&outcomes));
    out.map_or(Ok(()), |out| write_json(out, "totals.json", &outcomes))
}

fn write_claim_power(size: SimulationSize, recorded: &Path, out: Option<&Path>) -> Result<()> {
    let study = claim_power::simulate(&current_plan()?, recorded, size.experiments, size.seed)?;
    print!("{}", study.text());
    out.map_or(Ok(()), |out| write_json(out, "claims.json", &study))
}

fn write_calibration(runs: &[PathBuf], repetition: u16, out: &Path) -> Result<()> {
    let mut found = Vec::new();
    for run in runs {
        let run = Run::open(run)?;
        let samples = run_samples(&run)?;
        found.extend(calibration::calibrations(&run.manifest, &samples, repetition.into())?);
    }
    print!("{}", calibration::text(&found));
    write_json(out, "calibration.json", &found)?;
    write_all(&calibration::figures(&found)?, out)
}

fn write_html(output: &HtmlCommand) -> Result<()> {
    let page = RunPage::read(&output.run, &output.study, &output.out)?;
    write_all(&page.figures, &output.out)?;
    let values = serde_json::json!({
        "run": page.results, "further": page.further, "study": page.study, "claims": page.claims,
        "reproduction": page.reproduction, "checklist": page.checklist,
    });
    write_json(&output.out, "results.json", &values)?;
    if let Some(reproduction) = &page.reproduction {
        write_json(&output.out, "reproduction.json", reproduction)?;
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
    if let Some(recordings) = imported_recordings(study)? {
        drawn.extend(figures::study(&recordings)?);
    }
    if drawn.is_empty() {
        bail!("nothing to draw: name a run by --run, or import the study by `cargo xtask import ssp2023`");
    }
    write_all(&drawn, out)
}

fn write_paper(paper: &Paper, out: &Path) -> Result<()> {
    write_json(out, "results.json", &paper.numbers)?;
    announce(&output_files::write(out, "results.tex", paper.macros.as_bytes())?);
    for figure in &paper.figures {
        let name = format!("figures/{}.svg", figure.name);
        announce(&output_files::write(out, &name, figure.svg.as_bytes())?);
    }
    Ok(())
}
