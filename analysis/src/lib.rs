//! Estimators, tests, figures and tables: pure functions over samples.
//!
//! [`Distribution`] holds the exact counts of the observations of one arm. [`effect()`] compares two arms with the launch as the
//! unit of inference. [`ssp2023`] recomputes the 2023 study. [`simulation`] counts how often intervals contain the truth.
//! [`figures`] draws. No function reads or writes a file. Times are nanoseconds unless a name says otherwise.
#![forbid(unsafe_code)]

pub mod claims;
pub mod figures;
pub mod principles;
pub mod simulation;
pub mod ssp2023;
pub mod stats;
mod text_table;

pub use stats::*;
pub use text_table::text_table;
