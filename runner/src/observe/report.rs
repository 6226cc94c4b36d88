//! The report of an observation: the functions and system calls that receive the payload, the agreement of both instruments,
//! and the hooks that replace the functions.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use dataset::{InstrumentAgreement, PayloadCount};
use serde::Serialize;

use super::exports;
use super::probe_result::ProbeResult;

/// The report.
#[derive(Debug, Serialize)]
pub(super) struct ObservationReport {
    server: String,
    /// Calls of libc functions, counted by the project's hook.
    libc: ProbeResult,
    /// System calls, counted by strace; none without a trace.
    system_calls: Option<ProbeResult>,
    /// The reason why there is no trace.
    not_traced: Option<String>,
    agreement: InstrumentAgreement,
    hooks: Vec<HookVisibility>,
}

/// The functions of the server that a hook replaces.
#[derive(Debug, Serialize)]
struct HookVisibility {
    hook: PathBuf,
    sees_accept: bool,
    sees_payload: bool,
    /// Functions that the server uses and the hook does not replace.
    missing: Vec<String>,
}

impl ObservationReport {
    pub(super) fn new(
        server: &str,
        libc: ProbeResult,
        traced: Result<ProbeResult, String>,
        hooks: &[PathBuf],
    ) -> Result<Self> {
        let (system_calls, not_traced) = match traced {
            Ok(result) => (Some(result), None),
            Err(why) => (None, Some(why)),
        };
        let seen = hooks.iter().map(|hook| {
            let exports = exports::of(hook)?;
            let replaced = |names: &mut dyn Iterator<Item = &String>| {
                let names: Vec<&String> = names.collect();
                !names.is_empty() && names.iter().all(|name| exports.contains(*name))
            };
            let used = libc.passed.accepts.keys().chain(libc.passed.received.keys());
            Ok(HookVisibility {
                hook: hook.clone(),
                sees_accept: replaced(&mut libc.passed.accepts.keys()),
                sees_payload: replaced(&mut libc.passed.received.keys()),
                missing: used.filter(|name| !exports.contains(*name)).cloned().collect(),
            })
        });
        Ok(Self {
            server: server.to_owned(),
            hooks: seen.collect::<Result<_>>()?,
            agreement: agreement(&libc, system_calls.as_ref()),
            libc,
            system_calls,
            not_traced,
        })
    }

    /// Checks that the server answered the requests.
    ///
    /// # Errors
    /// The fault of the server.
    pub(super) fn conclusive(&self) -> Result<()> {
        if let (Some(fault), None) = (&self.libc.fault, &self.system_calls) {
            bail!("with our hook {fault}");
        }
        match self.system_calls.as_ref().and_then(|result| result.fault.as_ref()) {
            Some(fault) => bail!("{fault}"),
            None => Ok(()),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.server);
        if let Some(fault) = &self.libc.fault {
            _ = writeln!(
                text,
                "through libc: no result, because with our hook the server {}: {}",
                fault.kind, fault.what
            );
        } else {
            section(&mut text, "through libc, as a preloaded library sees it", &self.libc);
        }
        match (&self.system_calls, &self.not_traced) {
            (Some(result), _) => section(&mut text, "by system calls, as strace sees them", result),
            (None, why) => _ = writeln!(text, "by system calls: {}", why.as_deref().unwrap_or("not traced")),
        }
        _ = writeln!(text, "\n{}", in_words(self.agreement));
        let traced = self.system_calls.iter().flat_map(|result| &result.blind_spots);
        let traced = traced.filter(|spot| spot.is_of_the_server());
        for spot in self.libc.blind_spots.iter().chain(traced).collect::<BTreeSet<_>>() {
            _ = writeln!(text, "not covered: {spot}");
        }
        for seen in &self.hooks {
            let missing = if seen.missing.is_empty() {
                String::new()
            } else {
                format!("; it does not replace {}", seen.missing.join(", "))
            };
            let answer = |yes: bool| if yes { "yes" } else { "no" };
            _ = writeln!(
                text,
                "{}: sees accepted connections: {}, sees the payload: {}{missing}",
                seen.hook.display(),
                answer(seen.sees_accept),
                answer(seen.sees_payload)
            );
        }
        text
    }
}

fn section(text: &mut String, title: &str, result: &ProbeResult) {
    _ = writeln!(
        text,
        "{title}: {} requests of {} bytes on {} connections",
        result.requests,
        result.sent_bytes / result.requests.max(1),
        result.connections
    );
    for (name, calls) in &result.passed.accepts {
        _ = writeln!(text, "  accepts    {name:<16} {calls} connections");
    }
    for (direction, all) in [("receives", &result.passed.received), ("sends", &result.passed.sent)] {
        for (name, carried) in all {
            let (calls, bytes) = by_request(*carried, result.requests);
            _ = writeln!(
                text,
                "  {direction:<10} {name:<16} {calls:.2} calls and {bytes:.1} bytes a request"
            );
        }
    }
    if let Some(calls) = result.receive_calls
        && let Some(share) = calls.share_without_request()
    {
        _ = writeln!(
            text,
            "  {} calls of receive functions at the start and {} for the requests; {:.1} % carried no request",
            calls.before_requests,
            calls.during_requests,
            100.0 * share
        );
    }
    if result.passed.received.is_empty() {
        _ = writeln!(text, "  receives nothing");
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a hundred requests")]
fn by_request(carried: PayloadCount, requests: u64) -> (f64, f64) {
    let requests = requests.max(1) as f64;
    (carried.calls as f64 / requests, carried.bytes as f64 / requests)
}

/// Returns the share of the payload that passes libc functions, from the bytes that both instruments counted.
pub(super) fn agreement(libc: &ProbeResult, traced: Option<&ProbeResult>) -> InstrumentAgreement {
    let through_libc = libc.passed.received_bytes();
    // Both runs send the same bytes. One of them can have failed.
    let sent = libc.sent_bytes.max(traced.map_or(0, |result| result.sent_bytes));
    if sent == 0 {
        InstrumentAgreement::Unknown
    } else if through_libc == 0 {
        InstrumentAgreement::Nothing
    } else if through_libc < sent || traced.is_some_and(|result| result.passed.received_bytes() > through_libc) {
        InstrumentAgreement::Part
    } else {
        InstrumentAgreement::All
    }
}

const fn in_words(agreement: InstrumentAgreement) -> &'static str {
    match agreement {
        InstrumentAgreement::All => "all payload that was sent passes functions that a preloaded library can replace",
        InstrumentAgreement::Part => "a part of the payload passes functions that a preloaded library can replace",
        InstrumentAgreement::Nothing => "no payload passes functions that a preloaded library can replace",
        InstrumentAgreement::Unknown => "no request was sent, so that the agreement is unknown",
    }
}
