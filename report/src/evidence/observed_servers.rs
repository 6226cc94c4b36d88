//! The evidence of observed servers.

use analysis::claims::{Evidence, Interval, IntervalTail, MeasuredQuantity, Quantity};
use analysis::mean_share;
use dataset::{ObservedServers, ServerKind};
use model::Manifest;

use super::recorded_by;

/// The share of the payload of common servers that passes `accept` and `read`: the mean over servers with the interval of
/// [`mean_share`]. The interval takes the servers as a random sample of all common servers, which is an approximation.
/// `manifest` is of the run in the same folder, whose machine observed the servers; the machine is unknown without one. The
/// evidence is empty with fewer than two servers.
#[must_use]
pub fn of_observed(observed: &ObservedServers, manifest: Option<&Manifest>) -> Evidence {
    let common = observed
        .servers
        .iter()
        .filter(|server| server.kind == ServerKind::Common);
    let shares: Vec<f64> = common.map(|server| server.accept_and_read_share).collect();
    let few = shares.len() < 2;
    let measured = mean_share(&shares).filter(|_| !few).map(|(value, ends)| {
        let ObservedServers {
            experiment,
            run_id,
            condition,
            ..
        } = observed;
        let measured = MeasuredQuantity::new(
            experiment,
            run_id,
            condition,
            Quantity::PayloadByAcceptAndRead,
            (Interval::new(value, ends), IntervalTail::share()),
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
