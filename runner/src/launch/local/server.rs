//! One server, hop or neighbour: started on its processor, tied to this process, waited for until it is ready, stopped.

mod ready;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use dataset::{RequestOutcome, ServerFault, ServerFaultKind};
use isolation::ServerNamespace;
use model::Target;
use monitor::ControlGroup;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::launch::local::output::Output;
use crate::launch::local::process_set::{Family, Listening, Process};

pub(crate) use ready::Ready;

/// How long it may take to end.
const STOP: Duration = Duration::from_secs(2);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// What is started, and where.
#[derive(Debug)]
pub(crate) struct Start {
    /// Its processor; any that this process may run on without it.
    pub(crate) cpu: Option<usize>,
    /// The control group that is to be the server's.
    pub(crate) group: Option<ControlGroup>,
    pub(crate) command: Vec<OsString>,
    pub(crate) environment: Vec<(String, OsString)>,
    pub(crate) ready: Ready,
    /// The network namespace that is to be the server's own.
    pub(crate) pod: Option<Rc<ServerNamespace>>,
    /// Whether that namespace is another's, beside whom it is started.
    pub(crate) sidecar: bool,
    pub(crate) directory: Option<PathBuf>,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The number of its first process as /proc has it.
    pub(crate) pid: u32,
    output: Output,
    pub(crate) family: Family,
    pub(crate) pod: Option<Rc<ServerNamespace>>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From its start until it was ready.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts a server through `bench start`, which pins it and ties it to this process, and waits until it is ready.
    ///
    /// # Errors
    /// A [`Fault`] where the server is to blame.
    pub(crate) fn start(start: Start) -> Result<Self> {
        let mut starter = starter(start.group.as_ref())?;
        if let Some(cpu) = start.cpu {
            starter.arg("--cpu").arg(cpu.to_string());
        }
        for (name, value) in &start.environment {
            let mut variable = OsString::from(name);
            variable.push("=");
            variable.push(value);
            starter.arg("--env").arg(variable);
        }
        starter.arg("--").args(&start.command);
        starter
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(directory) = &start.directory {
            starter.current_dir(directory);
        }
        let begin = Instant::now();
        let mut child = match &start.pod {
            Some(pod) => pod.within(|| starter.spawn())?,
            None => starter.spawn(),
        }
        .context("cannot start a server")?;
        let output = Output::default();
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            output.drain(stdout);
            output.drain(stderr);
        }
        let pid = isolation::outer_pid_of_child(child.id())?;
        let family = match &start.pod {
            Some(pod) if !start.sidecar => Family::Namespace {
                inode: pod.inode,
                sidecars: Vec::new(),
            },
            _ => Family::Descent(pid),
        };
        let mut server = Self {
            child,
            pid,
            output,
            family,
            pod: start.pod,
            address: (Ipv4Addr::UNSPECIFIED, 0).into(),
            ready_after: Duration::ZERO,
        };
        match server.until(start.ready) {
            Ok(address) => {
                server.address = address;
                server.ready_after = begin.elapsed();
                Ok(server)
            }
            Err(error) => {
                server.kill();
                let shown: Vec<_> = start.command.iter().map(|word| word.to_string_lossy()).collect();
                Err(error.context(format!("server `{}`", shown.join(" "))))
            }
        }
    }

    /// Tells it of another that was started in its namespace, whose processes are not its own.
    pub(crate) fn has_beside(&mut self, sidecar: &Self) {
        if let Family::Namespace { sidecars, .. } = &mut self.family {
            sidecars.push(sidecar.pid);
        }
    }

    /// How a client reaches it at an address.
    pub(crate) fn at(&self, arm: &str, address: SocketAddr) -> Target {
        Target {
            arm: arm.to_owned(),
            address,
            namespace: self.pod.as_ref().map(|pod| pod.path.clone()),
        }
    }

    /// Those of its processes to which its clients' connections come; all of them where that cannot be told.
    pub(crate) fn serving(&self) -> Vec<Process> {
        let all = self.family.processes();
        let port = Listening::Tcp(self.address.port());
        let serving: Vec<Process> = all
            .iter()
            .filter(|process| process.listens().contains(&port))
            .cloned()
            .collect();
        if serving.is_empty() { all } else { serving }
    }

    /// Whether a file is mapped into every process that serves.
    pub(crate) fn has_mapped(&self, file: &Path) -> bool {
        let serving = self.serving();
        !serving.is_empty() && serving.iter().all(|process| process.has_mapped(file))
    }

    /// A fault of this server's, with what it printed.
    pub(crate) fn fault(&self, kind: ServerFaultKind, what: impl Into<String>) -> ServerFault {
        ServerFault {
            kind,
            what: what.into(),
            output: self.output.last_words(),
        }
    }

    /// That it has ended, if it has. A server may leave its first process, but not its namespace.
    pub(crate) fn ended(&mut self) -> Result<Option<ServerFault>> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        let elsewhere = matches!(self.family, Family::Namespace { .. }) && !self.family.processes().is_empty();
        if elsewhere {
            return Ok(None);
        }
        // What it printed last is on its way.
        thread::sleep(LOOK * 10);
        Ok(Some(
            self.fault(kind_of_end(status), format!("the server ended with {status}")),
        ))
    }

    /// What became of it that it did not answer the request of this number.
    pub(crate) fn failed(&mut self, status: RequestOutcome, number: u64, why: &str) -> Result<ServerFault> {
        // One that is just ending has closed its sockets before it can be waited for.
        for _ in 0..20 {
            if let Some(mut fault) = self.ended()? {
                fault.what += &format!(", at request {number}");
                return Ok(fault);
            }
            thread::sleep(Duration::from_millis(10));
        }
        let kind = if status == RequestOutcome::TimedOut {
            ServerFaultKind::Hung
        } else {
            ServerFaultKind::WrongAnswer
        };
        Ok(self.fault(kind, format!("request {number}: {why}")))
    }

    /// Ends the server, and kills what does not end when asked; one that was `killed` for want of memory has ended.
    ///
    /// # Errors
    /// When it has ended before.
    pub(crate) fn stop(&mut self, killed: bool) -> Result<()> {
        if let Some(fault) = self.ended()? {
            if killed {
                return Ok(());
            }
            return Err(anyhow::Error::new(fault).context(format!("the server at {}", self.address)));
        }
        let asked = Instant::now();
        if self.child.try_wait()?.is_none() {
            let pid = Pid::from_raw(i32::try_from(self.child.id())?);
            kill(pid, Signal::SIGTERM).context("cannot stop a server")?;
        }
        while self.child.try_wait()?.is_none() && asked.elapsed() < STOP {
            thread::sleep(Duration::from_millis(2));
        }
        self.kill();
        Ok(())
    }

    fn kill(&mut self) {
        // Before the child is waited for: its number leads to those that descend from it.
        self.family.kill();
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// `bench start`, which ties what it starts to this process and puts it into its group.
pub(crate) fn starter(group: Option<&ControlGroup>) -> Result<Command> {
    let mut starter = Command::new(std::env::current_exe()?);
    starter
        .arg("start")
        .arg("--parent")
        .arg(isolation::outer_pid()?.to_string());
    if let Some(group) = group {
        starter.arg("--group").arg(serde_json::to_string(group)?);
    }
    Ok(starter)
}

fn kind_of_end(status: ExitStatus) -> ServerFaultKind {
    use std::os::unix::process::ExitStatusExt as _;
    if status.signal().is_some() {
        ServerFaultKind::Crashed
    } else {
        ServerFaultKind::Ended
    }
}
