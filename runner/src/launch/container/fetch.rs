//! Complete copies of files from containers. The agent first sends length and checksum. The runner confirms a complete file, and
//! renames it after the agent has exited with success.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use agent::{ExportHeader, RECEIVED};
use anyhow::{Context, Result, ensure};
use engines::Image;
use engines::{OutputListener, RunningContainers};
use sha2::{Digest as _, Sha256};

/// The state of a transfer.
struct Receiver<W> {
    to: W,
    head: Vec<u8>,
    header: Option<ExportHeader>,
    received: u64,
    hasher: Sha256,
}

impl<W: Write> Receiver<W> {
    fn new(to: W) -> Self {
        Self {
            to,
            head: Vec::new(),
            header: None,
            received: 0,
            hasher: Sha256::new(),
        }
    }

    /// Processes bytes of the header's line and returns the bytes after it.
    fn header<'a>(&mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            self.head.extend_from_slice(bytes);
            return Ok(&[]);
        };
        self.head.extend_from_slice(&bytes[..end]);
        self.header = Some(serde_json::from_slice(&self.head)?);
        Ok(&bytes[end + 1..])
    }

    fn whole(&self) -> bool {
        let Some(header) = &self.header else { return false };
        self.received == header.bytes && hex::encode(self.hasher.clone().finalize()) == header.sha256
    }
}

impl<W: Write> OutputListener for Receiver<W> {
    fn receive(&mut self, stdout: &[u8]) -> io::Result<Vec<u8>> {
        let bytes = if self.header.is_none() {
            self.header(stdout)?
        } else {
            stdout
        };
        self.to.write_all(bytes)?;
        self.hasher.update(bytes);
        self.received += bytes.len() as u64;
        let Some(header) = &self.header else {
            return Ok(Vec::new());
        };
        if self.received < header.bytes {
            return Ok(Vec::new());
        }
        if !self.whole() {
            return Err(io::Error::other(
                "the received file has another checksum than the sent file",
            ));
        }
        self.to.flush()?;
        Ok(RECEIVED.to_vec())
    }
}

fn fetch<W: Write>(running: &dyn RunningContainers, container: &str, path: &Path, to: W) -> Result<()> {
    let mut receiver = Receiver::new(to);
    let path = path.to_string_lossy();
    let context = || format!("cannot fetch {path} from the container {container}");
    let ended = running
        .exec(container, &[Image::AGENT, "export", &path], b"", &mut receiver)
        .with_context(context)?;
    ensure!(
        ended.code == 0 && receiver.whole(),
        "{}: {} of {} bytes arrived; {}",
        context(),
        receiver.received,
        receiver.header.map_or(0, |header| header.bytes),
        ended.stderr.trim()
    );
    Ok(())
}

/// Fetches a file into memory.
pub(super) fn bytes(running: &dyn RunningContainers, container: &str, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fetch(running, container, path, &mut bytes)?;
    Ok(bytes)
}

/// Fetches a file into the file `to`, which has a temporary name until it is complete.
pub(super) fn file(running: &dyn RunningContainers, container: &str, path: &Path, to: &Path) -> Result<()> {
    let unfinished = to.with_extension("unfinished");
    let context = || format!("cannot write {}", to.display());
    let file = File::create(&unfinished).with_context(context)?;
    fetch(running, container, path, &file)?;
    fs::rename(&unfinished, to).with_context(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes the output of an export to a receiver in pieces of this size, until the receiver answers or fails.
    fn hear(printed: &[u8], piece: usize) -> (io::Result<Vec<u8>>, Vec<u8>, bool) {
        let mut receiver = Receiver::new(Vec::new());
        let mut answer = Ok(Vec::new());
        for bytes in printed.chunks(piece) {
            answer = receiver.receive(bytes);
            if !matches!(&answer, Ok(empty) if empty.is_empty()) {
                break;
            }
        }
        let whole = receiver.whole();
        (answer, receiver.to, whole)
    }

    fn printed(content: &[u8]) -> Vec<u8> {
        let header = ExportHeader {
            bytes: content.len() as u64,
            sha256: hex::encode(Sha256::digest(content)),
        };
        let mut printed = serde_json::to_vec(&header).unwrap();
        printed.push(b'\n');
        printed.extend_from_slice(content);
        printed
    }

    #[test]
    fn a_complete_file_is_confirmed_for_every_size_of_its_pieces() {
        for content in [&b"line\nline\n"[..], b"", &[7; 5_000]] {
            for piece in [1, 3, 100, 100_000] {
                let (answer, heard, whole) = hear(&printed(content), piece);
                assert_eq!(answer.unwrap(), RECEIVED);
                assert!(whole && heard == content);
            }
        }
    }

    #[test]
    fn a_file_that_was_cut_off_or_changed_is_not_confirmed() {
        let all = printed(b"observations");
        let (answer, _, whole) = hear(&all[..all.len() - 1], 4);
        assert!(answer.unwrap().is_empty() && !whole);
        let mut changed = all;
        *changed.last_mut().unwrap() ^= 1;
        let (answer, _, whole) = hear(&changed, 4);
        assert!(answer.unwrap_err().to_string().contains("checksum") && !whole);
    }
}
