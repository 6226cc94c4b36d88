//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use loadgen::{Error, Plan, Request, Schedule, Target, Wait};

/// Measures the latency of HTTP servers, one request at a time, interleaved over all of them.
#[derive(Parser)]
#[command(name = "loadgen", version)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Do what a plan says.
    Run {
        /// JSON file with the plan.
        #[arg(long)]
        plan: PathBuf,
    },
    /// Do what these flags say.
    Probe(Probe),
}

#[derive(Args)]
pub(crate) struct Probe {
    /// A server, as NAME=ADDRESS:PORT; once per server.
    #[arg(long = "arm", value_name = "NAME=ADDRESS:PORT", required = true, value_parser = target)]
    arms: Vec<Target>,
    /// Requests per server, warm-up included.
    #[arg(long)]
    rounds: u64,
    /// Parquet file to write.
    #[arg(long)]
    out: PathBuf,
    /// Rounds flagged as warm-up [default: a tenth].
    #[arg(long)]
    warm_up_rounds: Option<u64>,
    /// Order of the requests.
    #[arg(long, value_enum, default_value = "interleaved")]
    schedule: Order,
    /// How to wait for an answer.
    #[arg(long, value_enum, default_value = "sleep")]
    wait: Waiting,
    /// CPU to run on.
    #[arg(long)]
    cpu: Option<usize>,
    /// Seed of the order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Longest wait for an answer, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    timeout_ms: u64,
    /// Share of requests, 0 to 1, that may fail.
    #[arg(long, default_value_t = 0.0)]
    max_error_share: f64,
    /// Path to request.
    #[arg(long, default_value = "/")]
    path: String,
    /// A header, as NAME: VALUE; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Name of the condition to be kept with the observations.
    #[arg(long, default_value = "probe")]
    condition: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    Interleaved,
    Sequential,
}

#[derive(Clone, Copy, ValueEnum)]
enum Waiting {
    Spin,
    Sleep,
}

impl Probe {
    /// # Errors
    /// As [`Plan::validate`].
    pub(crate) fn plan(self) -> Result<Plan, Error> {
        let plan = Plan {
            condition: self.condition,
            launch: 0,
            arms: self.arms,
            request: Request {
                method: "GET".into(),
                path: self.path,
                headers: self.headers,
                body: String::new(),
            },
            schedule: match self.schedule {
                Order::Interleaved => Schedule::Interleaved,
                Order::Sequential => Schedule::Sequential,
            },
            rounds: self.rounds,
            warm_up_rounds: self.warm_up_rounds.unwrap_or(self.rounds / 10),
            segment_rounds: 1000,
            wait: match self.wait {
                Waiting::Spin => Wait::Spin,
                Waiting::Sleep => Wait::Sleep,
            },
            cpu: self.cpu,
            seed: self.seed,
            timeout_ms: self.timeout_ms,
            max_error_share: self.max_error_share,
            output: self.out,
        };
        plan.validate()?;
        Ok(plan)
    }
}

fn target(text: &str) -> Result<Target, String> {
    let (arm, address) = text.split_once('=').ok_or("expected NAME=ADDRESS:PORT")?;
    let address: SocketAddr = address
        .parse()
        .map_err(|_| format!("`{address}` is no ADDRESS:PORT such as 127.0.0.1:8080"))?;
    Ok(Target {
        arm: arm.to_owned(),
        address,
    })
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
