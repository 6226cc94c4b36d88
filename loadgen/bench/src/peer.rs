//! Other load generators: how each is started, and how its output is parsed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde_json::Value;

/// Result of a load generator that sends one request at a time to one server.
#[derive(Clone, Copy, Debug)]
pub struct PeerResult {
    /// Median RTT, or the statistic of the output that is closest to it, ns.
    pub median_ns: f64,
    /// Mean RTT, ns.
    pub mean_ns: f64,
    /// Throughput times mean RTT, by the load generator's own numbers: the mean number of requests in progress, which is 1.
    pub requests_in_progress: f64,
    /// CPU time divided by elapsed time.
    pub cpus: f64,
}

/// Programs that are not in PATH, and the CPU on which all programs run.
#[derive(Clone, Debug)]
pub struct PeerSetup {
    /// Folder with the programs that `--install` brought.
    pub installed: PathBuf,
    /// The compiled `programs/floor.c`.
    pub floor: PathBuf,
    /// CPU on which the load generators run.
    pub cpu: usize,
}

/// Another load generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// wrk.
    Wrk,
    /// hey.
    Hey,
    /// oha.
    Oha,
    /// autocannon.
    Autocannon,
    /// Locust, the client of the 2023 study.
    Locust,
    /// A ping-pong in C with raw system calls, whose cost no HTTP load generator can undercut.
    Floor,
}

impl Peer {
    /// All load generators.
    pub const ALL: [Self; 6] = [
        Self::Floor,
        Self::Wrk,
        Self::Hey,
        Self::Oha,
        Self::Autocannon,
        Self::Locust,
    ];

    /// The name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrk => "wrk",
            Self::Hey => "hey",
            Self::Oha => "oha",
            Self::Autocannon => "autocannon",
            Self::Locust => "Locust",
            Self::Floor => "C ping-pong",
        }
    }

    fn program(self, setup: &PeerSetup) -> PathBuf {
        let installed = |path: &str| setup.installed.join(path);
        match self {
            Self::Wrk => "wrk".into(),
            Self::Hey => "hey".into(),
            Self::Oha => installed("bin/oha"),
            Self::Autocannon => installed("node_modules/.bin/autocannon"),
            Self::Locust => installed("venv/bin/locust"),
            Self::Floor => setup.floor.clone(),
        }
    }

    /// Returns the version of this load generator's program, as text for the table.
    ///
    /// # Errors
    /// The reason why the program cannot run.
    pub fn version(self, setup: &PeerSetup) -> Result<String, String> {
        let flag = match self {
            Self::Floor => return Ok("60 lines".to_owned()),
            Self::Wrk => "-v",
            // hey has no option that prints its version; -h shows that it can be started.
            Self::Hey => "-h",
            Self::Oha | Self::Autocannon | Self::Locust => "--version",
        };
        let output = Command::new(self.program(setup))
            .arg(flag)
            .output()
            .map_err(|error| format!("{error}; `cargo xtask bench peers --install` installs it"))?;
        if self == Self::Hey {
            return Ok("version of the distribution".to_owned());
        }
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let mut words = text.split(|letter: char| letter.is_whitespace() || letter == ',' || letter == '/');
        let version = words.find(|word| {
            word.trim_start_matches('v')
                .starts_with(|letter: char| letter.is_ascii_digit())
        });
        version
            .map(str::to_owned)
            .ok_or_else(|| format!("its output has no version: {}", text.trim()))
    }

    /// Measures one server for this number of seconds, or with about as many requests as that takes.
    ///
    /// # Errors
    /// If the load generator cannot be started or fails, or its output cannot be parsed.
    pub fn measure(self, setup: &PeerSetup, port: u16, seconds: u32, folder: &Path) -> Result<PeerResult> {
        let url = format!("http://127.0.0.1:{port}/");
        let (seconds_text, limit) = (seconds.to_string(), format!("{seconds}s"));
        let mut command = Command::new("taskset");
        command
            .arg("-c")
            .arg(setup.cpu.to_string())
            .arg(self.program(setup))
            .current_dir(folder);
        match self {
            Self::Wrk => command.args(["-t1", "-c1", "--latency", "-d", &limit, &url]),
            Self::Hey => command.args(["-c", "1", "-z", &limit, &url]),
            Self::Oha => command.args(["-c", "1", "-z", &limit, "--no-tui", "--output-format", "json", &url]),
            Self::Autocannon => command.args(["-c", "1", "-d", &seconds_text, "--json", &url]),
            Self::Locust => {
                let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/locustfile.py");
                command.arg("-f").arg(file);
                let words = [
                    "--headless",
                    "-u",
                    "1",
                    "-t",
                    &limit,
                    "--loglevel",
                    "ERROR",
                    "--only-summary",
                    "--host",
                ];
                command.args(words).arg(url.trim_end_matches('/'))
            }
            Self::Floor => command
                .arg(port.to_string())
                .arg((seconds * 30_000).to_string())
                .args(["1", "1"]),
        };
        let (start, before) = (Instant::now(), children_s()?);
        let output = command
            .output()
            .with_context(|| format!("cannot start {}", self.name()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "{}: {}\n{text}{}",
            self.name(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        let cpus = (children_s()? - before) / start.elapsed().as_secs_f64();
        fs::write(folder.join(format!("{}.txt", self.name())), &text)?;
        self.parse(&text, cpus)
            .with_context(|| format!("cannot parse the output of {}:\n{text}", self.name()))
    }

    /// Parses the output of the load generator.
    fn parse(self, text: &str, cpus: f64) -> Result<PeerResult> {
        let number = |value: &Value| value.as_f64().context("a number is missing");
        let json = || -> Result<Value> { Ok(serde_json::from_str(text)?) };
        let (median_ns, mean_ns, per_second) = match self {
            Self::Wrk => {
                // With a space before it: a share of requests such as 98.50% stands above the percentiles.
                let median = wrk_time(word_after(text, " 50%")?)?;
                let mean = wrk_time(word_after(text, "Latency  ").or_else(|_| word_after(text, "Latency"))?)?;
                (median, mean, word_after(text, "Requests/sec:")?.parse()?)
            }
            Self::Hey => (
                word_after(text, "50%% in")
                    .or_else(|_| word_after(text, "50% in"))?
                    .parse::<f64>()?
                    * 1e9,
                word_after(text, "Average:")?.parse::<f64>()? * 1e9,
                word_after(text, "Requests/sec:")?.parse()?,
            ),
            Self::Oha => {
                let json = json()?;
                (
                    number(&json["latencyPercentiles"]["p50"])? * 1e9,
                    number(&json["summary"]["average"])? * 1e9,
                    number(&json["summary"]["requestsPerSec"])?,
                )
            }
            Self::Autocannon => {
                let json = json()?;
                (
                    number(&json["latency"]["p50"])? * 1e6,
                    number(&json["latency"]["average"])? * 1e6,
                    number(&json["requests"]["average"])?,
                )
            }
            Self::Locust => {
                let line = text
                    .lines()
                    .find_map(|line| line.strip_prefix("told "))
                    .context("no line that begins with `told`")?;
                let told: Value = serde_json::from_str(line)?;
                (
                    number(&told["median_ms"])? * 1e6,
                    number(&told["mean_ms"])? * 1e6,
                    number(&told["per_second"])?,
                )
            }
            Self::Floor => {
                let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
                ensure!(numbers.len() == 3, "expected three numbers");
                (numbers[0], numbers[1], numbers[2])
            }
        };
        Ok(PeerResult {
            median_ns,
            mean_ns,
            requests_in_progress: per_second * mean_ns / 1e9,
            cpus,
        })
    }
}

/// Returns the word after a label.
fn word_after<'a>(text: &'a str, label: &str) -> Result<&'a str> {
    let (_, rest) = text.split_once(label).with_context(|| format!("no `{label}`"))?;
    rest.split_whitespace()
        .next()
        .with_context(|| format!("nothing after `{label}`"))
}

