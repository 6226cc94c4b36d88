//! Experiment definitions and their runner, bench.

fn main() {}
