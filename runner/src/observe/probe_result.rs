//! The result of an observation.

use std::collections::BTreeSet;

use dataset::{ObservedCalls, PayloadCount, ReceiveCalls, ServerFault};
use readhook_telemetry::FUNCTIONS;
use serde::{Deserialize, Serialize};

use crate::blind_spots::BlindSpot;
use crate::launch::telemetry::HookTelemetry;

/// The result of an observation with one instrument.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ProbeResult {
    /// The fault for which the server could not be observed.
    pub(crate) fault: Option<ServerFault>,
    pub(crate) requests: u64,
    /// Bytes of all requests.
    pub(crate) sent_bytes: u64,
    pub(crate) connections: u64,
    #[serde(flatten)]
    pub(crate) passed: ObservedCalls,
    /// Calls of receive functions, by the hook; none without a hook.
    #[serde(default)]
    pub(crate) receive_calls: Option<ReceiveCalls>,
    pub(crate) blind_spots: BTreeSet<BlindSpot>,
    /// Names of its processes.
    pub(crate) processes: BTreeSet<String>,
}

impl ProbeResult {
    /// Adds the counts of the hook between two readings of its telemetry.
    pub(super) fn count(&mut self, before: &HookTelemetry, after: &HookTelemetry) {
        let calls = |telemetry: &HookTelemetry| dataset::hook_coverage(&telemetry.counters).calls;
        let earlier = calls(before);
        let mut accepting = calls(after);
        accepting.retain(|function, _| function.starts_with("accept"));
        let sockets = after.counters.sockets_accepted - before.counters.sockets_accepted;
        // A server with one accepting function can wait in a call that it made before the first reading.
        let only = accepting.len() == 1;
        for (function, calls) in accepting {
            let calls = calls - earlier.get(&function).copied().unwrap_or(0);
            let connections = if only { sockets } else { calls };
            if connections > 0 {
                self.passed.accepts.insert(function, connections);
            }
        }
        let coverage = |telemetry: &HookTelemetry| dataset::hook_coverage(&telemetry.counters);
        let (before_requests, all) = (coverage(before).receive_calls(), coverage(after).receive_calls());
        self.receive_calls = Some(ReceiveCalls {
            before_requests,
            during_requests: all - before_requests,
            with_payload: after.counters.payload_receives - before.counters.payload_receives,
        });
        for record in after.records.iter().skip(before.records.len()) {
            let name = FUNCTIONS
                .get(usize::from(record.function))
                .copied()
                .unwrap_or("unknown");
            let carried: &mut PayloadCount = self.passed.received.entry(name.to_owned()).or_default();
            carried.calls += 1;
            carried.bytes += record.bytes.max(0).cast_unsigned();
        }
    }
}
