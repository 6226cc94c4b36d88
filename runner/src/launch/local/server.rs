//! A server, proxy or neighbour on this machine: started on its processor, tied to this process, awaited, stopped.

use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use dataset::{RequestOutcome, ServerFault, ServerFaultKind};
use isolation::ServerNamespace;
use loadgen::Client;
use model::{Message, Target};
use monitor::ControlGroup;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::Process;

use crate::launch::local::child::own;
use crate::launch::local::output::Output;
use crate::launch::local::process_set::{Listening, ProcessSet, has_mapped, listens};
use crate::launch::process::{PATIENCE, ProcessStart, Readiness};

/// Longest time between the request to end and the end of the server.
const STOP: Duration = Duration::from_secs(2);
/// Time between two checks of a server.
const LOOK: Duration = Duration::from_millis(5);
/// Longest wait for one answer before the server is ready.
const ANSWER: Duration = Duration::from_secs(2);
/// Longest time in which a server that starts may give wrong answers.
const SETTLE: Duration = Duration::from_secs(5);

/// Processor, control group and network namespace of a process.
#[derive(Debug)]
pub(crate) struct Placement {
    /// The processor; without one, every processor of this process.
    pub(crate) cpu: Option<usize>,
    pub(crate) group: Option<ControlGroup>,
    /// The network namespace; `None` for the namespace of this thread.
    pub(crate) pod: Option<Rc<ServerNamespace>>,
    /// Whether the process is a proxy, whose network namespace belongs to its server.
    pub(crate) sidecar: bool,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Id of the server's first process.
    pub(crate) pid: u32,
    output: Output,
    pub(crate) processes: ProcessSet,
    pod: Option<Rc<ServerNamespace>>,
    /// The address at which it listens.
    pub(crate) address: SocketAddr,
    /// Time from its start until it was ready.
    pub(crate) ready_after: Duration,
    killed: bool,
}

