//! The same question put to the prober and to other load generators: by how much is the second server slower? One run, one
//! pair of servers, the same processors, in a new order each time.
#![forbid(unsafe_code)]

mod instructions;
mod peer;
mod prober;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use analysis::{Estimate, estimate};
use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use loadgen::Awake;
use peer::{Peer, Places, Said};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;
use server::Server;

#[derive(Parser)]
#[command(about = "The prober beside other load generators", version)]
struct Arguments {
    /// Folder with sut and loadgen
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
    /// The hook, in mode delay
    #[arg(long, default_value = "target/hook/libreadhook.so")]
    hook: PathBuf,
    /// Where `--install` of the verb put the peers that the distribution has not
    #[arg(long, default_value = "target/peers")]
    installed: PathBuf,
    /// How much slower the second server is, ns
    #[arg(long, default_value_t = 5_000)]
    delay_ns: u64,
    /// Repetitions, each with every load generator
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(3..))]
    repetitions: u32,
    /// Seconds for each server
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// What one load generator said in all repetitions.
#[derive(Default)]
struct Heard {
    differences_ns: Vec<f64>,
    said: Vec<Said>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let places = Places {
        installed: std::path::absolute(&arguments.installed)?,
        floor: compile_floor(folder.path())?,
        cpu: last_cpu()?,
    };
    let awake = Awake::keep();
    let (mut peers, mut lines) = (Vec::new(), Vec::new());
    lines.push(match &awake {
        Ok(_) => "processors kept awake, for all alike".to_owned(),
        Err(reason) => reason.clone(),
    });
    for peer in Peer::ALL {
        match peer.version(&places) {
            Ok(version) => {
                lines.push(format!("{}: {version}", peer.name()));
                peers.push(peer);
            }
            Err(reason) => lines.push(format!("{}: not run: {reason}", peer.name())),
        }
    }
    let sut = arguments.binaries.join("sut");
    let hook = arguments
        .hook
        .canonicalize()
        .with_context(|| format!("{}", arguments.hook.display()))?;
    let start = |delay_ns| Server::start(&sut, &hook, 0, delay_ns, folder.path());
    let servers = [start(0)?, start(arguments.delay_ns)?];
    let heard = measure(&arguments, &places, &peers, &servers, folder.path())?;
    let truth_ns = servers[1].spun_ns()? - servers[0].spun_ns()?;
    for line in lines {
        println!("{line}");
    }
    print(&heard, truth_ns, &arguments);
    let loadgen = arguments.binaries.join("loadgen");
    match instructions::by_request(&loadgen, &places.floor, servers[0].port, folder.path()) {
        Ok((prober, floor)) => println!(
            "\nInstructions in user space for each request, asleep while waiting: loadgen {prober:.0} (the writing of its row to \
             Parquet, between rounds, among them), C ping-pong {floor:.0}."
        ),
        Err(error) => println!("\nInstructions for each request: not run: {error:#}"),
    }
    Ok(())
}

fn measure(
    arguments: &Arguments,
    places: &Places,
    peers: &[Peer],
    servers: &[Server; 2],
    folder: &Path,
) -> Result<BTreeMap<String, Heard>> {
    let mut heard: BTreeMap<String, Heard> = BTreeMap::new();
    let mut random = Pcg64::seed_from_u64(2023);
    // `None` is the prober itself.
    let mut order: Vec<Option<Peer>> = peers.iter().copied().map(Some).chain([None]).collect();
    for repetition in 0..arguments.repetitions {
        eprintln!("repetition {} of {}", repetition + 1, arguments.repetitions);
        order.shuffle(&mut random);
        for one in &order {
            let Some(peer) = one else {
                let ports = [servers[0].port, servers[1].port];
                let loadgen = arguments.binaries.join("loadgen");
                let both = prober::ask(&loadgen, places.cpu, ports, 2 * arguments.seconds, folder)?;
                for (name, difference_ns) in [
                    ("loadgen, wire time", both.wire_difference_ns),
                    ("loadgen, RTT", Some(both.rtt_difference_ns)),
                ] {
                    let heard = heard.entry(name.to_owned()).or_default();
                    heard.differences_ns.extend(difference_ns);
                    heard.said.push(both.said);
                }
                continue;
            };
            // Which server comes first takes turns.
            let mut said = [None; 2];
            for turn in 0..2 {
                let index = (turn + repetition as usize) % 2;
                said[index] = Some(peer.ask(places, servers[index].port, arguments.seconds, folder)?);
            }
            let [Some(first), Some(second)] = said else { continue };
            for (what, difference_ns) in [
                ("median", second.median_ns - first.median_ns),
                ("mean", second.mean_ns - first.mean_ns),
            ] {
                let heard = heard.entry(format!("{}, {what}", peer.name())).or_default();
                heard.differences_ns.push(difference_ns);
                heard.said.push(first);
            }
        }
    }
    Ok(heard)
}

fn print(heard: &BTreeMap<String, Heard>, truth_ns: f64, arguments: &Arguments) {
    println!(
        "\nTrue difference {:.2} µs; {} repetitions of {} s on each server; 95 % intervals over repetitions.\n",
        truth_ns / 1e3,
        arguments.repetitions,
        arguments.seconds
    );
    println!("| load generator | recovered difference, µs | median RTT, µs | throughput × mean RTT | processors |");
    println!("|---|---|---|---|---|");
    let mut rows: Vec<(f64, String)> = heard
        .iter()
        .filter_map(|(name, heard)| row(name, heard, truth_ns))
        .collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    for (_, row) in rows {
        println!("{row}");
    }
}

/// How far the interval reaches from the truth, by which the rows are ordered, and the row.
fn row(name: &str, heard: &Heard, truth_ns: f64) -> Option<(f64, String)> {
    let estimate: Estimate = estimate(&heard.differences_ns).ok()?;
    let (low, high) = estimate.confidence_interval;
    let middle = |value: fn(&Said) -> f64| {
        let mut values: Vec<f64> = heard.said.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let text = format!(
        "| {name} | {:+.2} [{:+.2}, {:+.2}] | {:.1} | {:.3} | {:.2} |",
        estimate.value / 1e3,
        low / 1e3,
        high / 1e3,
        middle(|said| said.median_ns) / 1e3,
        middle(|said| said.under_way),
        middle(|said| said.cpus),
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
        .context("cannot start cc")?;
    ensure!(status.success(), "cc could not compile floor.c");
    Ok(program)
}

/// The last processor of the machine; the servers are on the first.
fn last_cpu() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get() - 1)
}
