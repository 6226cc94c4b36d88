//! Measurements of the cost of loading a hook, before any request.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The costs that a hook adds to the start of a program, measured beside the same program without the hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartCosts {
    /// The program that is started and ends at once.
    pub started: PathBuf,
    /// The program whose memory is read while it waits for input.
    pub waiting: PathBuf,
    /// Number of starts with the hook, and of starts without it, in a block.
    pub starts_per_block: u32,
    /// The blocks.
    pub blocks: Vec<StartBlock>,
    /// Relocations of the shared object, which the loader processes at each start.
    pub relocations: u64,
}

/// The differences of one block: with the hook minus without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartBlock {
    /// Difference of the median times from the start of the program to its end, ns.
    pub time_ns: i64,
    /// Difference of the page faults without input or output, summed over the starts of the block.
    pub page_faults: i64,
    /// Difference of the resident memory of one waiting program, bytes.
    pub rss_bytes: i64,
    /// Difference of the memory of one waiting program, each shared page divided by the number of its users, bytes.
    pub pss_bytes: i64,
}
