//! The command line of `runner`: options, and the verbs that only print or prepare.

pub(crate) mod child_verbs;
pub(crate) mod cluster;
pub(crate) mod run_options;
pub(crate) mod units;
