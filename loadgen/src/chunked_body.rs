//! Finds the end of a chunked body (RFC 9112, section 7.1) without storing the body.

/// Longest line of a chunk size or of a trailer field, bytes.
const MAX_LINE: u32 = 8_192;

/// Position of the next byte in the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ChunkPosition {
    /// In the hexadecimal size of a chunk.
    #[default]
    Size,
    /// Between the size and the end of its line.
    Extension,
    /// In the data, with this number of bytes left.
    Data(u64),
    /// In the line end after the data.
    DataEnd,
    /// At the start of a trailer field or of the empty line that ends the body.
    LineStart,
    /// In a trailer field.
    Trailer,
    /// After the end of the body.
    End,
}

/// A chunked body of which a part has arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChunkedBodyReader {
    position: ChunkPosition,
    size: u64,
    digits: u32,
    line: u32,
}

impl ChunkedBodyReader {
    /// Processes the next bytes, and returns whether the body ends with the last of them.
    ///
    /// # Errors
    /// Returns the reason for which the bytes are not a chunked body.
    pub(crate) fn process(&mut self, mut bytes: &[u8]) -> Result<bool, &'static str> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let ChunkPosition::Data(left) = self.position {
                let part = left.min(bytes.len() as u64);
                bytes = &bytes[usize::try_from(part).unwrap_or(bytes.len())..];
                self.position = if left == part {
                    ChunkPosition::DataEnd
                } else {
                    ChunkPosition::Data(left - part)
                };
                continue;
            }
            bytes = rest;
            self.step(byte)?;
            if self.position == ChunkPosition::End {
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
        self.position = match (self.position, byte) {
            (ChunkPosition::Size, _) if byte.is_ascii_hexdigit() => {
                let digit = u64::from((byte as char).to_digit(16).unwrap_or(0));
                self.size = self.size.checked_mul(16).ok_or("a chunk is too long")? + digit;
                self.digits += 1;
                ChunkPosition::Size
            }
            (ChunkPosition::Size, b'\r' | b';' | b' ' | b'\t') if self.digits > 0 => ChunkPosition::Extension,
            (ChunkPosition::Size, _) => return Err("a chunk's size is not a hexadecimal number"),
            (ChunkPosition::Extension, b'\n') => {
                self.line = 0;
                if self.size == 0 {
                    ChunkPosition::LineStart
                } else {
                    ChunkPosition::Data(self.size)
                }
            }
            (ChunkPosition::Extension, _) => ChunkPosition::Extension,
            (ChunkPosition::DataEnd, b'\r') => ChunkPosition::DataEnd,
            (ChunkPosition::DataEnd, b'\n') => {
                (self.size, self.digits, self.line) = (0, 0, 0);
                ChunkPosition::Size
            }
            (ChunkPosition::DataEnd, _) => return Err("a chunk is longer than its size"),
            (ChunkPosition::LineStart, b'\n') => ChunkPosition::End,
            (ChunkPosition::LineStart, b'\r') => ChunkPosition::LineStart,
            (ChunkPosition::Trailer, b'\n') => {
                self.line = 0;
                ChunkPosition::LineStart
            }
            (ChunkPosition::LineStart | ChunkPosition::Trailer, _) => ChunkPosition::Trailer,
            (ChunkPosition::Data(_) | ChunkPosition::End, _) => self.position,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::ChunkedBodyReader;

    const BODY: &[u8] = b"5\r\nhello\r\n1a;name=value\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: x\r\n\r\n";

    #[test]
    fn the_end_is_found_however_the_body_is_split() {
        for first in 0..BODY.len() {
            for second in first..BODY.len() {
                let mut body = ChunkedBodyReader::default();
                assert_eq!(body.process(&BODY[..first]), Ok(false));
                assert_eq!(body.process(&BODY[first..second]), Ok(false));
                assert_eq!(body.process(&BODY[second..]), Ok(true), "{first} {second}");
            }
        }
        assert_eq!(ChunkedBodyReader::default().process(b"0\r\n\r\n"), Ok(true));
    }

    #[test]
    fn a_malformed_body_gives_a_reason() {
        for (body, word) in [
            (&b"x\r\n"[..], "hexadecimal"),
            (b"\r\n", "hexadecimal"),
            (b"ffffffffffffffffff\r\n", "too long"),
            (b"1\r\nab", "longer than its size"),
            (b"0\r\n\r\nmore", "after the end"),
        ] {
            let error = ChunkedBodyReader::default().process(body).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
