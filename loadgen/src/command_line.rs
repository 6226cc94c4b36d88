//! The command line and its conversion to a launch plan.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand};
use model::{
    Arrivals, ConnectionPolicy, HttpRequest, Keyword, KeywordPosition, LaunchPlan, LaunchPlanError, Message, Schedule,
    Target, WaitMethod,
};
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};

/// Measures the latency of servers, one request at a time, interleaved over all of them
#[derive(Parser)]
#[command(name = "loadgen", version)]
pub(crate) struct LoadgenCommandLine {
    #[command(subcommand)]
    pub(crate) command: LoadgenCommand,
}

#[derive(Subcommand)]
pub(crate) enum LoadgenCommand {
    /// Send the requests of a launch plan
    Run {
        /// JSON file with the launch plan; `-` reads it from the first line of standard input
        #[arg(long)]
        plan: PathBuf,
        /// Fail if a check of the load generator's own soundness fails
        #[arg(long)]
        strict: bool,
    },
    /// Send the requests that the options describe
    Send(Box<SendArguments>),
}

#[derive(Args)]
pub(crate) struct SendArguments {
    /// A server; repeat the option for each server
    #[arg(long = "arm", value_name = "NAME=ADDRESS:PORT", required = true, value_parser = parse_target)]
    arms: Vec<Target>,
    /// Number of requests to each server, warm-up included
    #[arg(long)]
    rounds: u64,
    /// Parquet file to write
    #[arg(long)]
    out: PathBuf,
    /// Number of rounds that count as warm-up [default: a tenth of the rounds]
    #[arg(long)]
    warm_up_rounds: Option<u64>,
    /// Order of the requests; runs:N sends N requests to a server before the next server
    #[arg(long, default_value = "interleaved", value_name = "interleaved|sequential|duet|runs:N", value_parser = parse_schedule)]
    schedule: Schedule,
    /// Requests per second over all servers, at times that do not depend on the responses; without this option, each
    /// request follows the response to the previous one
    #[arg(long)]
    rate: Option<f64>,
    /// Distribution of the times between the requests of --rate
    #[arg(long, default_value = "poisson", value_name = "constant|poisson", requires = "rate",
          value_parser = ["constant", "poisson"])]
    arrivals: String,
    /// Number of connections from each thread to each server
    #[arg(long, default_value_t = 1)]
    connections: u16,
    /// Number of threads; each has its own CPU, its own connections, and a share of the rounds and of the rate
    #[arg(long, default_value_t = 1)]
    threads: u16,
    /// Make a new connection for each request
    #[arg(long)]
    new_connections: bool,
    /// Fail if a check of the load generator's own soundness fails
    #[arg(long)]
    pub(crate) strict: bool,
    /// Method of waiting for a response: spin uses a whole CPU, sleep blocks in the kernel
    #[arg(long, default_value = "sleep", value_name = "spin|sleep", value_parser = parse_name::<WaitMethod>)]
    wait: WaitMethod,
    /// Request no stamps from the kernel: there is no wire time then, and less time between a response and the next request
    #[arg(long)]
    no_kernel_stamps: bool,
    /// CPU of the first thread
    #[arg(long)]
    cpu: Option<usize>,
    /// Seed of the order
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Longest time for a response, in milliseconds
    #[arg(long, default_value_t = 1000)]
    timeout_ms: u64,
    /// Share of requests that may fail, 0 to 1
    #[arg(long, default_value_t = 0.0)]
    max_error_share: f64,
    /// Request to send: locust is the request of the 2023 study's client, minimal has no headers
    #[arg(long, default_value = "minimal", value_name = "locust|minimal", value_parser = parse_preset)]
    preset: HttpRequest,
    /// JSON file with the request, instead of a preset; the keys are method, path, headers and body, or redis, or send with
    /// until or length
    #[arg(long, conflicts_with = "preset")]
    request: Option<PathBuf>,
    /// Method of the request
    #[arg(long)]
    method: Option<String>,
    /// Path of the request
    #[arg(long)]
    path: Option<String>,
    /// A further header of the request; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// Body of the request
    #[arg(long)]
    body: Option<String>,
    /// A word that a share of the requests carries
    #[arg(long)]
    keyword: Option<String>,
    /// Share of the requests that carry the keyword, 0 to 1
    #[arg(long, default_value_t = 0.5, requires = "keyword")]
    keyword_share: f64,
    /// Place of the keyword in the request
    #[arg(long, default_value = "last-header", value_name = "path|first-header|last-header|body", requires = "keyword",
          value_parser = parse_name::<KeywordPosition>)]
    keyword_position: KeywordPosition,
    /// Name of the condition in the output file
    #[arg(long, default_value = "command-line")]
    condition: String,
}

