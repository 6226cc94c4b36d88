//! Receive calls without a server around them: each hooked arm's treatment in a tight loop, in the launch that measures it in
//! a server.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, ensure};
use dataset::{Block, TightLoopSummary};
use serde::{Deserialize, Serialize};

use crate::definition::{Accept, Arm, Experiment, Receive, Sut, Treatment};
use crate::memory::{MemoryFile, Seen};
use crate::server::starter;
use crate::spec::LaunchSpec;
use crate::sut;
use crate::treatment::{environment, records};

/// Receive calls of a block: a block is short beside what disturbs the machine, and long beside reading the clock.
const BLOCK_CALLS: u32 = 200;
/// Blocks that are not recorded, until code and data are where they will be.
const WARM_UP_BLOCKS: u32 = 2;

/// What is measured without a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Micro {
    /// Receive calls of each loop, bare and hooked.
    pub(crate) calls: u32,
    /// The function that receives, where the synthetic server's does not say; `read` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) receive: Option<Receive>,
}

impl Micro {
    /// Checks what types cannot.
    pub(crate) fn validate(&self) -> Result<()> {
        ensure!(
            self.calls >= 10 * BLOCK_CALLS,
            "[micro] calls: {}; expected at least {}, which are ten blocks",
            self.calls,
            10 * BLOCK_CALLS
        );
        Ok(())
    }
}

/// Whether an arm's treatment is one whose cost a tight loop can tell: our own hook, without a delay.
fn applies(arm: &Arm) -> bool {
    arm.treatment.mode().is_some() && arm.treatment != Treatment::Delay
}

/// The blocks of an arm's loops, bare and hooked in turn; none where the experiment asks for none or the arm has no hook. To be
/// called where servers live, once they are gone.
pub(crate) fn run(spec: &LaunchSpec, experiment: &Experiment, arm: &Arm, address: SocketAddr) -> Result<Vec<Block>> {
    let Some(micro) = experiment.micro.filter(|_| applies(arm)) else {
        return Ok(Vec::new());
    };
    let payload = MemoryFile::create(c"payload", &experiment.request.bytes(address))?;
    let capacity = if arm.has_records() {
        records(micro.calls.into())?
    } else {
        0
    };
    let mut telemetry = MemoryFile::telemetry(capacity)?;
    let log = MemoryFile::create(c"hits", b"")?;
    let treatment = environment(arm, &spec.hook, spec.words.as_deref(), &log.path, Some(&telemetry.path));
    let command = command(spec, experiment, micro, &payload);
    let mut bare = Loop::start(spec, arm, &command, Vec::new())?;
    let mut hooked = Loop::start(spec, arm, &command, treatment)?;
    let mut blocks = Vec::new();
    let count = micro.calls.div_ceil(BLOCK_CALLS);
    for number in 0..WARM_UP_BLOCKS + count {
        let mut pair = [(false, &mut bare), (true, &mut hooked)];
        // Neither is always the first.
        if number % 2 == 1 {
            pair.reverse();
        }
        for (is_hooked, process) in pair {
            let elapsed_ns = process.block()?;
            if let Some(block) = number.checked_sub(WARM_UP_BLOCKS) {
                blocks.push(Block {
                    hooked: is_hooked,
                    block,
                    calls: BLOCK_CALLS,
                    elapsed_ns,
                });
            }
        }
    }
    bare.end()?;
    hooked.end()?;
    let seen = Seen::read(&telemetry.content()?, 0, 0)?.counters.payload_receives;
    let expected = u64::from(BLOCK_CALLS) * u64::from(WARM_UP_BLOCKS + count);
    ensure!(
        seen == expected,
        "the tight loop made {expected} calls, of which the hook saw {seen}"
    );
    Ok(blocks)
}

/// What an arm's blocks come to; none without blocks.
#[expect(clippy::cast_precision_loss, reason = "times of some hundred calls")]
pub(crate) fn summary(blocks: &[Block]) -> Option<TightLoopSummary> {
    let median = |hooked: bool| {
        let of = blocks.iter().filter(|block| block.hooked == hooked);
        let mut per_call: Vec<f64> = of
            .map(|block| block.elapsed_ns as f64 / f64::from(block.calls))
            .collect();
        per_call.sort_by(f64::total_cmp);
        let (low, high) = (per_call.len().checked_sub(1)? / 2, per_call.len() / 2);
        Some(f64::midpoint(per_call[low], per_call[high]))
    };
    Some(TightLoopSummary {
        bare_ns_median: median(false)?,
        hooked_ns_median: median(true)?,
        blocks: blocks.len() as u64 / 2,
    })
}

fn command(spec: &LaunchSpec, experiment: &Experiment, micro: Micro, payload: &MemoryFile) -> Vec<OsString> {
    let (accept, receive) = match &experiment.sut {
        Sut::Synthetic { accept, receive, .. } => (*accept, micro.receive.unwrap_or(*receive)),
        _ => (Accept::Accept4, micro.receive.unwrap_or(Receive::Read)),
    };
    let mut words = vec![spec.binaries.join("sut").into_os_string()];
    words.extend(["--accept", accept.name(), "--receive", receive.name()].map(OsString::from));
    words.extend(sut::looping(&payload.path, BLOCK_CALLS));
    words
}

/// A process that makes a block of calls when it is told to.
struct Loop {
    child: Child,
    tell: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Loop {
    fn start(spec: &LaunchSpec, arm: &Arm, command: &[OsString], environment: Vec<(String, OsString)>) -> Result<Self> {
        let mut starter = starter(spec.groups.arms.get(&arm.name))?;
        starter.arg("--cpu").arg(spec.cpus.arms.to_string());
        for (name, value) in environment {
            let mut variable = OsString::from(name + "=");
            variable.push(value);
            starter.arg("--env").arg(variable);
        }
        let mut child = starter
            .arg("--")
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a tight loop")?;
        let (tell, told) = child
            .stdin
            .take()
            .zip(child.stdout.take())
            .context("a loop without pipes")?;
        let mut process = Self {
            child,
            tell,
            told: BufReader::new(told),
        };
        // That it is ready.
        process.hear()?;
        Ok(process)
    }

    fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        let bytes = self.told.read_line(&mut line).context("cannot hear a tight loop")?;
        ensure!(bytes > 0, "the tight loop has ended; what it said stands above");
        Ok(line)
    }

    /// How long a block took, ns.
    fn block(&mut self) -> Result<i64> {
        self.tell.write_all(b"\n").context("cannot tell a tight loop")?;
        let line = self.hear()?;
        line.trim()
            .parse()
            .with_context(|| format!("the tight loop said {line:?}"))
    }

    fn end(mut self) -> Result<()> {
        drop(self.tell);
        let status = self.child.wait().context("cannot wait for a tight loop")?;
        ensure!(status.success(), "the tight loop ended with {status}");
        Ok(())
    }
}
