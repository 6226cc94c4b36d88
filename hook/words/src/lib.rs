//! Word files: the words that the hook searches for, compiled for the search.
//!
//! A word file contains an automaton, which decides, and filters, which quickly rule out most places of a text. The
//! hook carries one word file and reads another if it is told to. [`Words`] reads both. `readhook-compile` writes word
//! files.
#![no_std]
#![forbid(unsafe_code)]

pub mod layout;
mod words;

pub use layout::{LONGEST_WORD, WINDOW};
pub use words::{BadWords, Candidate, Words};
