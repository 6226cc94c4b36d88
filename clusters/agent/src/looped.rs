//! Tight loops in an arm's container, once its server has ended.

use std::fs;
use std::path::Path;
use std::process::Command;

use agent::{LOG, PAYLOAD, TELEMETRY, TightLoop, alternate};
use anyhow::{Context as _, Result, ensure};
use readhook_telemetry::View;

use crate::processor::{self, Processor};
use crate::{arm, ask};

/// As asked on standard input; tells the blocks.
pub(crate) fn run(work: &Path) -> Result<()> {
    let asked: TightLoop = ask::hear()?;
    processor::confine(Processor::First)?;
    let payload = work.join(PAYLOAD);
    fs::write(&payload, &asked.payload).with_context(|| format!("cannot write {}", payload.display()))?;
    arm::lay_out(&work.join(TELEMETRY), asked.records)?;
    fs::write(work.join(LOG), "").context("cannot write the log")?;
    let (program, arguments) = asked.command.split_first().context("no program to start")?;
    let command = || {
        let mut command = Command::new(program);
        command.args(arguments);
        command
    };
    let mut hooked = command();
    hooked.envs(asked.treatment.iter().map(|(name, value)| (name, value)));
    let (blocks, calls) = alternate(command(), hooked, asked.blocks, asked.calls)?;
    let telemetry = fs::read(work.join(TELEMETRY)).context("cannot read the telemetry")?;
    let seen = View::parse(&telemetry)
        .context("what the hook left")?
        .counters()
        .payload_receives;
    ensure!(
        seen == calls,
        "the tight loop made {calls} calls, of which the hook saw {seen}"
    );
    ask::print(&blocks)
}
