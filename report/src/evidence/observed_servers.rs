//! The evidence of observed servers.

use analysis::claims::{Evidence, Interval, IntervalTail, MeasuredQuantity, Quantity};
use analysis::estimate;
use dataset::{ObservedServers, ServerKind};
use model::Manifest;

use super::recorded_by;

/// The share of the payload of common servers that passes `accept` and `read`: the mean over servers with the t interval over
/// servers, cut to 0 to 1. The interval takes the servers as a random sample of all common servers, which is an
/// approximation. `manifest` is of the run in the same folder, whose machine observed the servers; the machine is unknown without
/// one. The evidence is empty with fewer than two servers.
#[must_use]
pub fn of_observed(observed: &ObservedServers, manifest: Option<&Manifest>) -> Evidence {
    let common = observed
        .servers
        .iter()
        .filter(|server| server.kind == ServerKind::Common);
    let shares: Vec<f64> = common.map(|server| server.accept_and_read_share).collect();
    let measured = estimate(&shares).ok().map(|mean| {
        let (low, high) = mean.confidence_interval;
        let ObservedServers {
            experiment,
            run_id,
            condition,
            ..
        } = observed;
        let interval = Interval::new(mean.value, (low.max(0.0), high.min(1.0)));
        let measured = MeasuredQuantity::new(
            experiment,
            run_id,
            condition,
            Quantity::PayloadByAcceptAndRead,
            (interval, IntervalTail::share()),
        );
        match manifest {
            Some(manifest) => recorded_by(manifest, measured),
            None => measured,
        }
    });
    Evidence {
        measured: measured.into_iter().collect(),
        controls: Vec::new(),
    }
}