impl SendArguments {
    /// Returns the launch plan that the options describe.
    ///
    /// # Errors
    /// The errors of [`LaunchPlan::validate`], and an error if the file of the request cannot be read.
    pub(crate) fn plan(self) -> Result<LaunchPlan> {
        let request = self.message()?;
        let plan = LaunchPlan {
            run: String::new(),
            condition: self.condition,
            launch: 0,
            arms: self.arms,
            request,
            keyword: self.keyword.map(|word| Keyword {
                word,
                share: self.keyword_share,
                position: self.keyword_position,
            }),
            schedule: self.schedule,
            arrivals: match self.rate {
                None => Arrivals::Closed,
                Some(rate) if self.arrivals == "constant" => Arrivals::Constant(rate),
                Some(rate) => Arrivals::Poisson(rate),
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
            wait: self.wait,
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

    /// Returns the request of the file or of the preset, with the changes that the options describe.
    fn message(&self) -> Result<Message> {
        let message = match &self.request {
            None => Message::Http(self.preset.clone()),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
                serde_json::from_str(&text).with_context(|| {
                    format!(
                        "{} is not a request; expected JSON with method, path, headers and body, or redis, or send with \
                         until or length",
                        path.display()
                    )
                })?
            }
        };
        let changed = !self.headers.is_empty()
            || [&self.method, &self.path, &self.body]
                .iter()
                .any(|option| option.is_some());
        let mut request = match message {
            Message::Http(request) => request,
            other if changed => {
                bail!("{other:?} is not an HTTP request; leave out --method, --path, --header and --body")
            }
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

/// Parses the name of a variant as launch plans have it.
fn parse_name<T: DeserializeOwned>(name: &str) -> Result<T, NameError> {
    let name: StrDeserializer<'_, NameError> = name.into_deserializer();
    T::deserialize(name)
}

fn parse_preset(name: &str) -> Result<HttpRequest, String> {
    HttpRequest::preset(name).ok_or_else(|| "expected locust or minimal".to_owned())
}

fn parse_schedule(text: &str) -> Result<Schedule, String> {
    match text.strip_prefix("runs:") {
        Some(length) => match length.parse() {
            Ok(length @ 1..) => Ok(Schedule::Runs(length)),
            _ => Err(format!(
                "`{length}`: expected the number of requests in a run, at least 1"
            )),
        },
        None => match text {
            "interleaved" => Ok(Schedule::Interleaved),
            "sequential" => Ok(Schedule::Sequential),
            "duet" => Ok(Schedule::Duet),
            _ => Err("expected interleaved, sequential, duet, or runs:N".to_owned()),
        },
    }
}

fn parse_target(text: &str) -> Result<Target, String> {
    let (arm, address) = text.split_once('=').ok_or("expected NAME=ADDRESS:PORT")?;
    let address: SocketAddr = address
        .parse()
        .map_err(|_| format!("`{address}`: expected ADDRESS:PORT, such as 127.0.0.1:8080"))?;
    Ok(Target {
        arm: arm.to_owned(),
        address,
        namespace: None,
    })
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
