//! The interface of a treatment.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::launch::process::ProcessStart;

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
