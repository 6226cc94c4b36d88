//! A line of the log, formatted without allocation.

/// Length of the longest line in bytes. Names and words are bounded by their lists.
pub const LINE_LEN: usize = 160;

/// A line that is being built. Bytes beyond its end are cut.
#[derive(Debug)]
pub struct Line {
    bytes: [u8; LINE_LEN],
    len: usize,
}

impl Line {
    /// Formats `FUNCTION fd=N bytes=N word=WORD`, with a newline.
    #[must_use]
    pub fn hit(function: &str, fd: i32, bytes: usize, word: &[u8]) -> Self {
        let mut line = Self {
            bytes: [0; LINE_LEN],
            len: 0,
        };
        line.text(function.as_bytes());
        line.text(b" fd=");
        line.number(u64::from(fd.unsigned_abs()));
        line.text(b" bytes=");
        line.number(bytes as u64);
        line.text(b" word=");
        line.text(word);
        line.text(b"\n");
        line
    }

    /// Returns the bytes of the line.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn text(&mut self, text: &[u8]) {
        for byte in text {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = *byte;
                self.len += 1;
            }
        }
    }

    fn number(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.text(&digits[first..]);
    }
}
