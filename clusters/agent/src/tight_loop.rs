//! Measures receive calls without a server: two processes of the synthetic server, one without and one with the hook,
//! run blocks of calls in turn.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use model::TightLoopBlock;
use serde::{Deserialize, Serialize};

/// Number of blocks that are not recorded. They bring code and data into the caches.
const WARM_UP_BLOCKS: u32 = 2;

/// The tight loops to run in a container, with the server that its image holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TightLoopRequest {
    /// The program and its arguments, for both processes.
    pub command: Vec<String>,
    /// Environment variables of the process with the hook.
    pub treatment: Vec<(String, String)>,
    /// The bytes that each call receives. They are written to the file [`crate::PAYLOAD`] in the work folder.
    pub payload: Vec<u8>,
    /// Number of records in the hook's telemetry.
    pub records: u32,
    /// Number of recorded blocks of each process.
    pub blocks: u32,
    /// Number of calls in a block.
    pub calls: u32,
}

/// Runs blocks of both processes in turn. Returns the recorded blocks, and the number of calls that the hook should
/// count.
///
/// # Errors
/// When a process ends early or prints something other than a time.
pub fn run_alternately(bare: Command, hooked: Command, blocks: u32, calls: u32) -> Result<(Vec<TightLoopBlock>, u64)> {
    let mut bare = LoopProcess::start(bare)?;
    let mut hooked = LoopProcess::start(hooked)?;
    let mut recorded = Vec::new();
    for number in 0..WARM_UP_BLOCKS + blocks {
        let mut pair = [(false, &mut bare), (true, &mut hooked)];
        // Each process is the first in every second pair.
        if number % 2 == 1 {
            pair.reverse();
        }
        for (hooked, process) in pair {
            let elapsed_ns = process.run_block()?;
            if let Some(block) = number.checked_sub(WARM_UP_BLOCKS) {
                recorded.push(TightLoopBlock {
                    hooked,
                    block,
                    calls,
                    elapsed_ns,
                });
            }
        }
    }
    bare.finish()?;
    hooked.finish()?;
    Ok((recorded, u64::from(calls) * u64::from(WARM_UP_BLOCKS + blocks)))
}

/// A process that makes a block of calls for each line on its standard input.
struct LoopProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl LoopProcess {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a tight loop")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.context("a tight loop without pipes")?;
        let mut process = Self {
            child,
            input,
            output: BufReader::new(output),
        };
        // The first line says that the process is ready.
        process.read_line()?;
        Ok(process)
    }

    fn read_line(&mut self) -> Result<String> {
        let mut line = String::new();
        let bytes = self
            .output
            .read_line(&mut line)
            .context("cannot read from a tight loop")?;
        ensure!(bytes > 0, "the tight loop has ended; its output stands above");
        Ok(line)
    }

    /// Runs a block and returns the time that it took, ns.
    fn run_block(&mut self) -> Result<i64> {
        self.input.write_all(b"\n").context("cannot write to a tight loop")?;
        let line = self.read_line()?;
        let number = line.trim().parse();
        number.with_context(|| format!("the tight loop printed {line:?}, expected a time in ns"))
    }

    fn finish(mut self) -> Result<()> {
        drop(self.input);
        let status = self.child.wait().context("cannot wait for a tight loop")?;
        ensure!(status.success(), "the tight loop ended with {status}");
        Ok(())
    }
}
