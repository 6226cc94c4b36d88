//! The load generator: sends requests to the arms of one launch in turn, and records user and kernel time stamps.
//!
//! [`run`] takes a [`model::LaunchPlan`], writes each request as a row of one Parquet file, and returns a
//! [`model::LoadSummary`]. It writes no row while a round is in progress.

mod check;
mod chunked_body;
mod client;
mod clock;
mod closed_loop;
mod connection;
mod cpu;
mod cpu_latency_guard;
mod disturbance;
mod error;
mod http_head;
mod load_thread;
mod open_loop;
mod plan_source;
mod progress;
mod recorder;
mod request_order;
mod resp_reader;
mod response_reader;
mod run;
mod saturated_loop;
mod socket;
mod stop_signal;
mod tally;

pub use client::{Client, Reply};
pub use cpu_latency_guard::CpuLatencyGuard;
pub use error::LoadgenError;
pub use plan_source::read_plan;
pub use request_order::{OrderStep, RequestOrder};
pub use run::run;
pub use stop_signal::{received_signal, stop_on_signals};
