//! Requests and answers of the servers' protocols.

use std::io::Read as _;
use std::net::TcpStream;

use anyhow::{Result, bail};

/// A word of `hook/words.txt`. No other part of the load contains a word.
pub(crate) const WORD: &str = "webmail";

/// The protocol of a server.
#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Http,
    Redis,
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
pub(crate) fn without(beginnings: &[&[u8]], answer: &[u8]) -> Vec<u8> {
    let begins = |line: &&[u8]| {
        let line = line.to_ascii_lowercase();
        beginnings.iter().any(|beginning| line.starts_with(beginning))
    };
    let lines = answer.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !begins(line)).flatten().copied().collect()
}
