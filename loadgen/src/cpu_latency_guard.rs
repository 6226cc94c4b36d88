//! Processors that do not fall asleep between requests.
//!
//! Woken from an idle state, a processor answers later, and by how much later differs from launch to launch: within a
//! virtual machine, by what the host does with a processor that halts. The kernel leaves idle states alone for as long as a
//! process asks for no latency at all through [`DEVICE`] (Linux, `Documentation/power/pm_qos_interface.rst`).

use std::fs::{File, OpenOptions};
use std::io::Write as _;

/// The kernel's file for it, which root may write.
const DEVICE: &str = "/dev/cpu_dma_latency";

/// Keeps all processors of this machine from idle states until it is dropped, or its process ends.
#[derive(Debug)]
pub struct Awake(#[expect(dead_code, reason = "the kernel listens for as long as it is open")] File);

impl Awake {
    /// Begins it.
    ///
    /// # Errors
    /// What stands in the way, for people: no such file, or no permission to write it.
    pub fn keep() -> Result<Self, String> {
        let none_us = 0_i32.to_ne_bytes();
        let asked = OpenOptions::new().write(true).open(DEVICE).and_then(|mut file| {
            file.write_all(&none_us)?;
            Ok(Self(file))
        });
        asked.map_err(|error| format!("processors fall asleep between requests: {DEVICE}: {error}"))
    }
}
