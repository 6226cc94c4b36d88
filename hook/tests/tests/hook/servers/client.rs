//! A client that sends the same load each time and keeps the answers.

use std::fmt;
use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::process::Server;
use super::protocol::{Protocol, WORD, without};

const THREADS: usize = 4;
pub(crate) struct Load {
    pub(crate) protocol: Protocol,
    pub(crate) requests: usize,
    /// True if signals make the server close connections. Its answers then announce the close.
    pub(crate) interrupted: bool,
}

/// The load that was sent, and the answers of each thread.
#[derive(Default)]
pub(crate) struct LoadOutcome {
    pub(crate) answers: Vec<Vec<u8>>,
    pub(crate) sent_bytes: u64,
    pub(crate) writes: u64,
    pub(crate) words: u64,
    pub(crate) connections: u64,
}

impl fmt::Display for LoadOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sent_bytes,
            writes,
            words,
            connections,
            ..
        } = self;
        write!(
            formatter,
            "sent {sent_bytes} bytes in {writes} writes with {words} words on {connections} connections;"
        )
    }
}

impl LoadOutcome {
    pub(crate) fn first_difference(&self, other: &Self) -> String {
        for (ours, theirs) in self.answers.iter().zip(&other.answers) {
            if let Some(at) = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at)) {
                let around = |bytes: &[u8]| {
                    let part = bytes.get(at.saturating_sub(200)..bytes.len().min(at + 40));
                    String::from_utf8_lossy(part.unwrap_or_default()).into_owned()
                };
                return format!("bare:\n{}\nhooked:\n{}", around(ours), around(theirs));
            }
        }
        "no difference".to_owned()
    }
}

impl Load {
    pub(crate) fn run(&self, server: &Server) -> Result<LoadOutcome> {
        let results: Vec<Result<LoadOutcome>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| scope.spawn(move || self.thread(server, thread)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a client"))
                .collect()
        });
        let mut sum = LoadOutcome::default();
        for result in results {
            let one = result?;
            sum.answers.extend(one.answers);
            sum.sent_bytes += one.sent_bytes;
            sum.writes += one.writes;
            sum.words += one.words;
            sum.connections += one.connections;
        }
        Ok(sum)
    }

    fn thread(&self, server: &Server, thread: usize) -> Result<LoadOutcome> {
        let mut outcome = LoadOutcome::default();
        let mut answers = Vec::new();
        let mut stream = None;
        for number in (thread..self.requests).step_by(THREADS) {
            let request = self.protocol.request(number);
            // A server that replaces its workers closes connections; the client connects again.
            let mut tries = 0;
            loop {
                tries += 1;
                let connected = match stream.take() {
                    Some(connected) => connected,
                    None => {
                        outcome.connections += 1;
                        server.connect()?
                    }
                };
                match self.exchange(&connected, &request, number) {
                    Ok((answer, writes)) => {
                        answers.extend(answer);
                        outcome.sent_bytes += request.len() as u64;
                        outcome.writes += writes;
                        stream = Some(connected);
                        break;
                    }
                    Err(error) if tries == 10 => return Err(error).context(format!("request {number}")),
                    Err(_) => {}
                }
            }
            outcome.words += u64::from(request.contains(WORD));
        }
        outcome.answers = vec![answers];
        Ok(outcome)
    }

    /// Sends a request. Returns the answer and the number of writes.
    fn exchange(&self, mut stream: &TcpStream, request: &str, number: usize) -> Result<(Vec<u8>, u64)> {
        // Some requests are cut within the word, so that the server receives it in two parts.
        let cut = request
            .find(WORD)
            .filter(|_| number % 1_000 == 10)
            .map_or(request.len(), |at| at + 3);
        let (first, rest) = request.split_at(cut);
        for part in [first, rest].into_iter().filter(|part| !part.is_empty()) {
            if part.len() == rest.len() && !rest.is_empty() {
                thread::sleep(Duration::from_millis(30));
            }
            stream.write_all(part.as_bytes())?;
        }
        let answer = self.protocol.answer(stream)?;
        let varying: &[&[u8]] = if self.interrupted {
            &[b"date:", b"connection:"]
        } else {
            &[b"date:"]
        };
        let answer = match self.protocol {
            Protocol::Http => without(varying, &answer),
            Protocol::Redis => answer,
        };
        Ok((answer, 1 + u64::from(!rest.is_empty())))
    }
}
