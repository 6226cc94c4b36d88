//! One HTTP/1.1 keep-alive connection, request by request.

use std::hint::spin_loop;
use std::io;
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::stamps::{StampWriter, Stamped};
use crate::sys::{self, ReceiveStyle};

/// Bytes that each read of a request asks for, except the last read. A short request has enough bytes for all reads.
const PIECE_BYTES: usize = 8;
const BUFFER_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;
const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The settings by which the server receives and answers each request.
pub(crate) struct Service {
    receive: ReceiveStyle,
    reads_per_request: usize,
    work: Duration,
    head_bytes: usize,
    response: Vec<u8>,
    stamps: Option<StampWriter>,
}

/// The result of parsing the received bytes.
#[derive(Debug, PartialEq, Eq)]
enum ReceivedRequest {
    Incomplete,
    Complete { bytes: usize, head_only: bool, close: bool },
    Malformed,
}

impl Service {
    pub(crate) fn new(
        receive: ReceiveStyle,
        reads_per_request: usize,
        response_bytes: usize,
        work_ns: u64,
        stamps: Option<StampWriter>,
    ) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {response_bytes}\r\n\r\n");
        let mut response = head.into_bytes();
        let head_bytes = response.len();
        response.resize(head_bytes + response_bytes, b'x');
        Self {
            receive,
            reads_per_request,
            work: Duration::from_nanos(work_ns),
            head_bytes,
            response,
            stamps,
        }
    }

    /// Answers requests until the client closes the connection, asks to close it, or sends bytes that are no request.
    pub(crate) fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut filled = 0;
        loop {
            let answered = self.one_request(stream, &mut buffer, &mut filled)?;
            if answered.is_break() {
                return Ok(());
            }
        }
    }

    fn one_request(&self, stream: &TcpStream, buffer: &mut [u8], filled: &mut usize) -> io::Result<ControlFlow<()>> {
        let mut reads = 0;
        let mut stamped = Stamped::default();
        loop {
            match parse(&buffer[..*filled]) {
                ReceivedRequest::Complete {
                    bytes,
                    head_only,
                    close,
                } => {
                    self.answer(stream, head_only)?;
                    if let Some(stamps) = &self.stamps {
                        stamps.write(stream, self.receive, &stamped);
                    }
                    buffer.copy_within(bytes..*filled, 0);
                    *filled -= bytes;
                    return Ok(if close {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    });
                }
                ReceivedRequest::Incomplete if *filled < buffer.len() => {}
                ReceivedRequest::Incomplete | ReceivedRequest::Malformed => {
                    sys::write_all(stream, BAD_REQUEST)?;
                    return Ok(ControlFlow::Break(()));
                }
            }
            reads += 1;
            let free = &mut buffer[*filled..];
            let ask = if reads < self.reads_per_request {
                free.len().min(PIECE_BYTES)
            } else {
                free.len()
            };
            let received = match &self.stamps {
                None => sys::receive(stream, &mut free[..ask], self.receive)?,
                Some(stamps) => stamps.receive(stream, &mut free[..ask], self.receive, &mut stamped)?,
            };
            if received == 0 {
                return Ok(ControlFlow::Break(()));
            }
            *filled += received;
        }
    }

    fn answer(&self, stream: &TcpStream, head_only: bool) -> io::Result<()> {
        if !self.work.is_zero() {
            let start = Instant::now();
            while start.elapsed() < self.work {
                spin_loop();
            }
        }
        let bytes = if head_only {
            &self.response[..self.head_bytes]
        } else {
            &self.response[..]
        };
        sys::write_all(stream, bytes)
    }
}

fn parse(bytes: &[u8]) -> ReceivedRequest {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head_bytes = match request.parse(bytes) {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
        Ok(httparse::Status::Partial) => return ReceivedRequest::Incomplete,
        Err(_) => return ReceivedRequest::Malformed,
    };
    let mut body_bytes = 0;
    let mut close = request.version == Some(0);
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            match std::str::from_utf8(header.value)
                .ok()
                .and_then(|text| text.trim().parse::<usize>().ok())
            {
                Some(length) => body_bytes = length,
                None => return ReceivedRequest::Malformed,
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return ReceivedRequest::Malformed;
        } else if header.name.eq_ignore_ascii_case("connection") && header.value.eq_ignore_ascii_case(b"close") {
            close = true;
        }
    }
    match head_bytes.checked_add(body_bytes) {
        Some(total) if total <= bytes.len() => ReceivedRequest::Complete {
            bytes: total,
            head_only: request.method == Some("HEAD"),
            close,
        },
        Some(_) => ReceivedRequest::Incomplete,
        None => ReceivedRequest::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_where_its_body_ends() {
        let bytes = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET";
        assert_eq!(
            parse(bytes),
            ReceivedRequest::Complete {
                bytes: bytes.len() - 3,
                head_only: false,
                close: false
            }
        );
        assert_eq!(parse(&bytes[..bytes.len() - 4]), ReceivedRequest::Incomplete);
        assert_eq!(parse(b"GET / HT"), ReceivedRequest::Incomplete);
    }

    #[test]
    fn a_client_can_ask_to_close_the_connection() {
        let ReceivedRequest::Complete { close, .. } = parse(b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n") else {
            panic!("a complete request");
        };
        assert!(close);
    }

    #[test]
    fn bytes_that_are_no_request_are_refused() {
        assert_eq!(parse(b"\x00\x01\x02\r\n\r\n"), ReceivedRequest::Malformed);
        assert_eq!(
            parse(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
            ReceivedRequest::Malformed
        );
        assert_eq!(
            parse(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ReceivedRequest::Malformed
        );
    }
}
