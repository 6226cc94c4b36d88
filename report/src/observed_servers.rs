//! The functions by which servers receive, from an `observed.json`: rows for tables and figures.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use dataset::{InstrumentAgreement, ObservedCalls, ObservedServer, ObservedServers, ServerKind};
use serde::Serialize;

use crate::table::{longest, or_dash};

/// A row of the table: one server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObservedRow {
    /// The server's name.
    pub server: String,
    /// The kind of server.
    pub kind: ServerKind,
    /// The version that the server reports.
    pub version: Option<String>,
    /// The libc functions that accept connections; system calls where no hook could be loaded.
    pub accepts: Vec<String>,
    /// The libc functions that receive, or system calls.
    pub receives: Vec<String>,
    /// The number of receive calls with payload for each request.
    pub calls_per_request: f64,
    /// Bytes of payload for each request.
    pub bytes_per_request: f64,
    /// The system calls that receive; empty without a trace.
    pub system_calls: Vec<String>,
    /// The share of the payload that passes `accept` and `read`, 0 to 1.
    pub accept_and_read_share: f64,
    /// The share of the sent payload that the project's hook counted as received, 0 to 1.
    pub own_share: f64,
    /// The share of all calls of receive functions, from the start on, that carried no request, 0 to 1; absent where the hook was not
    /// loaded or did not count them.
    pub without_request_share: Option<f64>,
    /// The agreement of hook and trace.
    pub agreement: InstrumentAgreement,
    /// The reasons for which the hook does not see payload.
    pub reasons: Vec<String>,
}

/// Reads the observed servers of a folder.
///
/// # Errors
/// When there is no such file, or it is of another version.
pub fn read(folder: &Path) -> Result<ObservedServers> {
    Ok(ObservedServers::read(folder)?)
}

/// The rows, one for each server, in the file's order.
#[must_use]
pub fn rows(observed: &ObservedServers) -> Vec<ObservedRow> {
    observed.servers.iter().map(row).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of some hundred requests")]
fn row(server: &ObservedServer) -> ObservedRow {
    let nothing = ObservedCalls::default();
    let traced = server.system_calls.as_ref();
    let passed = server.libc.as_ref().or(traced).unwrap_or(&nothing);
    let requests = server.requests.max(1) as f64;
    let receives = |passed: &ObservedCalls| passed.received.keys().cloned().collect();
    ObservedRow {
        server: server.server.clone(),
        kind: server.kind,
        version: server.version.clone(),
        accepts: passed.accepts.keys().cloned().collect(),
        receives: receives(passed),
        calls_per_request: passed.receive_calls() as f64 / requests,
        bytes_per_request: passed.received_bytes() as f64 / requests,
        system_calls: traced.map(receives).unwrap_or_default(),
        accept_and_read_share: server.accept_and_read_share,
        own_share: server.own_share,
        without_request_share: server.receive_calls.and_then(|calls| calls.share_without_request()),
        agreement: server.agreement,
        reasons: server.reasons.clone(),
    }
}

/// The rows as a table for a terminal.
#[must_use]
pub fn text(observed: &ObservedServers) -> String {
    let rows = rows(observed);
    let width = longest(rows.iter().map(|row| &row.server));
    let mut text = format!(
        "{:width$}  {:20}  {:>5}  {:>7}  {:20}  {:>13}  {:>4}  {:>10}  why\n",
        "server", "libc", "calls", "bytes", "system calls", "accept + read", "ours", "no request"
    );
    for row in rows {
        let libc = format!("{} {}", row.accepts.join(", "), row.receives.join(", "));
        _ = writeln!(
            text,
            "{:width$}  {libc:20}  {:5.2}  {:7.1}  {:20}  {:11.0} %  {:2.0} %  {:>10}  {}",
            row.server,
            row.calls_per_request,
            row.bytes_per_request,
            row.system_calls.join(", "),
            100.0 * row.accept_and_read_share,
            100.0 * row.own_share,
            or_dash(row.without_request_share.map(|share| format!("{:.1} %", 100.0 * share))),
            row.reasons.join("; ")
        );
    }
    for missing in &observed.not_found {
        _ = writeln!(
            text,
            "{:width$}  not observed: {}; {}",
            missing.server, missing.reason, missing.fix
        );
    }
    text
}
