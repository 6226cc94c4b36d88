//! Finds the end of a Redis answer (RESP2, and RESP3's types but for attributes) without keeping it.

/// Longest line of a number or of a simple answer.
const MAX_LINE: u32 = 65_536;
const FOREIGN: &str = "the answer is none of the Redis protocol";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// At the byte that says what comes.
    Type,
    /// In a line that is the value.
    Line,
    /// In a line that says how many bytes, or values, come.
    Count { kind: u8, number: u64, none: bool },
    /// In the value's bytes, the line's end with them, of which so many are left.
    Data(u64),
}

/// Reads an answer as it arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resp {
    at: At,
    /// Values that are to come.
    left: u64,
    line: u32,
    /// Whether the answer is an error.
    pub(crate) is_error: bool,
    begun: bool,
}

impl Resp {
    pub(crate) const fn new() -> Self {
        Self {
            at: At::Type,
            left: 1,
            line: 0,
            is_error: false,
            begun: false,
        }
    }

    /// Takes the next bytes; true when the answer ends with the last of them.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Result<bool, &'static str> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.left == 0 {
                return Err("there are bytes after the end of the answer");
            }
            if let At::Data(left) = self.at {
                let part = left.min(bytes.len() as u64);
                bytes = &bytes[usize::try_from(part).unwrap_or(bytes.len())..];
                if left == part {
                    self.value()?;
                } else {
                    self.at = At::Data(left - part);
                }
                continue;
            }
            bytes = rest;
            self.step(byte)?;
        }
        Ok(self.left == 0)
    }

    /// A value is complete.
    fn value(&mut self) -> Result<(), &'static str> {
        self.left = self.left.checked_sub(1).ok_or(FOREIGN)?;
        (self.at, self.line) = (At::Type, 0);
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        self.line += 1;
        if self.line > MAX_LINE {
            return Err("a line of the answer is longer than 64 KiB");
        }
        match (self.at, byte) {
            (At::Type, _) => {
                self.is_error |= !self.begun && matches!(byte, b'-' | b'!');
                self.begun = true;
                self.at = match byte {
                    b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => At::Line,
                    b'$' | b'=' | b'!' | b'*' | b'~' | b'%' | b'>' => At::Count {
                        kind: byte,
                        number: 0,
                        none: false,
                    },
                    _ => return Err(FOREIGN),
                };
            }
            (At::Line, b'\n') => self.value()?,
            (At::Line | At::Count { .. }, b'\r') | (At::Line, _) => {}
            (At::Count { kind, number, none }, b'\n') => self.counted(kind, number, none)?,
            (At::Count { kind, number, .. }, b'-') => {
                self.at = At::Count {
                    kind,
                    number,
                    none: true,
                };
            }
            (At::Count { kind, number, none }, b'0'..=b'9') => {
                let number = number
                    .checked_mul(10)
                    .and_then(|number| number.checked_add(u64::from(byte - b'0')))
                    .ok_or(FOREIGN)?;
                self.at = At::Count { kind, number, none };
            }
            (At::Count { .. } | At::Data(_), _) => return Err(FOREIGN),
        }
        Ok(())
    }

    /// The line that counts is complete.
    fn counted(&mut self, kind: u8, number: u64, none: bool) -> Result<(), &'static str> {
        if none {
            return self.value();
        }
        if matches!(kind, b'$' | b'=' | b'!') {
            self.at = At::Data(number.checked_add(2).ok_or(FOREIGN)?);
            return Ok(());
        }
        let values = if kind == b'%' {
            number.checked_mul(2)
        } else {
            Some(number)
        };
        self.left = values.and_then(|values| self.left.checked_add(values)).ok_or(FOREIGN)?;
        self.value()
    }
}

#[cfg(test)]
mod tests {
    use super::Resp;

    #[test]
    fn the_end_is_found_however_it_arrives() {
        for answer in [
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
            for first in 0..answer.len() {
                let mut resp = Resp::new();
                assert_eq!(resp.take(&answer[..first]), Ok(false), "{answer:?} {first}");
                assert_eq!(resp.take(&answer[first..]), Ok(true), "{answer:?} {first}");
                assert_eq!(resp.is_error, answer[0] == b'-');
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (answer, word) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "none of the Redis"),
            (b"$x\r\n", "none of the Redis"),
            (b"$99999999999999999999\r\n", "none of the Redis"),
            (b"+a\r\n+b\r\n", "after the end"),
        ] {
            assert!(Resp::new().take(answer).unwrap_err().contains(word));
        }
    }
}
