//! The time stamps that the synthetic server leaves of its requests.

use anyhow::{Context, Result};
use dataset::ServerCall;
use model::ServerSummary;
use readhook_telemetry::Record;

use super::telemetry::{self, median};

/// The stamps of one server.
#[derive(Debug)]
pub(crate) struct ServerStamps {
    pub(crate) calls: Vec<ServerCall>,
    /// Summary of the requests after the warm-up; none without any.
    pub(crate) summary: Option<ServerSummary>,
    /// Stamped requests, and requests for whose stamps there was no room.
    pub(crate) requests: u64,
}

impl ServerStamps {
    /// Reads the file that a server left. The first `before` requests, which came before the measurement, are left out, and
    /// the others are numbered from 0. The summary leaves out the next `warm_up` requests.
    ///
    /// # Errors
    /// If the file is damaged.
    pub(crate) fn read(bytes: &[u8], before: u64, warm_up: u64) -> Result<Self> {
        let (counters, records) = telemetry::read(bytes, before).context("the server damaged its stamps")?;
        let calls: Vec<ServerCall> = records.into_iter().map(call).collect();
        let settled: Vec<&ServerCall> = calls.iter().filter(|call| call.sequence >= warm_up).collect();
        let of = |value: fn(&ServerCall) -> u32| median(settled.iter().map(|call| f64::from(value(call))));
        let medians = of(|call| call.call_ns).zip(of(|call| call.handler_ns));
        Ok(Self {
            summary: medians.map(|(call_ns_median, handler_ns_median)| ServerSummary {
                call_ns_median,
                handler_ns_median,
                records: settled.len() as u64,
                dropped: counters.records_dropped,
            }),
            requests: (counters.records_written + counters.records_dropped).saturating_sub(before),
            calls,
        })
    }
}

/// The server leaves its stamps in the layout of the hook's records; see `sut/src/stamps.rs`.
fn call(record: Record) -> ServerCall {
    ServerCall {
        sequence: record.sequence,
        start_ns: record.start_ns,
        call_ns: record.real_ns,
        handler_ns: record.own_ns,
        bytes: record.bytes,
        fd: record.fd,
    }
}
