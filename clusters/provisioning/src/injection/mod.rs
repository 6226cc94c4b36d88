//! The hook in workloads that exist already: put in and taken out again.

mod patch;
mod workloads;

pub use patch::{Injection, inject, remove};
pub use workloads::{Workloads, is_workload, read_workload};
