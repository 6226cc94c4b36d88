//! The latency prober: one request at a time, to each arm in turn, with user and kernel time stamps.
//!
//! A [`model::LaunchPlan`] says what to send, to whom and in which order; [`run`] does it, writes every request as a row of one
//! Parquet file, and returns a [`model::LoadSummary`]. Nothing is written while a round is measured.

mod answer;
mod awake;
mod check;
mod chunked;
mod client;
mod closed;
mod connection;
mod error;
mod live;
mod open;
mod plan_source;
mod prober;
mod recorder;
mod resp;
mod response;
mod run;
mod schedule;
mod sys;
mod tally;

pub use awake::Awake;
pub use client::{Client, Reply};
pub use error::Error;
pub use plan_source::read_plan;
pub use run::run;
pub use schedule::{Step, Steps};
pub use sys::{received_signal, stop_on_signals};
