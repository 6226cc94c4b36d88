//! The evidence of observed servers.

use analysis::claims::{Evidence, Interval, MeasuredQuantity, Quantity};
use analysis::estimate;
use dataset::{ObservedServers, ServerKind};

/// The share of the payload of common servers that passes `accept` and `read`: the mean over servers with the t interval over
/// servers, cut to 0 to 1. The interval takes the servers as a random sample of all common servers, which is an
/// approximation. The evidence is empty with fewer than two servers.
#[must_use]
pub fn of_observed(observed: &ObservedServers) -> Evidence {
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
        MeasuredQuantity::new(
            experiment,
            run_id,
            condition,
            Quantity::PayloadByAcceptAndRead,
            interval,
        )
    });
    Evidence {
        measured: measured.into_iter().collect(),
        controls: Vec::new(),
    }
}
