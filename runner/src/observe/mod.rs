//! `runner observe -- COMMAND…`: reports the functions and system calls by which a server accepts connections and receives
//! payload, and the hooks that replace these functions.

pub(crate) mod client_probe;
pub(crate) mod command;
mod exports;
mod instruments;
mod passive;
pub(crate) mod probe_result;
mod report;
pub(crate) mod survey;
mod trace;

use anyhow::{Result, bail};

use command::ObservationCommand;
use instruments::Instruments;
use report::ObservationReport;

use crate::preflight::subject::ForeignServer;
use crate::signals::stop_flag;

/// Observes a server and prints the report.
///
/// # Errors
/// If the hook was not built, or the server cannot be observed.
pub(crate) fn run(options: &ObservationCommand) -> Result<()> {
    if !options.own_hook.is_file() {
        bail!(
            "the hook {} is not there; build it by `cargo xtask build`",
            options.own_hook.display()
        );
    }
    if let Some(out) = &options.out {
        return survey::run(&options.servers, &options.own_hook, out);
    }
    let named = options.server.port.is_some() || options.server.server.is_some();
    let mut words = options.command.iter().chain(&options.server.environment);
    if !named && !words.any(|word| word.contains("{port}")) {
        return passive::run(options);
    }
    let subject = ForeignServer::read(&options.server, &options.command)?;
    let stopped = stop_flag()?;
    let (hooked, traced) = Instruments::find(&options.own_hook, &stopped)?.observe(&subject)?;
    let report = ObservationReport::new(&subject.name, hooked, traced, &options.hooks)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text());
    }
    report.conclusive()
}
