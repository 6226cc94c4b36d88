//! The two servers that differ by a delay.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use readhook_telemetry::{View, file_len, header};

/// A running server on one processor. Dropping it stops the server.
#[derive(Debug)]
pub struct PinnedServer {
    child: Child,
    /// The port of 127.0.0.1 on which it listens.
    pub port: u16,
}

impl PinnedServer {
    /// Starts the program `sut` on a CPU with these variables in its environment, and waits until it listens.
    ///
    /// # Errors
    /// If it cannot be started or does not listen.
    pub fn start<'a>(
        sut: &Path,
        cpu: usize,
        environment: impl IntoIterator<Item = (&'a str, &'a OsStr)>,
    ) -> Result<Self> {
        let mut child = Command::new("taskset")
            .arg("-c")
            .arg(cpu.to_string())
            .arg(sut)
            .args(["--listen", "127.0.0.1:0"])
            .envs(environment)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server; install util-linux, which has taskset")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("the server has no standard output")?).read_line(&mut line)?;
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Ok(Self {
            child,
            port: port.with_context(|| format!("the server printed {line:?}; expected `listening ADDRESS:PORT`"))?,
        })
    }
}

impl Drop for PinnedServer {
    fn drop(&mut self) {
        // The exit status does not matter.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A running server with the hook in mode `delay`.
#[derive(Debug)]
pub struct DelayedServer {
    server: PinnedServer,
    telemetry: PathBuf,
}

impl DelayedServer {
    /// Starts a server on a CPU and waits until it listens.
    ///
    /// # Errors
    /// If it cannot be started, or its telemetry cannot be written to `folder`.
    pub fn start(sut: &Path, hook: &Path, cpu: usize, delay_ns: u64, folder: &Path) -> Result<Self> {
        let telemetry = folder.join(format!("telemetry-{delay_ns}"));
        let mut file = File::create(&telemetry)?;
        file.write_all(&header(0))?;
        file.set_len(file_len(0))?;
        let delay_ns = delay_ns.to_string();
        let environment = [
            ("LD_PRELOAD", hook.as_os_str()),
            ("READHOOK_MODE", "delay".as_ref()),
            ("READHOOK_DELAY_NS", delay_ns.as_ref()),
            ("READHOOK_TELEMETRY", telemetry.as_os_str()),
        ];
        Ok(Self {
            server: PinnedServer::start(sut, cpu, environment)?,
            telemetry,
        })
    }

    /// Returns the port of 127.0.0.1 on which the server listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Returns the mean delay per request so far, ns.
    ///
    /// # Errors
    /// If the telemetry cannot be read.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    pub fn mean_delay_ns(&self) -> Result<f64> {
        let bytes = fs::read(&self.telemetry)?;
        let counters = View::parse(&bytes)?.counters();
        Ok(counters.spun_ns as f64 / counters.payload_receives.max(1) as f64)
    }
}
