//! A guard that keeps the processors of the machine out of idle states.
//!
//! A processor in an idle state responds later to an interrupt. The delay differs from launch to launch; in a virtual
//! machine it depends on the host. The kernel enters no idle state while a process requests a latency of 0 µs through
//! `/dev/cpu_dma_latency` (Linux, `Documentation/power/pm_qos_interface.rst`).

use std::fs::{File, OpenOptions};
use std::io::Write as _;

/// The kernel's file for latency requests. Root may write it.
const DEVICE: &str = "/dev/cpu_dma_latency";

/// Keeps all processors of this machine out of idle states until it is dropped or its process ends.
#[derive(Debug)]
pub struct CpuLatencyGuard(#[expect(dead_code, reason = "the kernel honours the request while the file is open")] File);

impl CpuLatencyGuard {
    /// Requests a latency of 0 µs.
    ///
    /// # Errors
    /// Returns a text that says why processors can enter idle states: there is no such file, or no permission to write it.
    pub fn acquire() -> Result<Self, String> {
        let latency_us = 0_i32.to_ne_bytes();
        let request = OpenOptions::new().write(true).open(DEVICE).and_then(|mut file| {
            file.write_all(&latency_us)?;
            Ok(Self(file))
        });
        request.map_err(|error| format!("processors can enter idle states between requests: {DEVICE}: {error}"))
    }
}
