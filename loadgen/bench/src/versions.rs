//! Compares the load generator with one of another commit: the same two servers, in turn, in a random order in each repetition.

use std::path::Path;
use std::process::Command;

use analysis::{estimate, hodges_lehmann};
use anyhow::{Context as _, Result};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;

use crate::load_generator::{read_times, send};

/// Prints the difference of the median RTTs of `loadgen` and `other`. Each of `repetitions` repetitions is a pair of
/// measurements of `rounds` rounds. `other` is a program and its verb, separated by a space.
pub(crate) fn compare(
    loadgen: &Path,
    other: &str,
    (cpu, ports): (usize, [u16; 2]),
    (repetitions, rounds): (u32, u32),
    folder: &Path,
) -> Result<()> {
    let (program, verb) = other.split_once(' ').unwrap_or((other, "send"));
    let out = folder.join("observations.parquet");
    let mut random = Pcg64::seed_from_u64(2023);
    let mut differences_ns = Vec::new();
    let mut levels_ns = [Vec::new(), Vec::new()];
    for repetition in 0..repetitions {
        eprintln!("repetition {} of {repetitions}", repetition + 1);
        let mut order = [0, 1];
        order.shuffle(&mut random);
        let mut medians_ns = [0.0; 2];
        for version in order {
            let (program, verb) = if version == 0 {
                (Path::new(program), verb)
            } else {
                (loadgen, "send")
            };
            send(Command::new(program).arg(verb), cpu, ports, rounds, &out)?;
            let median = read_times(&out)?.rtt_ns[0].quantile(0.5);
            medians_ns[version] = median.context("no response from the first server")?;
            levels_ns[version].push(medians_ns[version]);
        }
        differences_ns.push(medians_ns[1] - medians_ns[0]);
    }
    let interval = |value: f64, (low, high): (f64, f64)| {
        let [value, low, high] = [value, low, high].map(|ns| ns / 1e3);
        format!("{value:+.3} [{low:+.3}, {high:+.3}] µs")
    };
    let mean = estimate(&differences_ns)?;
    // Pauses of the machine make the differences of some pairs large; this estimate depends little on them.
    let location = hodges_lehmann(&differences_ns)?;
    println!(
        "median RTT: {:.2} µs by {other}, {:.2} µs by {}; difference of {repetitions} pairs of {rounds} rounds with its 95 % \
         interval: mean {}, Hodges-Lehmann estimate {}",
        estimate(&levels_ns[0])?.value / 1e3,
        estimate(&levels_ns[1])?.value / 1e3,
        loadgen.display(),
        interval(mean.value, mean.confidence_interval),
        location
            .confidence_interval
            .map_or_else(|| "not known".to_owned(), |ends| interval(location.value, ends)),
    );
    Ok(())
}
