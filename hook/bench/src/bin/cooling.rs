//! Measures how much longer a thread takes to send itself a message after it has waited: the loss of cached lines during the
//! wait. Waits of all kinds and lengths are measured in one run, in a new order in each round.

use std::hint::{black_box, spin_loop};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use analysis::{Distribution, estimate, text_table};
use anyhow::{Context as _, Result};
use clap::Parser;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;

/// The lengths of a wait, µs. The first is the reference.
const WAITS_US: [u64; 5] = [0, 5, 20, 50, 100];
/// Bytes of a message.
const MESSAGE: usize = 200;
/// Words of eight bytes in one line of the cache.
const WORDS_IN_A_LINE: usize = 8;
/// Bytes that the wait of kind [`WaitKind::Memory`] reads again and again: the second cache of the machines of the recordings.
const READ_BYTES: usize = 512 << 10;

/// How a thread waits.
#[derive(Clone, Copy, PartialEq, Eq, strum::Display, strum::VariantArray)]
enum WaitKind {
    /// It reads the clock.
    #[strum(to_string = "reads the clock")]
    Clock,
    /// It reads the clock, with the instruction for waiting loops between two readings.
    #[strum(to_string = "reads the clock, with PAUSE")]
    Pause,
    /// It reads memory.
    #[strum(to_string = "reads 512 KiB of memory")]
    Memory,
}

/// The options of the benchmark.
#[derive(Parser)]
#[command(about = "Measures how much longer a message to oneself takes after a wait", version)]
struct CoolingBench {
    /// Number of blocks; the intervals are over blocks
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..))]
    blocks: u32,
    /// Rounds of a block; each round has one message for each kind and length of wait
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(20..))]
    rounds: u32,
}

fn main() -> Result<()> {
    let CoolingBench { blocks, rounds } = CoolingBench::parse();
    let mut link = Link::new().context("cannot connect to oneself over loopback")?;
    let mut cases: Vec<(usize, usize)> = Vec::new();
    for kind in 0..kinds().len() {
        cases.extend((0..WAITS_US.len()).map(|length| (kind, length)));
    }
    let mut generator = Pcg64::seed_from_u64(2_310);
    // By kind, length and block.
    let mut medians_ns = vec![vec![Vec::new(); WAITS_US.len()]; kinds().len()];
    for _ in 0..blocks {
        let mut times = vec![vec![Distribution::default(); WAITS_US.len()]; kinds().len()];
        for _ in 0..rounds {
            cases.shuffle(&mut generator);
            for &(kind, length) in &cases {
                let time_ns = link.message_after(kinds()[kind], Duration::from_micros(WAITS_US[length]))?;
                times[kind][length].insert(time_ns);
            }
        }
        for &(kind, length) in &cases {
            medians_ns[kind][length].extend(times[kind][length].quantile(0.5));
        }
    }
    let mut rows = vec![vec!["the thread".to_owned()]];
    rows[0].extend(WAITS_US[1..].iter().map(|wait_us| format!("after {wait_us} µs, µs")));
    for (kind, medians_ns) in kinds().iter().zip(&medians_ns) {
        let mut row = vec![kind.to_string()];
        for later in &medians_ns[1..] {
            let differences: Vec<f64> = later
                .iter()
                .zip(&medians_ns[0])
                .map(|(one, other)| one - other)
                .collect();
            let found = estimate(&differences)?;
            let (low, high) = found.confidence_interval;
            row.push(format!(
                "{:+.2} [{:+.2}, {:+.2}]",
                found.value / 1e3,
                low / 1e3,
                high / 1e3
            ));
        }
        rows.push(row);
    }
    println!("Change of the median time of a message to oneself after a wait, {blocks} blocks, 95 % intervals");
    print!("{}", text_table(&rows));
    println!("repeat with: cargo xtask bench cooling --blocks {blocks}");
    Ok(())
}

const fn kinds() -> &'static [WaitKind] {
    <WaitKind as strum::VariantArray>::VARIANTS
}

/// A connection of the thread to itself.
struct Link {
    here: TcpStream,
    there: TcpStream,
    message: [u8; MESSAGE],
    memory: Vec<u64>,
}

impl Link {
    fn new() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let here = TcpStream::connect(listener.local_addr()?)?;
        let (there, _) = listener.accept()?;
        here.set_nodelay(true)?;
        Ok(Self {
            here,
            there,
            message: [b'x'; MESSAGE],
            memory: vec![1; READ_BYTES / size_of::<u64>()],
        })
    }

    /// Waits, and returns the time that a message then takes from the call that sends it to the return of the call that has received
    /// it, ns.
    fn message_after(&mut self, kind: WaitKind, wait: Duration) -> Result<i64> {
        let begun = Instant::now();
        while begun.elapsed() < wait {
            match kind {
                WaitKind::Clock => {}
                WaitKind::Pause => spin_loop(),
                WaitKind::Memory => {
                    let lines = self.memory.iter().step_by(WORDS_IN_A_LINE);
                    black_box(lines.sum::<u64>());
                }
            }
        }
        let begun = Instant::now();
        self.here.write_all(&self.message)?;
        self.there.read_exact(&mut self.message)?;
        Ok(i64::try_from(begun.elapsed().as_nanos())?)
    }
}
