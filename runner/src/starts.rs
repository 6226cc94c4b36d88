//! The costs of loading a hook: time, page faults and memory that it adds to a program that starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use dataset::{StartBlock, StartCosts};
use nix::sys::resource::{UsageWho, getrusage};
use object::Object as _;
use procfs::process::{ProcState, Process};

/// The program that ends at once.
const STARTED: &str = "true";
/// The program that waits for input.
const WAITING: &str = "cat";
/// Blocks, over which the report computes intervals.
pub(crate) const BLOCKS: u32 = 20;
/// The longest time until [`WAITING`] waits.
const LONGEST: Duration = Duration::from_secs(5);

/// The command line of `runner starts`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StartsCommand {
    /// A shared object that LD_PRELOAD loads
    #[arg(long)]
    hook: PathBuf,
    /// Number of starts with the hook, and of starts without it
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(i64::from(BLOCKS)..))]
    starts: u32,
    /// File to write the costs to, as JSON
    #[arg(long)]
    out: PathBuf,
}

/// Measures the costs of loading a hook and writes them.
///
/// # Errors
/// If the hook cannot be read, or a program does not start with it.
pub(crate) fn run(options: &StartsCommand) -> Result<()> {
    let hook = options
        .hook
        .canonicalize()
        .with_context(|| format!("the hook {} is not there", options.hook.display()))?;
    Ok(dataset::write_json(&options.out, &measure(&hook, options.starts)?)?)
}

/// Measures the costs of loading a hook. Starts with and without the hook alternate, and each pair has the opposite order of the
/// pair before.
///
/// # Errors
/// If a program is not installed, or does not start or end as without the hook.
pub(crate) fn measure(hook: &Path, starts: u32) -> Result<StartCosts> {
    let find = |name| which::which(name).with_context(|| format!("{name} is not installed; it is in coreutils"));
    let (started, waiting) = (find(STARTED)?, find(WAITING)?);
    let starts_per_block = starts.div_ceil(BLOCKS);
    let block = |_| {
        let [mut bare, mut hooked] = [Starts::default(), Starts::default()];
        for pair in 0..starts_per_block {
            let mut order = [(None, &mut bare), (Some(hook), &mut hooked)];
            if pair % 2 == 1 {
                order.reverse();
            }
            for (hook, starts) in order {
                starts.add(&started, hook)?;
            }
        }
        let [bare_bytes, hooked_bytes] = [memory_bytes(&waiting, None)?, memory_bytes(&waiting, Some(hook))?];
        Ok(StartBlock {
            time_ns: hooked.median_ns() - bare.median_ns(),
            page_faults: hooked.page_faults - bare.page_faults,
            rss_bytes: hooked_bytes.0 - bare_bytes.0,
            pss_bytes: hooked_bytes.1 - bare_bytes.1,
        })
    };
    Ok(StartCosts {
        blocks: (0..BLOCKS).map(block).collect::<Result<_>>()?,
        relocations: relocations(hook)?,
        started,
        waiting,
        starts_per_block,
    })
}

/// The starts of one block, all with the hook or all without it.
#[derive(Default)]
struct Starts {
    times_ns: Vec<i64>,
    page_faults: i64,
}

impl Starts {
    /// Starts the program and waits for its end.
    fn add(&mut self, program: &Path, hook: Option<&Path>) -> Result<()> {
        let mut command = command(program, hook);
        let faults_before = page_faults()?;
        let begun = Instant::now();
        let status = command
            .status()
            .with_context(|| format!("cannot start {}", program.display()))?;
        self.times_ns.push(i64::try_from(begun.elapsed().as_nanos())?);
        self.page_faults += page_faults()? - faults_before;
        ensure!(
            status.success(),
            "{}{}: {status}; expected that it ends with success",
            hook.map_or_else(String::new, |hook| format!("LD_PRELOAD={} ", hook.display())),
            program.display()
        );
        Ok(())
    }

    fn median_ns(&mut self) -> i64 {
        self.times_ns.sort_unstable();
        let middle = self.times_ns.len() / 2;
        self.times_ns.get(middle).copied().unwrap_or_default()
    }
}

fn command(program: &Path, hook: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    command.envs(hook.map(|hook| ("LD_PRELOAD", hook)));
    command
}

/// The page faults without input or output of all children that have ended.
fn page_faults() -> Result<i64> {
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.minor_page_faults())
}

/// The resident and the proportional memory of a program that waits for input, bytes.
fn memory_bytes(program: &Path, hook: Option<&Path>) -> Result<(i64, i64)> {
    let mut child = command(program, hook)
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let found = waiting_bytes(&child);
    // The end of its input ends the program.
    drop(child.stdin.take());
    child.wait()?;
    found
}

fn waiting_bytes(child: &Child) -> Result<(i64, i64)> {
    let process = Process::new(i32::try_from(child.id())?)?;
    let begun = Instant::now();
    while process.stat()?.state()? != ProcState::Sleeping || process.exe().is_err() {
        if begun.elapsed() > LONGEST {
            bail!("{WAITING} does not wait for input after {LONGEST:?}; start it by hand with LD_PRELOAD to see why");
        }
        sleep(Duration::from_micros(200));
    }
    let mut bytes = (0, 0);
    for part in &process.smaps_rollup()?.memory_map_rollup {
        let of = |name| part.extension.map.get(name).copied().unwrap_or(0).cast_signed();
        bytes.0 += of("Rss");
        bytes.1 += of("Pss");
    }
    Ok(bytes)
}

/// The relocations of a shared object.
fn relocations(hook: &Path) -> Result<u64> {
    let bytes = fs::read(hook).with_context(|| format!("cannot read {}", hook.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no shared object", hook.display()))?;
    let relocations = file.dynamic_relocations();
    Ok(relocations.map_or(0, |relocations| relocations.count() as u64))
}
