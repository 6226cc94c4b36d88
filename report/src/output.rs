//! The output of the verbs: formats, and files that are announced.

use std::path::{Path, PathBuf};

use analysis::figures::Figure;
use anyhow::Result;
use clap::ValueEnum;
use rayon::prelude::*;
use report::output_files;
use serde::Serialize;

/// Times 96 pixels per inch: 216 dpi, 1,188 pixels of width.
const PNG_SCALE: f32 = 2.25;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Format {
    /// Prints a value as JSON, or its text.
    pub(crate) fn print(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        match self {
            Self::Text => print!("{}", text()),
            Self::Json => println!("{}", serde_json::to_string_pretty(value)?),
        }
        Ok(())
    }
}

/// Writes a value as JSON to `out/name` and announces the file.
pub(crate) fn write_json(out: &Path, name: &str, value: &impl Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(value)? + "\n";
    announce(&output_files::write(out, name, json.as_bytes())?);
    Ok(())
}

pub(crate) fn write_all(figures: &[Figure], out: &Path) -> Result<()> {
    let written = figures.par_iter().map(|figure| write_both(figure, out));
    let written: Vec<[PathBuf; 2]> = written.collect::<Result<_>>()?;
    written.iter().flatten().for_each(|path| announce(path));
    Ok(())
}

/// A figure as SVG and as PNG.
pub(crate) fn write_both(figure: &Figure, out: &Path) -> Result<[PathBuf; 2]> {
    let name = |ending| format!("figures/{}.{ending}", figure.name);
    Ok([
        output_files::write(out, &name("svg"), figure.svg.as_bytes())?,
        output_files::write(out, &name("png"), &figure.to_png(PNG_SCALE)?)?,
    ])
}

pub(crate) fn announce(path: &Path) {
    println!("wrote {}", path.display());
}
