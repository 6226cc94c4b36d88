//! Asks a server without measuring it: whether it answers, and what.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dataset::RequestOutcome;
use model::{Message, Target};

use crate::answer::{Answer, Ending};
use crate::sys;

/// A connection that is kept as long as the server keeps it.
#[derive(Debug)]
pub struct Client {
    target: Target,
    bytes: Vec<u8>,
    ending: Ending,
    timeout: Duration,
    stream: Option<TcpStream>,
    ports: Vec<u16>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// Why it is not the one that is wanted, such as a status other than 200.
    pub refused: Option<&'static str>,
    /// From the sending to its end, ns of the user's clock.
    pub rtt_ns: i64,
}

impl Client {
    /// Connects when it is first asked.
    #[must_use]
    pub fn new(target: &Target, message: &Message, timeout: Duration) -> Self {
        Self {
            target: target.clone(),
            bytes: message.bytes(target.address),
            ending: Ending::of(message),
            timeout,
            stream: None,
            ports: Vec::new(),
        }
    }

    /// Bytes that a request has.
    #[must_use]
    pub fn request_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// This side's ports of the connections so far.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Sends the message once and waits for the answer.
    ///
    /// # Errors
    /// How the request failed, and why in words; `RequestOutcome::Refused` when there was no connection.
    pub fn ask(&mut self) -> Result<Reply, (RequestOutcome, String)> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self
                .connect()
                .map_err(|error| (RequestOutcome::Refused, error.to_string()))?,
        };
        let begin = Instant::now();
        let failed = |error: &std::io::Error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                (RequestOutcome::TimedOut, "no complete answer in time".to_owned())
            }
            _ => (RequestOutcome::Reset, error.to_string()),
        };
        let start_ns = sys::monotonic_ns();
        stream.write_all(&self.bytes).map_err(|error| failed(&error))?;
        let mut answer = Answer::new(&self.ending);
        let mut bytes = Vec::new();
        let mut part = [0; 16 * 1024];
        loop {
            let new = stream.read(&mut part).map_err(|error| failed(&error))?;
            let end = if new == 0 {
                Some(answer.closed())
            } else {
                bytes.extend_from_slice(&part[..new]);
                // The bytes since the place to which an answer's head is kept.
                let from = bytes.len() - new - answer.place();
                answer.arrived(&self.ending, &bytes[from..], new)
            };
            match end {
                Some(Ok(())) => break,
                Some(Err((status, why))) => return Err((status, why.to_owned())),
                None if begin.elapsed() > self.timeout => {
                    return Err((RequestOutcome::TimedOut, "no complete answer in time".to_owned()));
                }
                None => {}
            }
        }
        let rtt_ns = sys::monotonic_ns() - start_ns;
        self.stream = Some(stream).filter(|_| !answer.close);
        Ok(Reply {
            refused: answer.refused(&self.ending),
            bytes,
            rtt_ns,
        })
    }

    fn connect(&mut self) -> std::io::Result<TcpStream> {
        let stream = sys::connect(&self.target, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        self.ports.push(stream.local_addr()?.port());
        Ok(stream)
    }
}
