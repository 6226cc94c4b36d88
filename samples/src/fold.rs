//! Settings of the pass over the rows of a launch, and the times of a row.

use dataset::Timings;
use model::{Arrivals, Experiment, Manifest, Schedule};

/// Number of rounds of a segment in a run that was imported from the recordings of others.
const IMPORTED_SEGMENT_ROUNDS: u64 = 1_000;

/// The properties of the experiment on which the pass over the rows depends.
#[derive(Clone, Debug)]
pub struct FoldSettings {
    /// The arm whose timeline is kept: the baseline of the first contrast. `None` without a contrast.
    pub subject: Option<String>,
    /// True if each round sends one request to each arm.
    pub interleaved: bool,
    /// Number of rounds of a segment; at least 1.
    pub segment_rounds: u64,
    /// Times of the requests.
    pub arrivals: Arrivals,
}

impl FoldSettings {
    /// The settings of a recorded run.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        let imported = || Self {
            subject: None,
            interleaved: false,
            segment_rounds: IMPORTED_SEGMENT_ROUNDS,
            arrivals: Arrivals::Closed,
        };
        manifest.plan.as_ref().map_or_else(imported, Self::from)
    }
}

impl From<&Experiment> for FoldSettings {
    fn from(experiment: &Experiment) -> Self {
        Self {
            subject: experiment.contrasts.first().map(|contrast| contrast.baseline.clone()),
            interleaved: experiment.load.schedule == Schedule::Interleaved,
            segment_rounds: experiment.load.segment_rounds.max(1),
            arrivals: experiment.load.arrivals,
        }
    }
}

/// The round-trip time of a row, ns.
pub(crate) fn rtt_ns(rows: &Timings, row: usize) -> i64 {
    rows.user_receive_ns[row] - rows.user_send_ns[row]
}

/// The wire time of a row, ns; `None` without both stamps.
pub(crate) fn wire_ns(rows: &Timings, row: usize) -> Option<i64> {
    rows.kernel_ns[row].map(|(tx_ns, rx_ns)| rx_ns - tx_ns)
}
