//! The treatments with the project's own hook: `forward`, `track`, `scan`, `log`, and `upstream`, the algorithm of the 2023
//! study made memory-safe.

use std::ffi::OsStr;

use anyhow::Result;

use super::adapter::{Proof, TreatedServer, TreatmentAdapter, TreatmentSite};
use crate::launch::process::ProcessStart;

pub(super) struct OwnHook {
    /// The value of READHOOK_MODE.
    pub(super) mode: &'static str,
    /// True if the mode writes each found word to a log.
    pub(super) logs: bool,
}

impl TreatmentAdapter for OwnHook {
    /// Sets the variables by which the dynamic loader loads the hook, and the hook finds its mode and its files.
    fn attach(&self, site: &TreatmentSite, start: &mut ProcessStart) {
        let mut set = |name: &str, value: &OsStr| start.environment.push((name.to_owned(), value.to_owned()));
        set("LD_PRELOAD", site.hook.as_os_str());
        set("READHOOK_MODE", self.mode.as_ref());
        if let Some(telemetry) = &site.telemetry {
            set("READHOOK_TELEMETRY", telemetry.as_os_str());
        }
        if self.logs {
            set("READHOOK_LOG", site.log.as_os_str());
        }
        if let Some(words) = &site.words {
            set("READHOOK_WORDS", words.as_os_str());
        }
    }

    fn prove_active(&self, site: &TreatmentSite, server: &mut dyn TreatedServer) -> Result<Proof> {
        server.require_mapped(&site.hook)?;
        Ok(Proof::Mapped)
    }
}
