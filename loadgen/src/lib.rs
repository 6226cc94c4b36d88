//! The latency prober: one request at a time, to each arm in turn, with user and kernel time stamps.
//!
//! A [`Plan`] says what to send, to whom and in which order; [`run`] does it, writes every request as a row of one
//! Parquet file, and returns a [`Summary`]. Nothing is written while a round is measured.

mod connection;
mod error;
mod plan;
mod progress;
mod response;
mod run;
mod schedule;
mod summary;
mod sys;

pub use error::Error;
pub use plan::{Plan, Request, Schedule, Target, Wait};
pub use run::run;
pub use schedule::{Step, Steps};
pub use summary::Summary;
pub use sys::{received_signal, stop_on_signals};
