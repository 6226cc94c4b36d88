//! From servers that were observed.

use analysis::claims::{Evidence, Interval, MeasuredQuantity, Provenance, Quantity};
use analysis::estimate;
use dataset::{ObservedServers, ServerKind};

/// The share of the payload of common servers that a hook of `accept` and `read` alone sees: the mean over servers, each
/// counting once, with the t interval over servers, cut to what a share can be. It takes the servers as a sample of all that
/// are common, which a handful is only roughly. Nothing below two servers.
#[must_use]
pub fn of_observed(observed: &ObservedServers) -> Evidence {
    let common = observed
        .servers
        .iter()
        .filter(|server| server.kind == ServerKind::Common);
    let shares: Vec<f64> = common.map(|server| server.accept_and_read_share).collect();
    let measured = estimate(&shares).ok().map(|mean| {
        let (low, high) = mean.confidence_interval;
        MeasuredQuantity {
            experiment: observed.experiment.clone(),
            run: observed.run_id.clone(),
            source: None,
            launches: None,
            quantity: Quantity::PayloadByAcceptAndRead,
            condition: observed.condition.clone(),
            reference: None,
            provenance: Provenance::of(&observed.condition),
            unit: Quantity::PayloadByAcceptAndRead.unit(),
            interval: Interval::new(mean.value, (low.max(0.0), high.min(1.0))),
            without_flagged: None,
            limits_hit: Vec::new(),
        }
    });
    Evidence {
        measured: measured.into_iter().collect(),
        controls: Vec::new(),
    }
}
