//! Treatments: the changes to a server whose cost is measured.
//!
//! A treatment is one file with one implementation of [`TreatmentAdapter`], a variant of [`Treatment`] and a line in
//! [`adapter_of`].

mod adapter;
mod delay;
mod foreign_object;
mod own_hook;
mod unmodified;

use anyhow::Result;

pub(crate) use self::adapter::{Proof, TreatedServer, TreatmentAdapter, TreatmentSite};
use self::delay::Delay;
use self::foreign_object::ForeignObject;
use self::own_hook::OwnHook;
use self::unmodified::Unmodified;
use model::{Arm, Treatment};

/// Returns the adapter of an arm's treatment.
pub(crate) fn adapter_of(arm: &Arm) -> Box<dyn TreatmentAdapter + '_> {
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
