//! `report hook-costs`: prints the costs of hooks and writes the page. The exit status shows a pipeline that a hook
//! costs more than the limit.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use report::hook_costs::{self, HookCosts};
use report::output_files;

use crate::output::{Format, announce};

/// The exit status if a hook costs more than is allowed.
const ABOVE: u8 = 3;
/// The exit status if a hook could not be measured.
const FAULT: u8 = 4;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HookCostsCommand {
    /// Folder of the run
    #[arg(long)]
    run: PathBuf,
    /// Folder to write index.html and measured.json to
    #[arg(long)]
    out: PathBuf,
    /// How to print
    #[arg(long, default_value = "text")]
    format: Format,
    /// End with exit status 3 if the whole interval of an effect on the median lies above this number of ns
    #[arg(long)]
    fail_above_ns: Option<f64>,
}

pub(crate) fn run(options: &HookCostsCommand) -> Result<ExitCode> {
    let measured = HookCosts::read(&options.run)?;
    let json = serde_json::to_string_pretty(&measured)?;
    match options.format {
        Format::Text => print!("{}", hook_costs::text(&measured)),
        Format::Json => println!("{json}"),
    }
    let figure = hook_costs::figure(&measured)?;
    let page = hook_costs::page(&measured, figure.as_ref());
    let written = [
        output_files::write(&options.out, "measured.json", json.as_bytes())?,
        output_files::write(&options.out, "index.html", page.as_bytes())?,
    ];
    if matches!(options.format, Format::Text) {
        written.iter().for_each(|path| announce(path));
    }
    if measured.faults() > 0 {
        eprintln!(
            "{} of {} hooks could not be measured",
            measured.faults(),
            measured.hooks.len()
        );
        return Ok(ExitCode::from(FAULT));
    }
    if let Some(threshold_ns) = options.fail_above_ns {
        let above = measured.above(threshold_ns);
        if !above.is_empty() {
            eprintln!("above {} µs: {}", threshold_ns / 1e3, above.join(", "));
            return Ok(ExitCode::from(ABOVE));
        }
    }
    Ok(ExitCode::SUCCESS)
}
