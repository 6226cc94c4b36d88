//! Finds the end of a Redis response (RESP2, and the types of RESP3 except attributes) without storing the response.

/// Longest line of a number or of a simple value, bytes.
const MAX_LINE: u32 = 65_536;
const FOREIGN: &str = "the response does not follow the Redis protocol";

/// Position of the next byte in the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RespPosition {
    /// At the byte that gives the type of a value.
    Type,
    /// In a line that is a value.
    Line,
    /// In a line with the number of bytes or of values that follow.
    Count { kind: u8, number: u64, none: bool },
    /// In the bytes of a value and its line end, with this number of bytes left.
    Data(u64),
}

/// A response of which a part has arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RespReader {
    position: RespPosition,
    /// Number of values that follow.
    left: u64,
    line: u32,
    /// Whether the response is an error.
    pub(crate) is_error: bool,
    begun: bool,
}

impl RespReader {
    pub(crate) const fn new() -> Self {
        Self {
            position: RespPosition::Type,
            left: 1,
            line: 0,
            is_error: false,
            begun: false,
        }
    }

    /// Processes the next bytes, and returns whether the response ends with the last of them.
    ///
    /// # Errors
    /// Returns the reason for which the bytes are not a RESP value.
    pub(crate) fn process(&mut self, mut bytes: &[u8]) -> Result<bool, &'static str> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.left == 0 {
                return Err("there are bytes after the end of the response");
            }
            if let RespPosition::Data(left) = self.position {
                let part = left.min(bytes.len() as u64);
                bytes = &bytes[usize::try_from(part).unwrap_or(bytes.len())..];
                if left == part {
                    self.end_value()?;
                } else {
                    self.position = RespPosition::Data(left - part);
                }
                continue;
            }
            bytes = rest;
            self.step(byte)?;
        }
        Ok(self.left == 0)
    }

    /// Processes the end of a value.
    fn end_value(&mut self) -> Result<(), &'static str> {
        self.left = self.left.checked_sub(1).ok_or(FOREIGN)?;
        (self.position, self.line) = (RespPosition::Type, 0);
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        self.line += 1;
        if self.line > MAX_LINE {
            return Err("a line of the response is longer than 64 KiB");
        }
        match (self.position, byte) {
            (RespPosition::Type, _) => {
                self.is_error |= !self.begun && matches!(byte, b'-' | b'!');
                self.begun = true;
                self.position = match byte {
                    b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => RespPosition::Line,
                    b'$' | b'=' | b'!' | b'*' | b'~' | b'%' | b'>' => RespPosition::Count {
                        kind: byte,
                        number: 0,
                        none: false,
                    },
                    _ => return Err(FOREIGN),
                };
            }
            (RespPosition::Line, b'\n') => self.end_value()?,
            (RespPosition::Line | RespPosition::Count { .. }, b'\r') | (RespPosition::Line, _) => {}
            (RespPosition::Count { kind, number, none }, b'\n') => self.end_count(kind, number, none)?,
            (RespPosition::Count { kind, number, .. }, b'-') => {
                self.position = RespPosition::Count {
                    kind,
                    number,
                    none: true,
                };
            }
            (RespPosition::Count { kind, number, none }, b'0'..=b'9') => {
                let number = number
                    .checked_mul(10)
                    .and_then(|number| number.checked_add(u64::from(byte - b'0')))
                    .ok_or(FOREIGN)?;
                self.position = RespPosition::Count { kind, number, none };
            }
            (RespPosition::Count { .. } | RespPosition::Data(_), _) => return Err(FOREIGN),
        }
        Ok(())
    }

    /// Processes the end of a line with a number of bytes or values.
    fn end_count(&mut self, kind: u8, number: u64, none: bool) -> Result<(), &'static str> {
        if none {
            return self.end_value();
        }
        if matches!(kind, b'$' | b'=' | b'!') {
            self.position = RespPosition::Data(number.checked_add(2).ok_or(FOREIGN)?);
            return Ok(());
        }
        let values = if kind == b'%' {
            number.checked_mul(2)
        } else {
            Some(number)
        };
        self.left = values.and_then(|values| self.left.checked_add(values)).ok_or(FOREIGN)?;
        self.end_value()
    }
}

#[cfg(test)]
mod tests {
    use super::RespReader;

    #[test]
    fn the_end_is_found_however_the_response_is_split() {
        for response in [
            &b"+PONG\r\n"[..],
            b"-ERR no\r\n",
            b":12\r\n",
            b"$5\r\nhel\n\r\r\n",
            b"$-1\r\n",
            b"$0\r\n\r\n",
            b"*0\r\n",
            b"*-1\r\n",
            b"*3\r\n$1\r\na\r\n*2\r\n:1\r\n+b\r\n$-1\r\n",
            b"%1\r\n+key\r\n_\r\n",
        ] {
            for first in 0..response.len() {
                let mut resp = RespReader::new();
                assert_eq!(resp.process(&response[..first]), Ok(false), "{response:?} {first}");
                assert_eq!(resp.process(&response[first..]), Ok(true), "{response:?} {first}");
                assert_eq!(resp.is_error, response[0] == b'-');
            }
        }
    }

    #[test]
    fn a_malformed_response_gives_a_reason() {
        for (response, word) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "not follow the Redis"),
            (b"$x\r\n", "not follow the Redis"),
            (b"$99999999999999999999\r\n", "not follow the Redis"),
            (b"+a\r\n+b\r\n", "after the end"),
        ] {
            assert!(RespReader::new().process(response).unwrap_err().contains(word));
        }
    }
}
