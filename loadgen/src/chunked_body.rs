//! Finds the end of a chunked body (RFC 9112, section 7.1) without keeping it.

/// Longest line of a chunk's size or of a trailer.
const MAX_LINE: u32 = 8_192;

/// Where in the body the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// In the hexadecimal size, of which this much is known.
    #[default]
    Size,
    /// In what may follow the size, up to the line's end.
    Extension,
    /// In the data, of which so many bytes are left.
    Data(u64),
    /// In the line's end after the data.
    DataEnd,
    /// At the beginning of a trailer or of the empty line that ends all.
    LineStart,
    /// In a trailer.
    Trailer,
    /// Behind the end.
    End,
}

/// Reads a chunked body as it arrives.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chunked {
    at: At,
    size: u64,
    digits: u32,
    line: u32,
}

impl Chunked {
    /// Takes the next bytes; true when the body ends with the last of them.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Result<bool, &'static str> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let At::Data(left) = self.at {
                let part = left.min(bytes.len() as u64);
                bytes = &bytes[usize::try_from(part).unwrap_or(bytes.len())..];
                self.at = if left == part {
                    At::DataEnd
                } else {
                    At::Data(left - part)
                };
                continue;
            }
            bytes = rest;
            self.step(byte)?;
            if self.at == At::End {
                return if bytes.is_empty() {
                    Ok(true)
                } else {
                    Err("there are bytes after the end of the response")
                };
            }
        }
        Ok(false)
    }

    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        self.line += 1;
        if self.line > MAX_LINE {
            return Err("a line of the chunked body is too long");
        }
        self.at = match (self.at, byte) {
            (At::Size, _) if byte.is_ascii_hexdigit() => {
                let digit = u64::from((byte as char).to_digit(16).unwrap_or(0));
                self.size = self.size.checked_mul(16).ok_or("a chunk is too long")? + digit;
                self.digits += 1;
                At::Size
            }
            (At::Size, b'\r' | b';' | b' ' | b'\t') if self.digits > 0 => At::Extension,
            (At::Size, _) => return Err("a chunk's size is no hexadecimal number"),
            (At::Extension, b'\n') => {
                self.line = 0;
                if self.size == 0 {
                    At::LineStart
                } else {
                    At::Data(self.size)
                }
            }
            (At::Extension, _) => At::Extension,
            (At::DataEnd, b'\r') => At::DataEnd,
            (At::DataEnd, b'\n') => {
                (self.size, self.digits, self.line) = (0, 0, 0);
                At::Size
            }
            (At::DataEnd, _) => return Err("a chunk is longer than its size"),
            (At::LineStart, b'\n') => At::End,
            (At::LineStart, b'\r') => At::LineStart,
            (At::Trailer, b'\n') => {
                self.line = 0;
                At::LineStart
            }
            (At::LineStart | At::Trailer, _) => At::Trailer,
            (At::Data(_) | At::End, _) => self.at,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Chunked;

    const BODY: &[u8] = b"5\r\nhello\r\n1a;name=value\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: x\r\n\r\n";

    #[test]
    fn the_end_is_found_however_it_arrives() {
        for first in 0..BODY.len() {
            for second in first..BODY.len() {
                let mut body = Chunked::default();
                assert_eq!(body.take(&BODY[..first]), Ok(false));
                assert_eq!(body.take(&BODY[first..second]), Ok(false));
                assert_eq!(body.take(&BODY[second..]), Ok(true), "{first} {second}");
            }
        }
        assert_eq!(Chunked::default().take(b"0\r\n\r\n"), Ok(true));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (body, word) in [
            (&b"x\r\n"[..], "hexadecimal"),
            (b"\r\n", "hexadecimal"),
            (b"ffffffffffffffffff\r\n", "too long"),
            (b"1\r\nab", "longer than its size"),
            (b"0\r\n\r\nmore", "after the end"),
        ] {
            let error = Chunked::default().take(body).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
