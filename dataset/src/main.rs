//! The binary `dataset`: imports, checks and slims recorded runs, and prints the manifest's JSON Schema.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use dataset::{ObservationReader, Run, ssp2023};
use model::Manifest;

#[derive(Parser)]
#[command(about = "Import, check and describe recorded data", version)]
struct DatasetCommandLine {
    #[command(subcommand)]
    command: DatasetCommand,
}

#[derive(Subcommand)]
enum DatasetCommand {
    /// Convert foreign recordings
    #[command(subcommand)]
    Import(DatasetImport),
    /// Check a run: versions, checksums, and whether every row can be read
    Check {
        /// Folder of the run
        run: PathBuf,
    },
    /// Remove from a finished run or grid the tables that the analysis does not read
    Slim {
        /// Folder of the run, or of the grid
        run: PathBuf,
    },
    /// Print the manifest's JSON Schema
    Schema,
}

#[derive(Subcommand)]
enum DatasetImport {
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
    match DatasetCommandLine::parse().command {
        DatasetCommand::Import(DatasetImport::Ssp2023 { from, out }) => {
            for note in ssp2023::import(&from, &out, std::env::args().collect())? {
                println!("{note}");
            }
            println!("wrote {}", out.join("manifest.json").display());
            Ok(())
        }
        DatasetCommand::Check { run } => {
            let run = Run::open(&run)?;
            run.verify()?;
            let mut rows = 0;
            for launch in &run.manifest.launches {
                ObservationReader::open(&run.directory.join(&launch.files.observations))?.for_each(|_| rows += 1)?;
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
        DatasetCommand::Slim { run } => {
            dataset::slim(&run)?;
            println!("{} is slim", run.display());
            Ok(())
        }
        DatasetCommand::Schema => {
            println!("{}", serde_json::to_string_pretty(&schemars::schema_for!(Manifest))?);
            Ok(())
        }
    }
}
