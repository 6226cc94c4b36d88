//! Finds the end of a response while it arrives, by the protocol of its request. Processing a response allocates no memory.

use dataset::RequestOutcome;
use model::{Message, ResponseEnd};

use crate::chunked_body::ChunkedBodyReader;
use crate::http_head::{self, BodyEnd, ParsedHead};
use crate::resp_reader::RespReader;

/// The outcome of a failed request, and the reason for the failure.
pub(crate) type RequestFailure = (RequestOutcome, &'static str);

const SURPLUS: RequestFailure = (RequestOutcome::Invalid, "there are bytes after the end of the response");

/// Rule by which the end of a response is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResponseFraming {
    /// The rule of HTTP/1.1.
    Http,
    /// The rule of RESP, the protocol of Redis.
    Redis,
    /// After this number of bytes.
    Length(u64),
    /// After these bytes. The second list is the failure function of the algorithm of Knuth, Morris and Pratt (DOI
    /// 10.1137/0206024): for each number of matched bytes, the number that still matches if the next byte differs.
    Pattern(Vec<u8>, Vec<usize>),
}

impl ResponseFraming {
    /// Returns the rule for the responses to a message.
    pub(crate) fn of(message: &Message) -> Self {
        match message {
            Message::Http(_) => Self::Http,
            Message::Redis { .. } => Self::Redis,
            Message::Tcp {
                end: ResponseEnd::Until(text),
                ..
            } => Self::pattern(text.as_bytes()),
            Message::Tcp {
                end: ResponseEnd::Length(length),
                ..
            } => Self::Length(*length),
        }
    }

    fn pattern(bytes: &[u8]) -> Self {
        let mut borders = vec![0; bytes.len() + 1];
        let mut matched = 0;
        for (index, byte) in bytes.iter().enumerate().skip(1) {
            while matched > 0 && bytes[matched] != *byte {
                matched = borders[matched];
            }
            matched += usize::from(bytes[matched] == *byte);
            borders[index + 1] = matched;
        }
        Self::Pattern(bytes.to_vec(), borders)
    }
}

/// A response of which a part has arrived.
#[derive(Debug)]
pub(crate) struct ResponseReader {
    state: ReaderState,
    /// Number of bytes so far.
    pub(crate) received: u64,
    /// HTTP status code; 0 without one.
    pub(crate) http_status: u16,
    /// Whether the server closes the connection after the response.
    pub(crate) close: bool,
}

/// The part of the response that arrives next.
#[derive(Debug)]
enum ReaderState {
    /// The HTTP head, which is incomplete.
    Head,
    /// The rest of a response of this number of bytes.
    Total(u64),
    /// A chunked body.
    Chunks(ChunkedBodyReader),
    /// A body that ends with the connection.
    UntilClosed,
    /// Bytes before the end of the pattern. This number of bytes of the pattern have matched.
    Matched(usize),
    /// A RESP value.
    Redis(RespReader),
}

impl ResponseReader {
    /// Makes a reader for a response of which nothing has arrived.
    pub(crate) const fn new(framing: &ResponseFraming) -> Self {
        Self {
            state: match framing {
                ResponseFraming::Http => ReaderState::Head,
                ResponseFraming::Redis => ReaderState::Redis(RespReader::new()),
                ResponseFraming::Length(length) => ReaderState::Total(*length),
                ResponseFraming::Pattern(..) => ReaderState::Matched(0),
            },
            received: 0,
            http_status: 0,
            close: false,
        }
    }

    /// Returns the offset in the buffer at which the next bytes must be stored. A head is kept from its start; all other
    /// bytes may be overwritten.
    pub(crate) fn buffer_offset(&self) -> usize {
        match self.state {
            ReaderState::Head => usize::try_from(self.received).unwrap_or(usize::MAX),
            _ => 0,
        }
    }

