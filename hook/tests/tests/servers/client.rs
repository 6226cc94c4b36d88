//! A client that sends the same load each time and keeps the answers.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::Server;

const THREADS: usize = 4;
/// A word of `hook/words.txt`. No other part of the load contains a word.
pub(crate) const WORD: &str = "webmail";

#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Http,
    Redis,
}

pub(crate) struct Load {
    pub(crate) protocol: Protocol,
    pub(crate) requests: usize,
    /// Whether signals make the server close connections, which its answers then announce.
    pub(crate) interrupted: bool,
}

/// The load that was sent, and the answers of each thread.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) answers: Vec<Vec<u8>>,
    pub(crate) sent_bytes: u64,
    pub(crate) writes: u64,
    pub(crate) words: u64,
    pub(crate) connections: u64,
}

impl fmt::Display for Outcome {
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

impl Outcome {
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
    pub(crate) fn run(&self, server: &Server) -> Result<Outcome> {
        let results: Vec<Result<Outcome>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| scope.spawn(move || self.thread(server, thread)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a client"))
                .collect()
        });
        let mut sum = Outcome::default();
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

    fn thread(&self, server: &Server, thread: usize) -> Result<Outcome> {
        let mut outcome = Outcome::default();
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

impl Protocol {
    /// Returns an answer without the parts that differ between runs.
    pub(crate) fn lasting(self, answer: &[u8]) -> Vec<u8> {
        match self {
            Self::Http => without(&[b"date:"], answer),
            Self::Redis => answer.to_vec(),
        }
    }

    pub(crate) fn request(self, number: usize) -> String {
        let word = number.is_multiple_of(10);
        match self {
            Self::Http => {
                let path = ["/", "/a.txt", "/b.txt", "/missing"][number % 4];
                let referer = if word {
                    format!("Referer: http://example.org/{WORD}\r\n")
                } else {
                    String::new()
                };
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Number: {number}\r\n{referer}\r\n")
            }
            Self::Redis => match number % 4 {
                _ if word => bulk(&["ECHO", WORD]),
                0 => bulk(&["PING"]),
                1 => bulk(&["SET", &format!("key{}", number % 64), &number.to_string()]),
                _ => bulk(&["ECHO", &number.to_string()]),
            },
        }
    }

    /// Reads one answer.
    pub(crate) fn answer(self, mut stream: &TcpStream) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        let mut buffer = [0; 65_536];
        loop {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                bail!("closed after {} bytes", answer.len());
            }
            answer.extend_from_slice(&buffer[..count]);
            let whole = match self {
                Self::Http => http_len(&answer),
                Self::Redis => redis_len(&answer),
            };
            if whole == Some(answer.len()) {
                return Ok(answer);
            }
        }
    }
}

fn bulk(words: &[&str]) -> String {
    let parts = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), parts.collect::<String>())
}

fn redis_len(answer: &[u8]) -> Option<usize> {
    let line = answer.windows(2).position(|two| two == b"\r\n")? + 2;
    match answer.first()? {
        b'$' => Some(line + str::from_utf8(&answer[1..line - 2]).ok()?.parse::<usize>().ok()? + 2),
        _ => Some(line),
    }
}

fn http_len(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = str::from_utf8(&answer[..head]).ok()?.to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    Some(head + length.trim().parse::<usize>().ok()?)
}

/// Removes the lines that start with one of `beginnings`.
fn without(beginnings: &[&[u8]], answer: &[u8]) -> Vec<u8> {
    let begins = |line: &&[u8]| {
        let line = line.to_ascii_lowercase();
        beginnings.iter().any(|beginning| line.starts_with(beginning))
    };
    let lines = answer.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !begins(line)).flatten().copied().collect()
}
