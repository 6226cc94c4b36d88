//! Tight loops in the container of an arm, after its server has ended.

use std::fs;
use std::path::Path;
use std::process::Command;

use agent::{HOOK_LOG, PAYLOAD, TELEMETRY, TightLoopRequest, run_alternately};
use anyhow::{Context as _, Result, ensure};
use readhook_telemetry::View;

use crate::placement::{self, ProcessorChoice};
use crate::{requests, supervisor};

/// Runs the request on standard input and prints the blocks.
pub(crate) fn run(work: &Path) -> Result<()> {
    let request: TightLoopRequest = requests::read_request()?;
    placement::confine(ProcessorChoice::First)?;
    let payload = work.join(PAYLOAD);
    fs::write(&payload, &request.payload).with_context(|| format!("cannot write {}", payload.display()))?;
    supervisor::lay_out(&work.join(TELEMETRY), request.records)?;
    fs::write(work.join(HOOK_LOG), "").context("cannot write the log")?;
    let (program, arguments) = request.command.split_first().context("no program to start")?;
    let command = || {
        let mut command = Command::new(program);
        command.args(arguments);
        command
    };
    let mut hooked = command();
    hooked.envs(request.treatment.iter().map(|(name, value)| (name, value)));
    let (blocks, calls) = run_alternately(command(), hooked, request.blocks, request.calls)?;
    let telemetry = fs::read(work.join(TELEMETRY)).context("cannot read the telemetry")?;
    let counted = View::parse(&telemetry)
        .context("cannot read the telemetry")?
        .counters()
        .payload_receives;
    ensure!(
        counted == calls,
        "the tight loop made {calls} calls, and the hook counted {counted}"
    );
    requests::print(&blocks)
}
