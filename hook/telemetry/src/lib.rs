//! The shared file through which the hook tells what it saw.
//!
//! The reader's side creates a file of [`file_len`] bytes ([`initialise`], or [`header`] followed by zeros), names it
//! in `READHOOK_TELEMETRY`, and reads it back with [`View`] when the hooked program has ended or is idle. The hook's
//! side maps the file at load and writes through [`Writer`]: counters for every hooked call, and one record for each
//! *payload receive*, which is a receive call on an accepted socket that returned more than zero unpeeked bytes.
//!
//! Put the file on a memory file system (`/dev/shm`): write-back of a disk file would protect its pages again and
//! again, and each first write after that costs the hooked program a page fault.
//!
//! A file with room for no records (`capacity` 0) asks for the counters alone: the hook then reads no clock.
//!
//! When all records are in use, further ones are counted as dropped; older ones are never overwritten. A process that
//! is forked shares its parent's file, and so does every program that inherits the environment; all add to the same
//! counters.
#![no_std]

mod layout;
mod log_ring;
mod view;
mod writer;

pub use layout::{FUNCTIONS, Function, HEADER_LEN, LayoutError, RECORD_LEN, VERSION, Verdict};
pub use layout::{file_len, header, initialise};
pub use log_ring::{LogRing, log_ring_header, log_ring_len, log_ring_lines, log_ring_texts};
pub use view::{Counters, Record, View};
pub use writer::{Call, Counter, Writer};

#[cfg(test)]
mod tests;
