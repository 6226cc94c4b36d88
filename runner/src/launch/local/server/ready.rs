//! Waiting until a server can be measured.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use dataset::{RequestOutcome, ServerFault, ServerFaultKind};
use loadgen::Client;
use model::Message;

use super::{LOOK, Server};
use crate::launch::local::process_set::{Listening, Process};

/// How long a server of our own may take to listen: a Java application is compiled first, on one processor.
const START: Duration = Duration::from_secs(60);
/// Longest wait for one answer while it is not known whether the server is ready.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a server that answers may go on answering something else than it should.
const SETTLE: Duration = Duration::from_secs(5);

/// How it is known that a server can be measured.
#[derive(Debug)]
pub(crate) enum Ready {
    /// As soon as it runs, whatever it does.
    Runs,
    /// It listens at this address, whatever it understands there.
    Listens(SocketAddr),
    /// It prints `listening ADDRESS`.
    Says,
    /// It answers this at the port of one of these addresses, within so long.
    Answers {
        message: Box<Message>,
        addresses: Vec<IpAddr>,
        port: u16,
        patience: Duration,
    },
}

impl Ready {
    /// The addresses at which a server may listen that shares a network namespace with the prober.
    pub(crate) fn loopback() -> Vec<IpAddr> {
        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    }
}

impl Server {
    /// Waits until it can be measured, and says where it listens.
    ///
    /// # Errors
    /// A [`ServerFault`] where it ends before, or takes too long.
    pub(super) fn until(&mut self, ready: Ready) -> Result<SocketAddr> {
        match ready {
            Ready::Runs => self.until_it_runs(),
            Ready::Listens(address) => self.until_it_listens(address),
            Ready::Says => self.until_it_says(),
            Ready::Answers {
                message,
                addresses,
                port,
                patience,
            } => self.until_it_answers(&message, &addresses, port, patience),
        }
    }

    /// Waits for what a look at it shows, in vain when it ends or `missing` for too long.
    pub(crate) fn until_seen<T>(&mut self, missing: &str, mut look: impl FnMut(&Self) -> Option<T>) -> Result<T> {
        let begin = Instant::now();
        loop {
            if let Some(seen) = look(self) {
                return Ok(seen);
            }
            if let Some(fault) = self.ended()? {
                return Err(fault.into());
            }
            if begin.elapsed() > START {
                let what = format!("{missing} after {} s", START.as_secs());
                return Err(self.fault(ServerFaultKind::NotListening, what).into());
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until `bench start` has become the program that it starts.
    fn until_it_runs(&mut self) -> Result<SocketAddr> {
        let own = std::env::current_exe()?;
        self.until_seen("does not run", |server| {
            // Of a program with more rights than ours the file is not told.
            let file = fs::read_link(format!("/proc/{}/exe", server.pid)).ok();
            (file.as_ref() != Some(&own)).then_some(server.address)
        })
    }

    fn until_it_listens(&mut self, address: SocketAddr) -> Result<SocketAddr> {
        let port = Listening::Tcp(address.port());
        let missing = format!("does not listen at port {}", address.port());
        self.until_seen(&missing, |server| {
            let listens = |process: &Process| process.listens().contains(&port);
            server.processes.processes().iter().any(listens).then_some(address)
        })
    }

    fn until_it_says(&mut self) -> Result<SocketAddr> {
        self.until_seen("does not say `listening ADDRESS:PORT`", |server| {
            let said = |line: &str| line.strip_prefix("listening ")?.parse().ok();
            server.output.text().lines().find_map(said)
        })
    }

    fn until_it_answers(
        &mut self,
        message: &Message,
        addresses: &[IpAddr],
        port: u16,
        patience: Duration,
    ) -> Result<SocketAddr> {
        let begin = Instant::now();
        let mut first_answer = None;
        let mut failure = None;
        loop {
            for &ip in addresses {
                let address = SocketAddr::from((ip, port));
                let answer = Client::new(&self.at("", address), message, ANSWER.min(patience)).ask();
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

    /// Why the server is given up.
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
                let places: Vec<String> = processes
                    .iter()
                    .flat_map(Process::listens)
                    .map(|at| at.to_string())
                    .collect();
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
