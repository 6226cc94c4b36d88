//! A client that sends single requests outside of a measurement, to find out whether a server responds and how.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dataset::RequestOutcome;
use model::{Message, Target};

use crate::clock::monotonic_ns;
use crate::connection::failed_outcome;
use crate::response_reader::{ResponseFraming, ResponseReader};
use crate::socket;

/// A client of one server. It keeps its connection as long as the server does.
#[derive(Debug)]
pub struct Client {
    target: Target,
    bytes: Vec<u8>,
    framing: ResponseFraming,
    timeout: Duration,
    stream: Option<TcpStream>,
    ports: Vec<u16>,
}

/// A complete response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Bytes of the response.
    pub bytes: Vec<u8>,
    /// The reason for which the response counts as a failure, such as an HTTP status other than 200.
    pub refused: Option<&'static str>,
    /// Time from the send call to the end of the response, ns.
    pub rtt_ns: i64,
}

impl Client {
    /// Makes a client. It connects with the first request.
    #[must_use]
    pub fn new(target: &Target, message: &Message, timeout: Duration) -> Self {
        Self {
            target: target.clone(),
            bytes: message.bytes(target.address),
            framing: ResponseFraming::of(message),
            timeout,
            stream: None,
            ports: Vec::new(),
        }
    }

    /// Returns the number of bytes of a request.
    #[must_use]
    pub fn request_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the local ports of all connections so far.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Sends the message once and waits for the response.
    ///
    /// # Errors
    /// Returns the status of the failed request and the reason; the status is [`RequestOutcome::Refused`] if the connection attempt
    /// failed.
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
                (RequestOutcome::TimedOut, "no complete response in time".to_owned())
            }
            kind => (failed_outcome(kind), error.to_string()),
        };
        let start_ns = monotonic_ns();
        stream.write_all(&self.bytes).map_err(|error| failed(&error))?;
        let mut response = ResponseReader::new(&self.framing);
        let mut bytes = Vec::new();
        let mut part = [0; 16 * 1024];
        loop {
            let new = stream.read(&mut part).map_err(|error| failed(&error))?;
            let end = if new == 0 {
                Some(response.end_of_stream())
            } else {
                bytes.extend_from_slice(&part[..new]);
                // While the head is incomplete, the reader needs it from its start.
                let from = bytes.len() - new - response.buffer_offset();
                response.process(&self.framing, &bytes[from..], new)
            };
            match end {
                Some(Ok(())) => break,
                Some(Err((status, reason))) => return Err((status, reason.to_owned())),
                None if begin.elapsed() > self.timeout => {
                    return Err((RequestOutcome::TimedOut, "no complete response in time".to_owned()));
                }
                None => {}
            }
        }
        let rtt_ns = monotonic_ns() - start_ns;
        self.stream = Some(stream).filter(|_| !response.close);
        Ok(Reply {
            refused: response.failure_reason(&self.framing),
            bytes,
            rtt_ns,
        })
    }

    fn connect(&mut self) -> std::io::Result<TcpStream> {
        let stream = socket::connect(&self.target, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        self.ports.push(stream.local_addr()?.port());
        Ok(stream)
    }
}
