//! The throughput of each arm of a launch in which every connection had a request in progress.

use std::collections::BTreeMap;

use dataset::Timings;

/// The requests to one arm before requests go to another arm.
struct ArmStay {
    arm: u16,
    requests: u64,
    begun_ns: i64,
    ended_ns: i64,
}

/// The sums over the stays of each arm, while a launch is read.
#[derive(Default)]
pub(crate) struct ThroughputFold {
    stay: Option<ArmStay>,
    /// Answered requests and the time of their stays, ns, by the index of the arm.
    sums: BTreeMap<u16, (u64, i64)>,
}

impl ThroughputFold {
    /// Adds a row. Rows have the order in which requests ended. Requests to two arms are never in progress at the same time. A
    /// stay begins with its first send stamp, and ends with its last receive stamp; warm-up is left out.
    pub(crate) fn add(&mut self, rows: &Timings, row: usize) {
        let arm = rows.arm[row];
        if rows.warm_up[row] || self.stay.as_ref().is_some_and(|stay| stay.arm != arm) {
            self.end_stay();
        }
        if rows.warm_up[row] {
            return;
        }
        let (send_ns, receive_ns) = (rows.user_send_ns[row], rows.user_receive_ns[row]);
        let stay = self.stay.get_or_insert(ArmStay {
            arm,
            requests: 0,
            begun_ns: send_ns,
            ended_ns: receive_ns,
        });
        stay.requests += u64::from(rows.answered[row]);
        stay.begun_ns = stay.begun_ns.min(send_ns);
        stay.ended_ns = stay.ended_ns.max(receive_ns);
    }

    fn end_stay(&mut self) {
        if let Some(stay) = self.stay.take() {
            let (requests, time_ns) = self.sums.entry(stay.arm).or_default();
            *requests += stay.requests;
            *time_ns += stay.ended_ns - stay.begun_ns;
        }
    }

    /// The requests a second of each arm, by its index.
    #[expect(clippy::cast_precision_loss, reason = "counts and times of one launch")]
    pub(crate) fn finished(mut self) -> BTreeMap<u16, f64> {
        self.end_stay();
        let measured = self.sums.into_iter().filter(|(_, (_, time_ns))| *time_ns > 0);
        measured
            .map(|(arm, (requests, time_ns))| (arm, requests as f64 * 1e9 / time_ns as f64))
            .collect()
    }
}
