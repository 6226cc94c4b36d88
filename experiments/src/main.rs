//! Experiment definitions and their runner, bench.
#![forbid(unsafe_code)]

fn main() {}