/// Parses a time of wrk's output to nanoseconds.
fn wrk_time(text: &str) -> Result<f64> {
    let at = text
        .find(|letter: char| letter.is_ascii_alphabetic())
        .context("a time without a unit")?;
    let unit_ns = match &text[at..] {
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        other => anyhow::bail!("unknown unit {other}"),
    };
    Ok(text[..at].parse::<f64>()? * unit_ns)
}

/// Returns the CPU time of all child processes that have ended, s.
///
/// # Errors
/// If the kernel refuses.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a short run")]
pub fn children_s() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok((usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::Peer;

    #[test]
    fn the_output_of_each_load_generator_is_parsed() {
        for (peer, text, median_ns, mean_ns, requests_in_progress) in [
            (
                Peer::Wrk,
                "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 1 connections\n  Thread Stats   Avg      Stdev     \
                 Max   +/- Stdev\n    Latency    40.00us    8.14us   1.02ms   98.50%\n    Req/Sec    24.93k     1.05k   26.02k\n  \
                 Latency Distribution\n     50%   38.00us\n     75%   41.00us\nRequests/sec:  25000.00\n",
                38e3,
                40e3,
                1.0,
            ),
            (
                Peer::Hey,
                "Summary:\n  Total:\t1.0000 secs\n  Average:\t0.0002 secs\n  Requests/sec:\t5000.0\n\nLatency distribution:\n  \
                 10%% in 0.0001 secs\n  50%% in 0.0001 secs\n",
                1e5,
                2e5,
                1.0,
            ),
            (
                Peer::Oha,
                r#"{"summary": {"average": 4e-5, "requestsPerSec": 25000.0}, "latencyPercentiles": {"p50": 3.5e-5}}"#,
                35e3,
                40e3,
                1.0,
            ),
            (
                Peer::Autocannon,
                r#"{"latency": {"p50": 0, "average": 0.04}, "requests": {"average": 12500}}"#,
                0.0,
                40e3,
                0.5,
            ),
            (
                Peer::Locust,
                "a line\ntold {\"median_ms\": 0.3, \"mean_ms\": 0.4, \"per_second\": 2500}\nanother\n",
                3e5,
                4e5,
                1.0,
            ),
            (Peer::Floor, "16000 20000 50000.0\n", 16e3, 20e3, 1.0),
        ] {
            let result = peer.parse(text, 0.5).unwrap();
            for (quantity, found, expected) in [
                ("median", result.median_ns, median_ns),
                ("mean", result.mean_ns, mean_ns),
                (
                    "requests in progress",
                    result.requests_in_progress,
                    requests_in_progress,
                ),
            ] {
                assert!(
                    (found - expected).abs() <= 1e-9 * expected.abs(),
                    "{peer:?} {quantity}: {found}"
                );
            }
        }
        assert!(Peer::Wrk.parse("nothing", 0.0).is_err() && Peer::Locust.parse("", 0.0).is_err());
    }
}
