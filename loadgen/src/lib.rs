//! The latency prober: one request at a time, to each arm in turn, with user and kernel time stamps.
//!
//! A [`model::LaunchPlan`] says what to send, to whom and in which order; [`run`] does it, writes every request as a row of one
//! Parquet file, and returns a [`model::LoadSummary`]. Nothing is written while a round is measured.

mod response_reader;
mod cpu_latency_guard;
mod check;
mod chunked_body;
mod client;
mod closed_loop;
mod connection;
mod error;
mod progress;
mod open_loop;
mod plan_source;
mod load_thread;
mod recorder;
mod resp_reader;
mod http_head;
mod run;
mod request_order;
mod socket;
mod tally;

pub use awake::Awake;
pub use client::{Client, Reply};
pub use error::Error;
pub use plan_source::read_plan;
pub use run::run;
pub use schedule::{Step, Steps};
pub use sys::{received_signal, stop_on_signals};
