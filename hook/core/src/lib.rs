//! What the hook decides, apart from how it is loaded: modes, fd table, scanner, words, payloads, log lines.
//!
//! Nothing here allocates, locks, calls the system or uses `unsafe`.
#![no_std]
#![forbid(unsafe_code)]

mod fd_table;
mod line;
mod mode;
mod payload;
mod scanner;

pub use fd_table::{FD_CAPACITY, FdTable};
pub use line::{LINE_LEN, Line};
pub use mode::{Every, Mode, UnknownMode, parse_count};
pub use payload::{Flags, Payload, payload};
pub use scanner::{Outcome, State, WORDS, scan};
