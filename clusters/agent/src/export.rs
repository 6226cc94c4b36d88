//! Handing out a file: whole or not at all.

use std::fs::File;
use std::io::{self, BufRead as _, Read as _, Seek as _, Write as _};
use std::path::Path;

use agent::{Header, RECEIVED};
use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

pub(crate) fn run(path: &Path) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Header { bytes, sha256 } = digest(&mut file).with_context(|| format!("cannot read {}", path.display()))?;
    file.rewind()?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(&Header { bytes, sha256 })?)?;
    io::copy(&mut file, &mut out)?;
    out.flush()?;
    let mut answer = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut answer)?;
    ensure!(answer == RECEIVED, "nobody said that {} was received", path.display());
    Ok(())
}

/// Reads it once before it is sent, so that the receiver knows from the start what is to come.
fn digest(file: &mut File) -> io::Result<Header> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok(Header { bytes, sha256 });
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
}
