//! Compares the load generator with other load generators: each measures by how much the second of two servers is slower.
//! All measure the same pair of servers on the same CPU in one run, in a new random order in each repetition.
#![forbid(unsafe_code)]

mod instructions;
mod load_generator;
mod versions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use analysis::{Estimate, estimate};
use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use loadgen::CpuLatencyGuard;
use loadgen_bench::peer::{Peer, PeerResult, PeerSetup};
use loadgen_bench::server::DelayedServer;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;

#[derive(Parser)]
#[command(about = "Compares the load generator with other load generators", version)]
struct PeerComparison {
    /// Folder with the programs sut and loadgen
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
    /// The hook, which delays the second server in mode delay
    #[arg(long, default_value = "target/hook/libreadhook.so")]
    hook: PathBuf,
    /// Folder with the load generators that `cargo xtask bench peers --install` installs
    #[arg(long, default_value = "target/peers")]
    installed: PathBuf,
    /// Delay of the second server, ns
    #[arg(long, default_value_t = 5_000)]
    delay_ns: u64,
    /// Number of repetitions, each with every load generator
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(3..))]
    repetitions: u32,
    /// Path of the load generator of another commit, with which ours is compared instead of the peers; a verb other than
    /// `send` follows after a space
    #[arg(long, value_name = "PROGRAM")]
    against: Option<String>,
    /// Duration of a measurement of one server, s
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Results of one load generator in all repetitions.
#[derive(Default)]
struct RepeatedResults {
    differences_ns: Vec<f64>,
    first_server: Vec<PeerResult>,
}

impl RepeatedResults {
    fn push(&mut self, difference_ns: Option<f64>, first_server: PeerResult) {
        self.differences_ns.extend(difference_ns);
        self.first_server.push(first_server);
    }
}

fn main() -> Result<()> {
    let comparison = PeerComparison::parse();
    let folder = tempfile::tempdir()?;
    let setup = PeerSetup {
        installed: std::path::absolute(&comparison.installed)?,
        floor: compile_floor(folder.path())?,
        cpu: last_cpu()?,
    };
    let guard = CpuLatencyGuard::acquire();
    let sut = comparison.binaries.join("sut");
    let loadgen = comparison.binaries.join("loadgen");
    let hook = comparison
        .hook
        .canonicalize()
        .with_context(|| format!("{}", comparison.hook.display()))?;
    let start = |delay_ns| DelayedServer::start(&sut, &hook, 0, delay_ns, folder.path());
    let servers = [start(0)?, start(comparison.delay_ns)?];
    if let Some(other) = &comparison.against {
        let ports = servers.each_ref().map(DelayedServer::port);
        let size = (comparison.repetitions, 2 * comparison.seconds * 15_000);
        return versions::compare(&loadgen, other, (setup.cpu, ports), size, folder.path());
    }
    let (mut peers, mut lines) = (Vec::new(), Vec::new());
    lines.push(match &guard {
        Ok(_) => "processors are kept out of idle states for all load generators".to_owned(),
        Err(reason) => reason.clone(),
    });
    for peer in Peer::ALL {
        match peer.version(&setup) {
            Ok(version) => {
                lines.push(format!("{}: {version}", peer.name()));
                peers.push(peer);
            }
            Err(reason) => lines.push(format!("{}: not run: {reason}", peer.name())),
        }
    }
    let results = measure(&comparison, &setup, &peers, &servers, folder.path())?;
    let truth_ns = servers[1].mean_delay_ns()? - servers[0].mean_delay_ns()?;
    for line in lines {
        println!("{line}");
    }
    print(&results, truth_ns, &comparison);
    match instructions::count(&loadgen, &setup.floor, servers[0].port(), folder.path()) {
        Ok(counts) => println!(
            "\nInstructions in user space per request, asleep while waiting: loadgen {:.0} (with the writing of its row to \
             Parquet between rounds), C ping-pong {:.0}.",
            counts.loadgen, counts.ping_pong
        ),
        Err(error) => println!("\nInstructions per request: not run: {error:#}"),
    }
    Ok(())
}

