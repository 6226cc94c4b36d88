//! Receive calls without a server around them: two processes of the synthetic server, bare and hooked, that make a block of
//! calls whenever they are told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use dataset::Block;
use serde::{Deserialize, Serialize};

/// Blocks that are not recorded, until code and data are where they will be.
const WARM_UP_BLOCKS: u32 = 2;

/// What is to be looped in a container, by the server that its image holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The program and its arguments, for both.
    pub command: Vec<String>,
    /// What one of them loads and is told.
    pub treatment: Vec<(String, String)>,
    /// What they receive over and over, which is laid out in the work folder as [`crate::PAYLOAD`].
    pub payload: Vec<u8>,
    /// Room for records in the telemetry that is laid out for the hook.
    pub records: u32,
    /// Blocks of each that are recorded.
    pub blocks: u32,
    /// Calls of a block.
    pub calls: u32,
}

/// The blocks of both, in turn; the number of calls that the hooked one must have seen.
///
/// # Errors
/// When one of them ends early or says something else than a time.
pub fn alternate(bare: Command, hooked: Command, blocks: u32, calls: u32) -> Result<(Vec<Block>, u64)> {
    let mut bare = Loop::start(bare)?;
    let mut hooked = Loop::start(hooked)?;
    let mut recorded = Vec::new();
    for number in 0..WARM_UP_BLOCKS + blocks {
        let mut pair = [(false, &mut bare), (true, &mut hooked)];
        // Neither is always the first.
        if number % 2 == 1 {
            pair.reverse();
        }
        for (hooked, process) in pair {
            let elapsed_ns = process.block()?;
            if let Some(block) = number.checked_sub(WARM_UP_BLOCKS) {
                recorded.push(Block {
                    hooked,
                    block,
                    calls,
                    elapsed_ns,
                });
            }
        }
    }
    bare.end()?;
    hooked.end()?;
    Ok((recorded, u64::from(calls) * u64::from(WARM_UP_BLOCKS + blocks)))
}

/// A process that makes a block of calls when it is told to.
struct Loop {
    child: Child,
    tell: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Loop {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a tight loop")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (tell, told) = pipes.context("a loop without pipes")?;
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
        let number = line.trim().parse();
        number.with_context(|| format!("the tight loop said {line:?}"))
    }

    fn end(mut self) -> Result<()> {
        drop(self.tell);
        let status = self.child.wait().context("cannot wait for a tight loop")?;
        ensure!(status.success(), "the tight loop ended with {status}");
        Ok(())
    }
}
