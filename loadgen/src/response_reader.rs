//! One answer while it arrives: where it ends, by the protocol of its request. Nothing here allocates.

use dataset::RequestOutcome;
use model::{Message, ResponseEnd};

use crate::chunked::Chunked;
use crate::resp::Resp;
use crate::response::{self, Body, Head};

/// How a request fails.
pub(crate) type Failure = (RequestOutcome, &'static str);

const SURPLUS: Failure = (RequestOutcome::Invalid, "there are bytes after the end of the response");

/// How the end of an answer is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Http,
    Redis,
    Length(u64),
    /// The bytes, and for each number of matched bytes how many still match where the next differs (Knuth, Morris and
    /// Pratt; DOI 10.1137/0206024).
    Pattern(Vec<u8>, Vec<usize>),
}

impl Ending {
    /// Returns the end of the responses to a message.
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

/// An answer of which so much has arrived.
#[derive(Debug)]
pub(crate) struct Answer {
    reading: Reading,
    /// Bytes so far.
    pub(crate) received: u64,
    /// 0 where the protocol has none.
    pub(crate) http_status: u16,
    /// The server will close the connection.
    pub(crate) close: bool,
}

/// What is known of the part that is being received.
#[derive(Debug)]
enum Reading {
    /// An HTTP head.
    Head,
    /// All has so many bytes.
    Total(u64),
    Chunks(Chunked),
    UntilClosed,
    /// So many bytes of the pattern have been matched.
    Matched(usize),
    Redis(Resp),
}

impl Answer {
    pub(crate) const fn new(ending: &Ending) -> Self {
        Self {
            reading: match ending {
                Ending::Http => Reading::Head,
                Ending::Redis => Reading::Redis(Resp::new()),
                Ending::Length(length) => Reading::Total(*length),
                Ending::Pattern(..) => Reading::Matched(0),
            },
            received: 0,
            http_status: 0,
            close: false,
        }
    }

    /// Where in the buffer the next bytes belong: a head is kept, all else only counted.
    pub(crate) fn place(&self) -> usize {
        match self.reading {
            Reading::Head => usize::try_from(self.received).unwrap_or(usize::MAX),
            _ => 0,
        }
    }

    /// Why a complete answer is not the one that is wanted.
    pub(crate) fn refused(&self, ending: &Ending) -> Option<&'static str> {
        match (&self.reading, ending) {
            (_, Ending::Http) if self.http_status != 200 => Some("the status code is not 200"),
            (Reading::Redis(resp), _) if resp.is_error => Some("the server answered with an error"),
            _ => None,
        }
    }

    /// The connection has ended; whether that is the answer's end.
    pub(crate) fn closed(&self) -> Result<(), Failure> {
        match self.reading {
            Reading::UntilClosed => Ok(()),
            _ => Err((
                RequestOutcome::Reset,
                "the server closed the connection before the response was complete",
            )),
        }
    }

    /// Takes note of `new` bytes, the last of `buffer`; the end, where this was it.
    pub(crate) fn arrived(&mut self, ending: &Ending, buffer: &[u8], new: usize) -> Option<Result<(), Failure>> {
        self.received += new as u64;
        let mut bytes = &buffer[buffer.len() - new..];
        if matches!(self.reading, Reading::Head) {
            match response::parse(buffer) {
                Head::Incomplete => return None,
                Head::Malformed(why) => return Some(Err((RequestOutcome::Invalid, why))),
                Head::Complete {
                    http_status,
                    head_bytes,
                    body,
                    close,
                } => {
                    self.http_status = http_status;
                    self.close = close;
                    bytes = &buffer[usize::try_from(head_bytes).unwrap_or(buffer.len())..];
                    self.reading = match body {
                        Body::Length(length) => Reading::Total(head_bytes + length),
                        Body::Chunked => Reading::Chunks(Chunked::default()),
                        Body::UntilClosed => Reading::UntilClosed,
                    };
                }
            }
        }
        let ended = match &mut self.reading {
            Reading::Head | Reading::UntilClosed => Ok(false),
            Reading::Total(total) if self.received > *total => return Some(Err(SURPLUS)),
            Reading::Total(total) => Ok(self.received == *total),
            Reading::Chunks(chunks) => chunks.take(bytes),
            Reading::Redis(resp) => resp.take(bytes),
            Reading::Matched(matched) => {
                let Ending::Pattern(pattern, borders) = ending else {
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
            Err(why) => Some(Err((RequestOutcome::Invalid, why))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the answer in these parts; how it ended, and with which part.
    fn arrive(ending: &Ending, parts: &[&[u8]]) -> Option<(usize, Result<(), Failure>)> {
        let mut answer = Answer::new(ending);
        for (index, part) in parts.iter().enumerate() {
            if let Some(end) = answer.arrived(ending, part, part.len()) {
                return Some((index, end));
            }
        }
        None
    }

    #[test]
    fn a_pattern_is_found_across_parts_and_after_false_starts() {
        let ending = Ending::pattern(b"aabaac");
        let answer = b"xxaabaabaac";
        for first in 0..answer.len() {
            let parts = [&answer[..first], &answer[first..]];
            assert_eq!(arrive(&ending, &parts), Some((1, Ok(()))), "{first}");
        }
        assert_eq!(arrive(&ending, &[b"aabaabaab"]), None);
        assert_eq!(arrive(&ending, &[b"aabaac!"]), Some((0, Err(SURPLUS))));
    }

    #[test]
    fn a_length_is_counted() {
        let ending = Ending::Length(4);
        assert_eq!(arrive(&ending, &[b"ab", b"cd"]), Some((1, Ok(()))));
        assert_eq!(arrive(&ending, &[b"ab", b"cde"]), Some((1, Err(SURPLUS))));
    }

    #[test]
    fn an_error_of_redis_is_not_what_was_wanted() {
        let mut answer = Answer::new(&Ending::Redis);
        assert_eq!(answer.arrived(&Ending::Redis, b"-ERR\r\n", 6), Some(Ok(())));
        assert!(answer.refused(&Ending::Redis).is_some());
    }
}
