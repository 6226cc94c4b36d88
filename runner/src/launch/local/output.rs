//! The output of a server. It is always read, so that the server never waits for a full pipe; its end is kept.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes that are kept.
const KEPT: usize = 64 * 1024;

/// The end of the output to several pipes.
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

    /// Returns the kept part.
    pub(crate) fn text(&self) -> String {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(bytes.make_contiguous()).into_owned()
    }

    /// Returns the last lines for an error message. Of many lines it also returns the first, because a stack trace follows its
    /// message.
    pub(crate) fn last_words(&self) -> String {
        const FIRST: usize = 8;
        const LAST: usize = 20;
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        match lines.len() {
            0 => "it printed nothing".to_owned(),
            count if count <= FIRST + LAST => format!("it printed last:\n{}", lines.join("\n")),
            count => format!(
                "it printed last:\n{}\n… {} lines …\n{}",
                lines[..FIRST].join("\n"),
                count - FIRST - LAST,
                lines[count - LAST..].join("\n")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_output_is_kept() {
        let output = Output::default();
        let much = [vec![b'a'; 3 * KEPT], b"\nend\n".to_vec()].concat();
        output.drain(std::io::Cursor::new(much));
        while !output.text().ends_with("end\n") {
            thread::yield_now();
        }
        assert_eq!(output.text().len(), KEPT);
        assert!(output.last_words().ends_with("\nend"));
        assert_eq!(Output::default().last_words(), "it printed nothing");
        let trace = Output::default();
        trace.drain(std::io::Cursor::new(format!("cause\n{}end\n", "call\n".repeat(100))));
        while !trace.text().ends_with("end\n") {
            thread::yield_now();
        }
        let words = trace.last_words();
        assert!(
            words.starts_with("it printed last:\ncause\n") && words.ends_with("\nend"),
            "{words}"
        );
        assert!(words.contains("… 74 lines …"), "{words}");
    }
}
