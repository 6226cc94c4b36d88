//! The latency prober: one request at a time, to each arm in turn, with user and kernel time stamps.
//!
//! A [`Plan`] says what to send, to whom and in which order; [`run`] does it, writes every request as a row of one
//! Parquet file, and returns a [`Summary`]. Nothing is written while a round is measured.

mod answer;
mod awake;
mod check;
mod chunked;
mod client;
mod closed;
mod connection;
mod error;
mod live;
mod message;
mod open;
mod plan;
mod prober;
mod recorder;
mod request;
mod resp;
mod response;
mod run;
mod schedule;
mod summary;
mod sys;

pub use awake::Awake;
pub use check::{Check, Clocks, Verdict};
pub use client::{Client, Reply};
pub use error::Error;
pub use message::{Bytes, End, Message};
pub use plan::{Arrivals, Connection, Plan, Schedule, Target, Wait};
pub use request::{Keyword, Position, Request};
pub use run::run;
pub use schedule::{Step, Steps};
pub use summary::{Rate, Summary};
pub use sys::{received_signal, stop_on_signals};