impl Server {
    /// Starts a server through `runner start`, which pins it and ties it to this process, and waits until it is ready.
    /// `folder` is its working directory if its start names none. `request` is the request that it has to answer if it serves.
    ///
    /// # Errors
    /// A [`ServerFault`] if the server is to blame.
    pub(crate) fn start(start: &ProcessStart, place: Placement, folder: &Path, request: &Message) -> Result<Self> {
        let mut starter = starter(place.group.as_ref(), place.cpu, &start.environment)?;
        starter.arg("--").args(&start.command);
        starter
            .current_dir(start.directory.as_deref().unwrap_or(folder))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let begin = Instant::now();
        let mut child = match &place.pod {
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
        let processes = match &place.pod {
            Some(pod) if !place.sidecar => ProcessSet::Namespace {
                inode: pod.inode,
                sidecars: Vec::new(),
            },
            _ => ProcessSet::Descent(pid),
        };
        let mut server = Self {
            child,
            pid,
            output,
            processes,
            pod: place.pod,
            address: (Ipv4Addr::UNSPECIFIED, 0).into(),
            ready_after: Duration::ZERO,
            killed: false,
        };
        match server.until_ready(start, place.sidecar, request) {
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

    /// Records a proxy that runs in the server's namespace. The processes of the proxy do not count as the server's.
    pub(crate) fn has_beside(&mut self, sidecar: &Self) {
        if let ProcessSet::Namespace { sidecars, .. } = &mut self.processes {
            sidecars.push(sidecar.pid);
        }
    }

    /// Returns the target by which a client connects to the server at an address.
    fn at(&self, address: SocketAddr) -> Target {
        Target {
            arm: String::new(),
            address,
            namespace: self.pod.as_ref().map(|pod| pod.path.clone()),
        }
    }

    /// Returns the processes that listen on its port, or all its processes if none does.
    pub(crate) fn serving(&self) -> Vec<Process> {
        let port = Listening::Tcp(self.address.port());
        let all = self.processes.processes().into_iter();
        let (serving, others): (Vec<_>, Vec<_>) = all.partition(|process| listens(process).contains(&port));
        if serving.is_empty() { others } else { serving }
    }

    /// Returns true if a file is mapped into every process that accepts connections, and there is such a process.
    pub(crate) fn has_mapped(&self, file: &Path) -> bool {
        let serving = self.serving();
        !serving.is_empty() && serving.iter().all(|process| has_mapped(process, file))
    }

    /// Returns a fault of this server, with the end of its output.
    pub(crate) fn fault(&self, kind: ServerFaultKind, what: impl Into<String>) -> ServerFault {
        ServerFault {
            kind,
            what: what.into(),
            output: self.output.last_words(),
        }
    }

    /// Returns a fault if the server has ended. A server with a network namespace has ended when its first process and
    /// all others in the namespace have ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ServerFault>> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        let elsewhere =
            matches!(self.processes, ProcessSet::Namespace { .. }) && !self.processes.processes().is_empty();
        if elsewhere {
            return Ok(None);
        }
        // Its last output can still be in the pipe.
        thread::sleep(LOOK * 10);
        Ok(Some(
            self.fault(kind_of_end(status), format!("the server ended with {status}")),
        ))
    }

    /// Returns the fault of a server that did not answer request number `number`.
    pub(crate) fn failed(&mut self, status: RequestOutcome, number: u64, why: &str) -> Result<ServerFault> {
        // A server that ends closes its sockets before its exit status is known.
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

    /// Asks the server to end, and kills its remaining processes after two seconds. Returns a fault if it had ended before.
    ///
    /// # Errors
    /// If the kernel refuses the signal.
    pub(crate) fn stop(&mut self) -> Result<Option<ServerFault>> {
        if let Some(fault) = self.ended()? {
            return Ok(Some(fault));
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
        Ok(None)
    }

    /// Kills all processes of the server, once. Later, other processes can have the same numbers.
    fn kill(&mut self) {
        if std::mem::replace(&mut self.killed, true) {
            return;
        }
        // The child must not be waited for yet: its process id leads to its descendants.
        self.processes.kill();
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Server {
    /// Waits until the server is ready, and returns the address on which it listens.
    ///
    /// # Errors
    /// A [`ServerFault`] if it ends before, or takes too long.
    fn until_ready(&mut self, start: &ProcessStart, sidecar: bool, request: &Message) -> Result<SocketAddr> {
        match start.readiness {
            Readiness::Runs => self.until_it_runs(),
            Readiness::Listens(address) => self.until_it_listens(address),
            Readiness::Announces(_) => self.until_it_announces(),
            Readiness::Serves(address) => {
                let ips = match address.ip() {
                    // The server may listen on the IPv4 or the IPv6 loopback address.
                    ip if ip.is_loopback() && !sidecar => {
                        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
                    }
                    ip => vec![ip],
                };
                self.until_it_answers(request, &ips, address.port(), start.patience)
            }
        }
    }

    /// Waits until `look` returns a value, and returns the value.
    ///
    /// # Errors
    /// A [`ServerFault`] if the server ends before. A [`ServerFault`] with the text `missing` after a minute.
    pub(crate) fn until_seen<T>(&mut self, missing: &str, mut look: impl FnMut(&Self) -> Option<T>) -> Result<T> {
        let begin = Instant::now();
        loop {
            if let Some(seen) = look(self) {
                return Ok(seen);
            }
            if let Some(fault) = self.ended()? {
                return Err(fault.into());
            }
            if begin.elapsed() > PATIENCE {
                let what = format!("{missing} after {} s", PATIENCE.as_secs());
                return Err(self.fault(ServerFaultKind::NotListening, what).into());
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until `runner start` has become the program that it starts.
    fn until_it_runs(&mut self) -> Result<SocketAddr> {
        let own = std::env::current_exe()?;
        self.until_seen("does not run", |server| {
            // The kernel does not name the file of a program that has more rights than this one.
            let file = fs::read_link(format!("/proc/{}/exe", server.pid)).ok();
            (file.as_ref() != Some(&own)).then_some(server.address)
        })
    }

    fn until_it_listens(&mut self, address: SocketAddr) -> Result<SocketAddr> {
        let port = Listening::Tcp(address.port());
        let missing = format!("does not listen at port {}", address.port());
        self.until_seen(&missing, |server| {
            let processes = server.processes.processes();
            let there = processes.iter().any(|process| listens(process).contains(&port));
            there.then_some(address)
        })
    }

    fn until_it_announces(&mut self) -> Result<SocketAddr> {
        self.until_seen("does not print `listening ADDRESS:PORT`", |server| {
            let address = |line: &str| line.strip_prefix("listening ")?.parse().ok();
            server.output.text().lines().find_map(address)
        })
    }

    fn until_it_answers(
        &mut self,
        request: &Message,
        ips: &[IpAddr],
        port: u16,
        patience: Duration,
    ) -> Result<SocketAddr> {
        let begin = Instant::now();
        let mut first_answer = None;
        let mut failure = None;
        loop {
            for &ip in ips {
                let address = SocketAddr::from((ip, port));
                let answer = Client::new(&self.at(address), request, ANSWER.min(patience)).ask();
                match answer.map(|reply| reply.refused) {
                    Ok(None) => return Ok(address),
                    Ok(Some(why)) => {
                        let since: &Instant = first_answer.get_or_insert_with(Instant::now);
                        if since.elapsed() > SETTLE {
                            return Err(self.fault(ServerFaultKind::WrongAnswer, why).into());
                        }
                    }
                    Err((RequestOutcome::Refused, _)) => {}
                    Err(why) => failure = Some(why),
                }
            }
            if let Some(fault) = self.ended()? {
                return Err(fault.into());
            }
            if begin.elapsed() > patience {
                return Err(self.not_ready(port, patience, failure).into());
            }
            thread::sleep(LOOK);
        }
    }

    /// Returns the fault of a server that was not ready in time.
    fn not_ready(&self, port: u16, patience: Duration, failure: Option<(RequestOutcome, String)>) -> ServerFault {
        let waited = patience.as_secs_f64();
        match failure {
            Some((RequestOutcome::Invalid, why)) => self.fault(ServerFaultKind::WrongAnswer, why),
            Some((_, why)) => {
                let what = format!("accepts connections at port {port}, and does not answer for {waited:.0} s: {why}");
                self.fault(ServerFaultKind::Hung, what)
            }
            None => {
                let processes = self.processes.processes();
                let places: Vec<String> = processes.iter().flat_map(listens).map(|at| at.to_string()).collect();
                let what = if places.is_empty() {
                    format!("listens nowhere after {waited:.0} s")
                } else {
                    format!(
                        "does not listen at TCP port {port} of the loopback device, but at {}; tell it the port by {{port}}, or the port by --port",
                        places.join(", ")
                    )
                };
                self.fault(ServerFaultKind::NotListening, what)
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns `runner start`, which pins the program that it becomes, ties it to this process and puts it into a control group. The
/// caller adds `--` and the command.
///
/// # Errors
/// If this program's file or number cannot be found.
pub(crate) fn starter(
    group: Option<&ControlGroup>,
    cpu: Option<usize>,
    environment: &[(String, OsString)],
) -> Result<Command> {
    let mut starter = own("start")?;
    if let Some(group) = group {
        starter.arg("--group").arg(serde_json::to_string(group)?);
    }
    if let Some(cpu) = cpu {
        starter.arg("--cpu").arg(cpu.to_string());
    }
    for (name, value) in environment {
        let mut variable = OsString::from(name);
        variable.push("=");
        variable.push(value);
        starter.arg("--env").arg(variable);
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
