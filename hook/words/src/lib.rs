//! Word files: what the hook searches by.
//!
//! A word file holds an automaton that decides, and filters that say quickly where there is nothing to decide. The hook
//! carries one inside and reads another where it is told to; [`Words`] reads both. `readhook-compile` makes them.
#![no_std]
#![forbid(unsafe_code)]

pub mod layout;
mod words;

pub use layout::{LONGEST_WORD, WINDOW};
pub use words::{BadWords, Candidate, Words};
