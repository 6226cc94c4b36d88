//! The treatment `delay`, the calibration instrument: the project's own hook holds payload for a known time.

use anyhow::Result;

use super::adapter::{Proof, TreatedServer, TreatmentAdapter, TreatmentSite};
use super::own_hook::OwnHook;
use crate::launch::process::ProcessStart;

const HOOK: OwnHook = OwnHook {
    mode: "delay",
    logs: false,
};

pub(super) struct Delay {
    /// Busy wait of a delayed receive, ns.
    pub(super) delay_ns: Option<u64>,
    /// Only every nth payload receive is delayed, where n is this number. `None` delays every receive.
    pub(super) delay_every: Option<u64>,
}

impl TreatmentAdapter for Delay {
    fn attach(&self, site: &TreatmentSite, start: &mut ProcessStart) {
        HOOK.attach(site, start);
        let settings = [
            ("READHOOK_DELAY_NS", self.delay_ns),
            ("READHOOK_DELAY_EVERY", self.delay_every),
        ];
        for (name, value) in settings {
            let value = value.map(|value| value.to_string().into());
            start.environment.extend(value.map(|value| (name.to_owned(), value)));
        }
    }

    fn prove_active(&self, site: &TreatmentSite, server: &mut dyn TreatedServer) -> Result<Proof> {
        HOOK.prove_active(site, server)
    }
}
