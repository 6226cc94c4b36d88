//! `challenge`: blind trials.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use challenge::{AWAKE, DELAYS, Instrument, NOT_AWAKE};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Examines the instrument with delays that it does not know", version)]
struct ChallengeArguments {
    #[command(subcommand)]
    verb: ChallengeVerb,
}

#[derive(Subcommand)]
enum ChallengeVerb {
    /// Draw and seal the trials, measure them, and open the seal; the same command continues after a stop
    Run {
        /// Folder of the challenge
        #[arg(long)]
        out: PathBuf,
        /// Number of trials of a new challenge; fewer than 260 keep the proportions and leave the requirements open
        #[arg(long, default_value_t = AWAKE + NOT_AWAKE)]
        trials: usize,
        /// Definition of a trial
        #[arg(long, default_value = "experiments/challenge.toml")]
        definition: PathBuf,
        /// The project's hook [default: ../hook/libreadhook.so, from this program's folder]
        #[arg(long)]
        hook: Option<PathBuf>,
        /// The object whose copies are sealed [default: ../hook/libreadhook_sealed.so, from this program's folder]
        #[arg(long)]
        sealed_hook: Option<PathBuf>,
        /// Folder of the load generators that `cargo xtask challenge --install` installs
        #[arg(long, default_value = "target/peers")]
        installed: PathBuf,
        /// Let no other load generator take part, even if one is installed
        #[arg(long)]
        without_peers: bool,
    },
    /// Compare the answers of a challenge with the truth again
    Open {
        /// Folder of the challenge
        folder: PathBuf,
    },
    /// Write the answer to one trial from its run
    #[command(hide = true)]
    Answer {
        #[arg(long)]
        run: PathBuf,
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> Result<()> {
    match ChallengeArguments::parse().verb {
        ChallengeVerb::Run {
            out,
            trials,
            definition,
            hook,
            sealed_hook,
            installed,
            without_peers,
        } => {
            let out = std::path::absolute(out)?;
            let own = std::env::current_exe().context("cannot find this program's own file")?;
            let binaries = own.parent().context("this program has no folder")?.to_owned();
            let instrument = Instrument {
                hook: hook.unwrap_or_else(|| binaries.join("../hook/libreadhook.so")),
                sealed_hook: sealed_hook.unwrap_or_else(|| binaries.join("../hook/libreadhook_sealed.so")),
                definition,
                binaries,
            };
            let hash = challenge::begin(&out, trials, &DELAYS)?;
            println!("{hash}  {}", out.join("sealed/sealed.json").display());
            let installed = std::path::absolute(installed)?;
            challenge::examine(&out, &instrument, (!without_peers).then_some(installed.as_path()))?;
            print!("{}", challenge::open(&out)?);
        }
        ChallengeVerb::Open { folder } => print!("{}", challenge::open(&folder)?),
        ChallengeVerb::Answer { run, out } => challenge::answer(&run, &out)?,
    }
    Ok(())
}
