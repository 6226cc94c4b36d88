//! Measures the cost of the hook: each call by mode, and its search beside other searches. All of it is measured in one
//! run, in rounds with a new order each, so that a disturbance of the machine affects all alike.

mod calls;
mod hyperscan;
mod measured;
mod searches;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

#[derive(Parser)]
#[command(about = "What the hook costs, call by call and search by search", version)]
struct Arguments {
    /// The hook, which `cargo xtask build` builds
    #[arg(long, default_value = "target/hook/libreadhook.so")]
    hook: PathBuf,
    /// Number of rounds; each round measures everything once
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,
    /// Word file for the modes that search [default: the hook's own words]
    #[arg(long)]
    words: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    println!("{}", calls::table(&arguments)?);
    println!("{}", calls::instructions(&arguments)?);
    println!("{}", searches::table(arguments.rounds)?);
    println!("again with: cargo xtask bench hook --rounds {}", arguments.rounds);
    Ok(())
}

/// An ordinary request of 133 bytes, without a word.
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: python-requests/2.31.0\r\n\
                       Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: x\r\n\r\n";
