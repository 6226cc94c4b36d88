//! The decisions of the hook, independent of how it is loaded: modes, fd table, scanner, words, payloads, log lines.
//!
//! No function allocates, locks or makes a system call. Only the scanner's vector code contains `unsafe`.
#![no_std]

mod fd_table;
mod line;
mod mode;
mod payload;
mod scanner;

pub use fd_table::{FD_CAPACITY, FdTable, Stream};
pub use line::{LINE_LEN, Line};
pub use mode::{Every, Mode, UnknownMode, parse_count};
pub use payload::{ReceiveFlags, ReceivedPayload, payload};
pub use readhook_words::Words;
pub use scanner::{DEFAULT_WORDS, Filter, Outcome, Scanner, State};
