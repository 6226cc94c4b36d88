//! Other load generators, and servers for them that differ by a delay.
#![forbid(unsafe_code)]

pub mod peer;
pub mod server;