    /// Returns the reason for which a complete response counts as a failure.
    pub(crate) fn failure_reason(&self, framing: &ResponseFraming) -> Option<&'static str> {
        match (&self.state, framing) {
            (_, ResponseFraming::Http) if self.http_status != 200 => Some("the status code is not 200"),
            (ReaderState::Redis(resp), _) if resp.is_error => Some("the server responded with an error"),
            _ => None,
        }
    }

    /// Processes the end of the connection.
    ///
    /// # Errors
    /// When the response was not complete.
    pub(crate) fn end_of_stream(&self) -> Result<(), RequestFailure> {
        match self.state {
            ReaderState::UntilClosed => Ok(()),
            _ => Err((
                RequestOutcome::Closed,
                "the server closed the connection before the response was complete",
            )),
        }
    }

    /// Processes `new` bytes, which are the last of `buffer`. Returns `Ok` at the end of the response, and `None` before.
    pub(crate) fn process(
        &mut self,
        framing: &ResponseFraming,
        buffer: &[u8],
        new: usize,
    ) -> Option<Result<(), RequestFailure>> {
        self.received += new as u64;
        let mut bytes = &buffer[buffer.len() - new..];
        if matches!(self.state, ReaderState::Head) {
            match http_head::parse(buffer) {
                ParsedHead::Incomplete => return None,
                ParsedHead::Malformed(reason) => return Some(Err((RequestOutcome::Invalid, reason))),
                ParsedHead::Complete {
                    http_status,
                    head_bytes,
                    body,
                    close,
                } => {
                    self.http_status = http_status;
                    self.close = close;
                    bytes = &buffer[usize::try_from(head_bytes).unwrap_or(buffer.len())..];
                    self.state = match body {
                        BodyEnd::Length(length) => ReaderState::Total(head_bytes + length),
                        BodyEnd::Chunked => ReaderState::Chunks(ChunkedBodyReader::default()),
                        BodyEnd::UntilClosed => ReaderState::UntilClosed,
                    };
                }
            }
        }
        let ended = match &mut self.state {
            ReaderState::Head | ReaderState::UntilClosed => Ok(false),
            ReaderState::Total(total) if self.received > *total => return Some(Err(SURPLUS)),
            ReaderState::Total(total) => Ok(self.received == *total),
            ReaderState::Chunks(chunks) => chunks.process(bytes),
            ReaderState::Redis(resp) => resp.process(bytes),
            ReaderState::Matched(matched) => {
                let ResponseFraming::Pattern(pattern, borders) = framing else {
                    return None;
                };
                let end = bytes.iter().position(|byte| {
                    while *matched > 0 && pattern[*matched] != *byte {
                        *matched = borders[*matched];
                    }
                    *matched += usize::from(pattern[*matched] == *byte);
                    *matched == pattern.len()
                });
                match end {
                    Some(at) if at + 1 < bytes.len() => return Some(Err(SURPLUS)),
                    end => Ok(end.is_some()),
                }
            }
        };
        match ended {
            Ok(true) => Some(Ok(())),
            Ok(false) => None,
            Err(reason) => Some(Err((RequestOutcome::Invalid, reason))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Processes the parts of a response. Returns the result and the index of the part that gave it.
    fn process(framing: &ResponseFraming, parts: &[&[u8]]) -> Option<(usize, Result<(), RequestFailure>)> {
        let mut reader = ResponseReader::new(framing);
        for (index, part) in parts.iter().enumerate() {
            if let Some(end) = reader.process(framing, part, part.len()) {
                return Some((index, end));
            }
        }
        None
    }

    #[test]
    fn a_pattern_is_found_across_parts_and_after_partial_matches() {
        let framing = ResponseFraming::pattern(b"aabaac");
        let response = b"xxaabaabaac";
        for first in 0..response.len() {
            let parts = [&response[..first], &response[first..]];
            assert_eq!(process(&framing, &parts), Some((1, Ok(()))), "{first}");
        }
        assert_eq!(process(&framing, &[b"aabaabaab"]), None);
        assert_eq!(process(&framing, &[b"aabaac!"]), Some((0, Err(SURPLUS))));
    }

    #[test]
    fn a_response_of_known_length_ends_after_its_last_byte() {
        let framing = ResponseFraming::Length(4);
        assert_eq!(process(&framing, &[b"ab", b"cd"]), Some((1, Ok(()))));
        assert_eq!(process(&framing, &[b"ab", b"cde"]), Some((1, Err(SURPLUS))));
    }

    #[test]
    fn an_error_of_redis_counts_as_a_failure() {
        let mut reader = ResponseReader::new(&ResponseFraming::Redis);
        assert_eq!(reader.process(&ResponseFraming::Redis, b"-ERR\r\n", 6), Some(Ok(())));
        assert!(reader.failure_reason(&ResponseFraming::Redis).is_some());
    }
}