fn measure(
    comparison: &PeerComparison,
    setup: &PeerSetup,
    peers: &[Peer],
    servers: &[DelayedServer; 2],
    folder: &Path,
) -> Result<BTreeMap<String, RepeatedResults>> {
    let mut results: BTreeMap<String, RepeatedResults> = BTreeMap::new();
    let mut random = Pcg64::seed_from_u64(2023);
    // `None` is the load generator itself.
    let mut order: Vec<Option<Peer>> = peers.iter().copied().map(Some).chain([None]).collect();
    let ports = servers.each_ref().map(DelayedServer::port);
    for repetition in 0..comparison.repetitions {
        eprintln!("repetition {} of {}", repetition + 1, comparison.repetitions);
        order.shuffle(&mut random);
        for generator in &order {
            let Some(peer) = generator else {
                let loadgen = comparison.binaries.join("loadgen");
                let result = load_generator::measure(&loadgen, setup.cpu, ports, 2 * comparison.seconds, folder)?;
                for (name, difference_ns) in [
                    ("loadgen, wire time", result.wire_difference_ns),
                    ("loadgen, RTT", Some(result.rtt_difference_ns)),
                ] {
                    let results = results.entry(name.to_owned()).or_default();
                    results.push(difference_ns, result.first);
                }
                continue;
            };
            // Each server is measured first in every second repetition.
            let mut result = [None; 2];
            for turn in 0..2 {
                let index = (turn + repetition as usize) % 2;
                result[index] = Some(peer.measure(setup, ports[index], comparison.seconds, folder)?);
            }
            let [Some(first), Some(second)] = result else { continue };
            for (statistic, difference_ns) in [
                ("median", second.median_ns - first.median_ns),
                ("mean", second.mean_ns - first.mean_ns),
            ] {
                let results = results.entry(format!("{}, {statistic}", peer.name())).or_default();
                results.push(Some(difference_ns), first);
            }
        }
    }
    Ok(results)
}

fn print(results: &BTreeMap<String, RepeatedResults>, truth_ns: f64, comparison: &PeerComparison) {
    println!(
        "\nTrue difference {:.2} µs; {} repetitions of {} s on each server; 95 % intervals over repetitions.\n",
        truth_ns / 1e3,
        comparison.repetitions,
        comparison.seconds
    );
    println!("| load generator | recovered difference, µs | median RTT, µs | throughput × mean RTT | processors |");
    println!("|---|---|---|---|---|");
    let mut rows: Vec<(f64, String)> = results
        .iter()
        .filter_map(|(name, results)| table_row(name, results, truth_ns))
        .collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    for (_, row) in rows {
        println!("{row}");
    }
}

/// Returns a row of the table, and the largest distance of its interval from the truth, by which the rows are sorted.
/// Returns `None` if there is no interval.
fn table_row(name: &str, results: &RepeatedResults, truth_ns: f64) -> Option<(f64, String)> {
    let estimate: Estimate = estimate(&results.differences_ns).ok()?;
    let (low, high) = estimate.confidence_interval;
    let median = |value: fn(&PeerResult) -> f64| {
        let mut values: Vec<f64> = results.first_server.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let text = format!(
        "| {name} | {:+.2} [{:+.2}, {:+.2}] | {:.1} | {:.3} | {:.2} |",
        estimate.value / 1e3,
        low / 1e3,
        high / 1e3,
        median(|result| result.median_ns) / 1e3,
        median(|result| result.requests_in_progress),
        median(|result| result.cpus),
    );
    Some(((high - truth_ns).max(truth_ns - low), text))
}

fn compile_floor(folder: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/floor.c");
    let program = folder.join("floor");
    let status = Command::new("cc")
        .args(["-O2", "-o"])
        .arg(&program)
        .arg(source)
        .status()
        .context("cannot start the C compiler cc")?;
    ensure!(status.success(), "cc could not compile floor.c");
    Ok(program)
}

/// Returns the last CPU of the machine. The servers run on the first.
fn last_cpu() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get() - 1)
}
