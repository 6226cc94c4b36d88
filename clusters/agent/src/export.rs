//! Export of a file through standard output, complete or not at all.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, Write as _};
use std::path::Path;

use agent::{ExportHeader, RECEIVED};
use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

/// Prints the header and the bytes of a file, and waits for the acknowledgement.
pub(crate) fn run(path: &Path) -> Result<()> {
    let unreadable = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(unreadable)?;
    // Read once before it is sent, so that the receiver knows the length and the checksum from the start.
    let header = header(&file).with_context(unreadable)?;
    file.rewind()?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(&header)?)?;
    io::copy(&mut file, &mut out)?;
    out.flush()?;
    let mut answer = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut answer)?;
    ensure!(
        answer == RECEIVED,
        "nobody acknowledged the export of {}",
        path.display()
    );
    Ok(())
}

fn header(file: &File) -> io::Result<ExportHeader> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    loop {
        let part = reader.fill_buf()?;
        if part.is_empty() {
            let sha256 = hex::encode(hasher.finalize());
            return Ok(ExportHeader { bytes, sha256 });
        }
        let length = part.len();
        hasher.update(part);
        bytes += length as u64;
        reader.consume(length);
    }
}
