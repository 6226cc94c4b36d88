//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{
    Arrivals, ConnectionPolicy, HttpRequest, Keyword, KeywordPosition, LaunchPlan, LaunchPlanError, Message, Schedule,
    Target, WaitMethod,
};

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
        /// JSON file with the plan; `-` takes it from standard input, where it is one line.
        #[arg(long)]
        plan: PathBuf,
        /// Fail when one of the prober's checks of itself fails.
        #[arg(long)]
        strict: bool,
    },
    /// Do what these flags say.
    Probe(Box<Probe>),
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
    /// Order of the requests: interleaved, sequential, duet, or runs:N.
    #[arg(long, default_value = "interleaved", value_parser = schedule)]
    schedule: Schedule,
    /// Requests a second over all servers, sent at their times whatever the answers; without it, one after the other.
    #[arg(long)]
    rate: Option<f64>,
    /// How the times of --rate are distributed.
    #[arg(long, value_enum, default_value = "poisson", requires = "rate")]
    arrivals: Process,
    /// Connections of each thread to each server.
    #[arg(long, default_value_t = 1)]
    connections: u16,
    /// Threads, each with its own CPU, connections, and share of the rounds and the rate.
    #[arg(long, default_value_t = 1)]
    threads: u16,
    /// A new connection for each request.
    #[arg(long)]
    new_connections: bool,
    /// Fail when one of the prober's checks of itself fails.
    #[arg(long)]
    pub(crate) strict: bool,
    /// How to wait for an answer.
    #[arg(long, value_enum, default_value = "sleep")]
    wait: Waiting,
    /// Ask the kernel for no stamps: there is no wire time then, and less between an answer and the next request.
    #[arg(long)]
    no_kernel_stamps: bool,
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
    /// What to send: `locust` is what the 2023 study's client sent, `minimal` has no headers.
    #[arg(long, default_value = "minimal", value_parser = preset, value_name = "locust|minimal")]
    preset: HttpRequest,
    /// File with the request, instead of the preset: JSON with method, path, headers, body.
    #[arg(long, conflicts_with = "preset")]
    request: Option<PathBuf>,
    /// Method to request with.
    #[arg(long)]
    method: Option<String>,
    /// Path to request.
    #[arg(long)]
    path: Option<String>,
    /// A further header, as NAME: VALUE; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Body to send.
    #[arg(long)]
    body: Option<String>,
    /// A word that a share of the requests carries.
    #[arg(long)]
    keyword: Option<String>,
    /// The share, 0 to 1.
    #[arg(long, default_value_t = 0.5, requires = "keyword")]
    keyword_share: f64,
    /// Where the word stands.
    #[arg(long, value_enum, default_value = "last-header", requires = "keyword")]
    keyword_position: Place,
    /// Name of the condition to be kept with the observations.
    #[arg(long, default_value = "probe")]
    condition: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Process {
    Constant,
    Poisson,
}

#[derive(Clone, Copy, ValueEnum)]
enum Place {
    Path,
    FirstHeader,
    LastHeader,
    Body,
}

#[derive(Clone, Copy, ValueEnum)]
enum Waiting {
    Spin,
    Sleep,
}

impl Probe {
    /// # Errors
    /// As [`LaunchPlan::validate`], and when the request's file cannot be read.
    pub(crate) fn plan(self) -> Result<LaunchPlan> {
        let request = self.request()?;
        let plan = LaunchPlan {
            run: String::new(),
            condition: self.condition,
            launch: 0,
            arms: self.arms,
            request,
            keyword: self.keyword.map(|word| Keyword {
                word,
                share: self.keyword_share,
                position: match self.keyword_position {
                    Place::Path => KeywordPosition::Path,
                    Place::FirstHeader => KeywordPosition::FirstHeader,
                    Place::LastHeader => KeywordPosition::LastHeader,
                    Place::Body => KeywordPosition::Body,
                },
            }),
            schedule: self.schedule,
            arrivals: match (self.rate, self.arrivals) {
                (None, _) => Arrivals::Closed,
                (Some(rate), Process::Constant) => Arrivals::Constant(rate),
                (Some(rate), Process::Poisson) => Arrivals::Poisson(rate),
            },
            connections: self.connections,
            threads: self.threads,
            connection: if self.new_connections {
                ConnectionPolicy::New
            } else {
                ConnectionPolicy::KeepAlive
            },
            rounds: self.rounds,
            warm_up_rounds: self.warm_up_rounds.unwrap_or(self.rounds / 10),
            segment_rounds: 1000,
            wait: match self.wait {
                Waiting::Spin => WaitMethod::Spin,
                Waiting::Sleep => WaitMethod::Sleep,
            },
            kernel_stamps: !self.no_kernel_stamps,
            cpu: self.cpu,
            seed: self.seed,
            timeout_ms: self.timeout_ms,
            max_error_share: self.max_error_share,
            output: self.out,
        };
        plan.validate().map_err(LaunchPlanError::from)?;
        Ok(plan)
    }

    /// The file's or the preset's request, changed as the flags say.
    fn request(&self) -> Result<Message> {
        let message = match &self.request {
            None => Message::Http(self.preset.clone()),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
                serde_json::from_str(&text).with_context(|| {
                    format!(
                        "{} is no request: JSON with method, path, headers, body; or redis; or send and until or length",
                        path.display()
                    )
                })?
            }
        };
        let changed =
            !self.headers.is_empty() || [&self.method, &self.path, &self.body].iter().any(|flag| flag.is_some());
        let mut request = match message {
            Message::Http(request) => request,
            other if changed => bail!("{other:?} is no HTTP request; leave out --method, --path, --header and --body"),
            other => return Ok(other),
        };
        request.headers.extend(self.headers.iter().cloned());
        for (to, from) in [
            (&mut request.method, &self.method),
            (&mut request.path, &self.path),
            (&mut request.body, &self.body),
        ] {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        Ok(Message::Http(request))
    }
}

fn preset(name: &str) -> Result<HttpRequest, String> {
    HttpRequest::preset(name).ok_or_else(|| "expected locust or minimal".to_owned())
}

fn schedule(text: &str) -> Result<Schedule, String> {
    match text.split_once(':') {
        None if text == "interleaved" => Ok(Schedule::Interleaved),
        None if text == "sequential" => Ok(Schedule::Sequential),
        None if text == "duet" => Ok(Schedule::Duet),
        Some(("runs", length)) => match length.parse() {
            Ok(length @ 1..) => Ok(Schedule::Runs(length)),
            _ => Err(format!("{length:?}: expected how many requests a run has, at least 1")),
        },
        _ => Err("expected interleaved, sequential, duet, or runs:N".to_owned()),
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
        namespace: None,
    })
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
