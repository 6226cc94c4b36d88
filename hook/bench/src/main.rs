//! Measures the cost of the hook: each call by mode, and its search beside other searches. All of it is measured in one
//! run, in rounds with a new order each, so that a disturbance of the machine affects all alike.

mod calls;
mod case_times;
mod command_line;
mod hyperscan;
mod request;
mod searches;

use anyhow::Result;
use clap::Parser as _;
use command_line::HookBench;

fn main() -> Result<()> {
    let arguments = HookBench::parse();
    println!("{}", calls::table(&arguments)?);
    if arguments.cold {
        println!("{}", calls::cold_table(&arguments)?);
    }
    println!("{}", calls::instructions(&arguments)?);
    println!("{}", searches::table(arguments.rounds)?);
    println!("repeat with: cargo xtask bench hook --rounds {}", arguments.rounds);
    Ok(())
}
