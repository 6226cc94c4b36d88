//! The two sealed objects of a trial.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::dose::SealedDelay;
use crate::object::{SealedTelemetry, UnsealedObject};

/// The arm whose object has no delay.
pub(crate) const BASELINE: &str = "baseline";
/// The arm whose object has the drawn delay.
pub(crate) const SEALED: &str = "sealed";

/// The objects of a trial with their telemetry: first the one without a delay, then the one with the drawn delay.
#[derive(Debug)]
pub(crate) struct SealedPair {
    pub(crate) objects: [PathBuf; 2],
    telemetry: [SealedTelemetry; 2],
}

impl SealedPair {
    /// Writes both objects to `place`, and makes their telemetry files with room for so many records each. `name` begins the
    /// names of the telemetry files.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn seal(
        object: &UnsealedObject,
        place: &Path,
        name: &str,
        delay: SealedDelay,
        records: u32,
    ) -> Result<Self> {
        let objects = [BASELINE, SEALED].map(|arm| place.join(format!("{arm}.so")));
        let telemetry = |arm: &str| SealedTelemetry::create(&format!("{name}-{arm}"), records);
        let telemetry = [telemetry(BASELINE)?, telemetry(SEALED)?];
        // The object without a delay reads the clock in the same requests as the other one.
        let none = SealedDelay { delay_ns: 0, ..delay };
        for (index, delay) in [none, delay].into_iter().enumerate() {
            object.seal(&objects[index], delay, &telemetry[index], &mut UnwrapErr(SysRng))?;
        }
        Ok(Self { objects, telemetry })
    }

    /// Returns the times for which each object held each payload, ns.
    ///
    /// # Errors
    /// If a telemetry file is damaged or lacks a payload.
    pub(crate) fn held_ns(&self) -> Result<[Vec<i64>; 2]> {
        Ok([self.telemetry[0].held_ns()?, self.telemetry[1].held_ns()?])
    }
}
