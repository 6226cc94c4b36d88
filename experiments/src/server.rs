//! One server process: started on its processor, tied to this process, waited for until it listens, stopped.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use monitor::Cgroup;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a server may take to listen: a Java application is compiled first, on one processor.
const START: Duration = Duration::from_secs(60);
/// How long it may take to end.
const STOP: Duration = Duration::from_secs(2);

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Its number as /proc has it.
    pub(crate) pid: u32,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `command` through `bench start`, which pins it and ties it to this process, and waits until it listens.
    pub(crate) fn start(
        cpu: usize,
        group: Option<&Cgroup>,
        environment: &[(&str, OsString)],
        command: &[OsString],
    ) -> Result<Self> {
        let mut starter = starter(group)?;
        starter.arg("--cpu").arg(cpu.to_string());
        for (name, value) in environment {
            let mut variable = OsString::from(name);
            variable.push("=");
            variable.push(value);
            starter.arg("--env").arg(variable);
        }
        let mut child = starter
            .arg("--")
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a server")?;
        let listens = wait_until_it_listens(&mut child)
            .and_then(|address| Ok((address, clusters::outer_pid_of_child(child.id())?)));
        match listens {
            Ok((address, pid)) => Ok(Self { child, pid, address }),
            Err(error) => {
                // The first error is the one to report.
                _ = child.kill();
                _ = child.wait();
                let shown: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
                Err(error.context(format!("server `{}`", shown.join(" "))))
            }
        }
    }

    /// Whether a file is mapped into the server.
    pub(crate) fn has_mapped(&self, file: &Path) -> Result<bool> {
        let maps = format!("/proc/{}/maps", self.pid);
        let text = fs::read_to_string(&maps).with_context(|| format!("cannot read {maps}"))?;
        let name = file.to_string_lossy();
        Ok(text.lines().any(|line| line.ends_with(name.as_ref())))
    }

    /// Ends the server; one that does not end when asked is killed. One that was killed for want of memory has ended.
    pub(crate) fn stop(mut self, killed: bool) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?);
        if self.child.try_wait()?.is_some() {
            if killed {
                return Ok(());
            }
            bail!("the server at {} ended before it was asked to", self.address);
        }
        kill(pid, Signal::SIGTERM).context("cannot stop a server")?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > STOP {
                self.child.kill()?;
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

/// `bench start`, which ties what it starts to this process and puts it into its group.
pub(crate) fn starter(group: Option<&Cgroup>) -> Result<Command> {
    let mut starter = Command::new(std::env::current_exe()?);
    starter
        .arg("start")
        .arg("--parent")
        .arg(clusters::outer_pid()?.to_string());
    if let Some(group) = group {
        starter.arg("--group").arg(serde_json::to_string(group)?);
    }
    Ok(starter)
}

fn wait_until_it_listens(child: &mut Child) -> Result<SocketAddr> {
    let output = child.stdout.take().context("a server without output")?;
    let (sender, receiver) = mpsc::channel();
    // Goes on reading until the server ends, so that it never waits for a full pipe.
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            _ = sender.send(line);
        }
    });
    let line = match receiver.recv_timeout(START) {
        Ok(line) => line,
        Err(mpsc::RecvTimeoutError::Timeout) => bail!("does not listen after {} s", START.as_secs()),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            bail!(
                "ended with {} before it listened; its last words stand above",
                child.wait()?
            )
        }
    };
    let address = line.strip_prefix("listening ").and_then(|address| address.parse().ok());
    address.with_context(|| format!("said `{line}`, expected `listening ADDRESS:PORT`"))
}
