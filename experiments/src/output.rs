//! What a server prints: always read, so that it never waits for a full pipe, and the last of it kept.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes that are kept.
const KEPT: usize = 64 * 1024;

/// The last of what was printed to several pipes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    bytes: Arc<Mutex<VecDeque<u8>>>,
}

impl Output {
    /// Reads a pipe until its other end is closed.
    pub(crate) fn drain(&self, mut pipe: impl Read + Send + 'static) {
        let bytes = Arc::clone(&self.bytes);
        thread::spawn(move || {
            let mut part = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut part) {
                let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend(&part[..count]);
                let surplus = bytes.len().saturating_sub(KEPT);
                bytes.drain(..surplus);
            }
        });
    }

    /// What is kept.
    pub(crate) fn text(&self) -> String {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(bytes.make_contiguous()).into_owned()
    }

    /// For an error message: the last lines.
    pub(crate) fn last_words(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(20)..];
        if last.is_empty() {
            "it printed nothing".to_owned()
        } else {
            format!("it printed last:\n{}", last.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_kept_of_much() {
        let output = Output::default();
        let much = [vec![b'a'; 3 * KEPT], b"\nend\n".to_vec()].concat();
        output.drain(std::io::Cursor::new(much));
        while !output.text().ends_with("end\n") {
            thread::yield_now();
        }
        assert_eq!(output.text().len(), KEPT);
        assert!(output.last_words().ends_with("\nend"));
        assert_eq!(Output::default().last_words(), "it printed nothing");
    }
}
