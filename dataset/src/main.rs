//! `dataset`: import, check and describe recorded data.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use dataset::{Manifest, ObservationReader, Run, ssp2023};

#[derive(Parser)]
#[command(about = "Import, check and describe recorded data", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Convert foreign recordings
    #[command(subcommand)]
    Import(Import),
    /// Check a run: versions, checksums, every row readable
    Check {
        /// Folder of the run
        run: PathBuf,
    },
    /// Leave only what the analysis reads of a finished run or grid, in place: small enough for a repository
    Slim {
        /// Folder of the run, or of the grid
        run: PathBuf,
    },
    /// Print the manifest's JSON Schema
    Schema,
}

#[derive(Subcommand)]
enum Import {
    /// The eight recordings of the 2023 study, verified by SHA-256
    Ssp2023 {
        /// Folder with the recordings and words.txt, or a checkout of the study's repository
        #[arg(long)]
        from: PathBuf,
        /// Run folder to write
        #[arg(long, default_value = "data/ssp2023")]
        out: PathBuf,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Import(Import::Ssp2023 { from, out }) => {
            for note in ssp2023::import(&from, &out, std::env::args().collect())? {
                println!("{note}");
            }
            println!("wrote {}", out.join("manifest.json").display());
            Ok(())
        }
        Command::Check { run } => {
            let run = Run::open(&run)?;
            run.verify()?;
            let mut rows = 0;
            for launch in &run.manifest.launches {
                ObservationReader::open(&run.directory.join(&launch.file))?.for_each(|_| rows += 1)?;
            }
            for note in &run.manifest.notes {
                println!("{note}");
            }
            println!(
                "{}: {} launches, {rows} observations, {} files as recorded",
                run.manifest.run_id,
                run.manifest.launches.len(),
                run.manifest.files.len()
            );
            Ok(())
        }
        Command::Slim { run } => {
            dataset::slim(&run)?;
            println!("{} is slim", run.display());
            Ok(())
        }
        Command::Schema => {
            println!("{}", serde_json::to_string_pretty(&schemars::schema_for!(Manifest))?);
            Ok(())
        }
    }
}
