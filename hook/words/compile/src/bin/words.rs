//! `words` compiles a list of words to the file that `READHOOK_WORDS` names.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use readhook_compile::compile;
use readhook_words::Words;

#[derive(Parser)]
#[command(about = "Compiles a list of words into the file that READHOOK_WORDS names", version)]
struct Arguments {
    /// One word per line, 1 to 64 bytes each
    list: PathBuf,
    /// File to write [default: the list's name with .words]
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> Result<()> {
    let Arguments { list, out } = Arguments::parse();
    let out = out.unwrap_or_else(|| list.with_extension("words"));
    let text = fs::read(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let file = compile(&text).with_context(|| list.display().to_string())?;
    write(&out, &file).with_context(|| format!("cannot write {}; nothing was kept", out.display()))?;
    let words = Words::parse(&file).and_then(Words::validated)?;
    println!("wrote {}: {} words, {} bytes", out.display(), words.len(), file.len());
    println!("use it by READHOOK_WORDS={}", out.canonicalize()?.display());
    Ok(())
}

/// Writes a file under a temporary name and renames it, so that a hook never reads half a file.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_added_extension("tmp");
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is reported; a failure to remove the temporary file is not.
        _ = fs::remove_file(&temporary);
    }
    written
}
