//! The answer: what carries the payload, whether libc and the kernel agree on it, and which hook sees it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use dataset::{InstrumentAgreement, PayloadCount};
use serde::Serialize;

use super::exports;
use super::probe_result::ProbeResult;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct ObservationReport {
    server: String,
    /// Through libc, as our hook saw it.
    libc: ProbeResult,
    /// Through system calls.
    system_calls: Option<ProbeResult>,
    /// Why there is no trace.
    not_traced: Option<String>,
    agreement: InstrumentAgreement,
    hooks: Vec<HookVisibility>,
}

/// Whether a hook would see the payload.
#[derive(Debug, Serialize)]
struct HookVisibility {
    hook: PathBuf,
    sees_accept: bool,
    sees_payload: bool,
    /// Functions that it would have to replace and does not.
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
            Ok(asked) => (Some(asked), None),
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

    /// An error where the server could not even be asked.
    pub(super) fn conclusive(&self) -> Result<()> {
        if let (Some(fault), None) = (&self.libc.fault, &self.system_calls) {
            bail!("with our hook {fault}");
        }
        match self.system_calls.as_ref().and_then(|asked| asked.fault.as_ref()) {
            Some(fault) => bail!("{fault}"),
            None => Ok(()),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.server);
        if let Some(fault) = &self.libc.fault {
            _ = writeln!(
                text,
                "through libc: nothing is seen, since with our hook {}: {}",
                fault.kind, fault.what
            );
        } else {
            section(&mut text, "through libc, as a preloaded library sees it", &self.libc);
        }
        match (&self.system_calls, &self.not_traced) {
            (Some(asked), _) => section(&mut text, "by system calls, as strace sees them", asked),
            (None, why) => _ = writeln!(text, "by system calls: {}", why.as_deref().unwrap_or("not looked at")),
        }
        _ = writeln!(text, "\n{}", in_words(self.agreement));
        let traced = self.system_calls.iter().flat_map(|asked| &asked.blind_spots);
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
                "{}: sees the accepting: {}, sees the payload: {}{missing}",
                seen.hook.display(),
                answer(seen.sees_accept),
                answer(seen.sees_payload)
            );
        }
        text
    }
}

fn section(text: &mut String, title: &str, asked: &ProbeResult) {
    _ = writeln!(
        text,
        "{title}: {} requests of {} bytes on {} connections",
        asked.requests,
        asked.sent_bytes / asked.requests.max(1),
        asked.connections
    );
    for (name, calls) in &asked.passed.accepts {
        _ = writeln!(text, "  accepts    {name:<16} {calls} connections");
    }
    for (direction, all) in [("receives", &asked.passed.received), ("sends", &asked.passed.sent)] {
        for (name, carried) in all {
            let (calls, bytes) = by_request(*carried, asked.requests);
            _ = writeln!(
                text,
                "  {direction:<10} {name:<16} {calls:.2} calls and {bytes:.1} bytes a request"
            );
        }
    }
    if asked.passed.received.is_empty() {
        _ = writeln!(text, "  receives nothing");
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a hundred requests")]
fn by_request(carried: PayloadCount, requests: u64) -> (f64, f64) {
    let requests = requests.max(1) as f64;
    (carried.calls as f64 / requests, carried.bytes as f64 / requests)
}

/// Whether both instruments saw the same payload.
pub(super) fn agreement(libc: &ProbeResult, traced: Option<&ProbeResult>) -> InstrumentAgreement {
    let through_libc = libc.passed.received_bytes();
    // Each run has its own requests, of the same bytes.
    let sent = libc.sent_bytes.max(traced.map_or(0, |asked| asked.sent_bytes));
    if sent == 0 {
        InstrumentAgreement::Unknown
    } else if through_libc == 0 {
        InstrumentAgreement::Nothing
    } else if through_libc < sent || traced.is_some_and(|asked| asked.passed.received_bytes() > through_libc) {
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
        InstrumentAgreement::Unknown => "nothing was sent, so that nothing can be said",
    }
}
