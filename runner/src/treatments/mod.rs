//! Treatments: the changes to a server whose cost is measured.
//!
//! A treatment is one file with one implementation of [`TreatmentAdapter`], a variant of [`Treatment`] and a line in
//! [`adapter`].

mod delay;
mod foreign_object;
mod own_hook;
mod unmodified;

use std::path::{Path, PathBuf};

use anyhow::Result;

use self::delay::Delay;
use self::foreign_object::ForeignObject;
use self::own_hook::OwnHook;
use self::unmodified::Unmodified;
use crate::launch::process::ProcessStart;
use model::{Arm, Treatment};

/// The interface of a treatment. The driver calls the methods in the order in which they stand here.
pub(crate) trait TreatmentAdapter {
    /// Changes the command or the environment with which the server starts.
    fn attach(&self, site: &TreatmentSite, start: &mut ProcessStart);

    /// Checks that the treatment works in the server, which is ready and has received no measured request.
    ///
    /// # Errors
    /// If it does not work; the error says why.
    fn prove_active(&self, site: &TreatmentSite, server: &mut dyn TreatedServer) -> Result<Proof>;

    /// Undoes what does not end with the server's processes. The server still runs.
    ///
    /// # Errors
    /// If something is left.
    fn detach(&self, _site: &TreatmentSite) -> Result<()> {
        Ok(())
    }
}

/// The questions that a treatment can ask about its server.
pub(crate) trait TreatedServer {
    /// Checks that a shared object is mapped into every process that accepts the server's connections.
    ///
    /// # Errors
    /// If it is not; the error says why.
    fn require_mapped(&mut self, object: &Path) -> Result<()>;
}

/// Evidence that a treatment works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The server is unmodified.
    NotNeeded,
    /// The treatment's shared object is in the memory map of the server.
    Mapped,
}

/// Files that a treatment uses, by the paths under which the server finds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TreatmentSite {
    /// The project's own hook.
    pub(crate) hook: PathBuf,
    /// The compiled words of the experiment; without them the hook searches for its own.
    pub(crate) words: Option<PathBuf>,
    /// The file to which the hook writes each found word.
    pub(crate) log: PathBuf,
    /// The file for the hook's counters and records.
    pub(crate) telemetry: Option<PathBuf>,
    /// The shared object of the treatment `preload`.
    pub(crate) foreign_object: Option<PathBuf>,
}

/// Returns the adapter of an arm's treatment.
pub(crate) fn adapter(arm: &Arm) -> Box<dyn TreatmentAdapter + '_> {
    let own = |logs| OwnHook {
        mode: arm.treatment.mode().unwrap_or_default(),
        logs,
    };
    match (arm.treatment, &arm.preload) {
        (Treatment::Forward | Treatment::Track | Treatment::Scan, _) => Box::new(own(false)),
        (Treatment::Log | Treatment::Upstream, _) => Box::new(own(true)),
        (Treatment::Delay, _) => Box::new(Delay {
            delay_ns: arm.delay_ns,
            delay_every: arm.delay_every,
        }),
        (Treatment::Preload, Some(preload)) => Box::new(ForeignObject { preload }),
        // A validated experiment has no arm with the treatment `preload` and without a shared object.
        (Treatment::Unmodified | Treatment::Preload, _) => Box::new(Unmodified),
    }
}

/// Returns the room for records that an arm's telemetry needs; 0 asks for counters alone.
///
/// # Errors
/// If there are too many rounds.
pub(crate) fn telemetry_records(arm: &Arm, rounds: u64) -> Result<u32> {
    if arm.has_records() { records(rounds) } else { Ok(0) }
}

/// Returns room for a record of each request of so many rounds, and as much again for requests that come in parts.
///
/// # Errors
/// If there are too many rounds.
pub(crate) fn records(rounds: u64) -> Result<u32> {
    Ok(u32::try_from(rounds)?.saturating_mul(2))
}
