//! The telemetry file: shared memory through which the hook reports its observations.
//!
//! The reader creates a file of [`file_len`] bytes ([`initialise`], or [`header`] followed by zeros), names it in
//! `READHOOK_TELEMETRY`, and reads it with [`View`] when the hooked program has ended or is idle. The hook maps the
//! file at load and writes through [`Writer`]: counters of every hooked call, and one record of each *payload receive*.
//! A payload receive is a receive call on an accepted socket that returned more than zero bytes, without peeking.
//!
//! The file belongs on a memory file system (`/dev/shm`). Write-back of a file on disk write-protects its pages
//! repeatedly, and the next write to such a page costs the hooked program a page fault.
//!
//! A file without room for records (`capacity` 0) requests counters only. The hook then reads no clock.
//!
//! When all records are in use, further ones are counted as dropped; earlier ones are never overwritten. A forked
//! process shares its parent's file, and so does every program that inherits the environment. All of them add to the
//! same counters.
#![no_std]

mod layout;
mod log_ring;
mod view;
mod writer;

pub use layout::{FUNCTIONS, Function, HEADER_LEN, LayoutError, RECORD_LEN, SearchVerdict, VERSION};
pub use layout::{file_len, header, initialise};
pub use log_ring::{LogRing, log_ring_header, log_ring_len, log_ring_lines, log_ring_texts};
pub use view::{Counters, Record, View};
pub use writer::{Call, Counter, Writer};

#[cfg(test)]
mod tests;
