//! The two servers that differ by a delay.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use readhook_telemetry::{View, file_len, header};

/// A running server with the hook in mode `delay`. Dropping it stops the server.
pub(crate) struct DelayedServer {
    child: Child,
    telemetry: PathBuf,
    pub(crate) port: u16,
}

impl DelayedServer {
    /// Starts a server on a CPU and waits until it listens.
    pub(crate) fn start(sut: &Path, hook: &Path, cpu: usize, delay_ns: u64, folder: &Path) -> Result<Self> {
        let telemetry = folder.join(format!("telemetry-{delay_ns}"));
        let mut file = File::create(&telemetry)?;
        file.write_all(&header(0))?;
        file.set_len(file_len(0))?;
        let mut child = Command::new("taskset")
            .arg("-c")
            .arg(cpu.to_string())
            .arg(sut)
            .args(["--listen", "127.0.0.1:0"])
            .env("LD_PRELOAD", hook)
            .env("READHOOK_MODE", "delay")
            .env("READHOOK_DELAY_NS", delay_ns.to_string())
            .env("READHOOK_TELEMETRY", &telemetry)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server; install util-linux, which has taskset")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("the server has no standard output")?).read_line(&mut line)?;
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Ok(Self {
            child,
            telemetry,
            port: port.with_context(|| format!("the server printed {line:?}; expected `listening ADDRESS:PORT`"))?,
        })
    }

    /// Returns the mean delay per request so far, ns.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    pub(crate) fn mean_delay_ns(&self) -> Result<f64> {
        let bytes = fs::read(&self.telemetry)?;
        let counters = View::parse(&bytes)?.counters();
        Ok(counters.spun_ns as f64 / counters.payload_receives.max(1) as f64)
    }
}

impl Drop for DelayedServer {
    fn drop(&mut self) {
        // The exit status does not matter.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
