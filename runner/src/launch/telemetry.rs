//! Counters and records that a hook leaves in its telemetry file.

use anyhow::{Context as _, Result};
use model::TelemetrySummary;
use readhook_telemetry::{Counters, Record, View};

/// Counters and records of a hook.
pub(crate) struct HookTelemetry {
    pub(crate) counters: Counters,
    pub(crate) records: Vec<Record>,
    /// Summary of the records after the warm-up; none without any.
    pub(crate) summary: Option<TelemetrySummary>,
}

impl HookTelemetry {
    /// Reads a telemetry file. The records of the first `before` receives, which came before the measurement, are left out,
    /// and the others are numbered from 0. The summary leaves out the next `warm_up` records. Counters count everything.
    ///
    /// # Errors
    /// If the file is damaged.
    pub(crate) fn read(bytes: &[u8], before: u64, warm_up: u64) -> Result<Self> {
        let view = View::parse(bytes).context("the hook damaged its telemetry")?;
        let counters = view.counters();
        let measured = view.records().filter_map(|record| {
            let sequence = record.sequence.checked_sub(before)?;
            Some(Record { sequence, ..record })
        });
        let records: Vec<Record> = measured.collect();
        let settled: Vec<&Record> = records.iter().filter(|record| record.sequence >= warm_up).collect();
        let summary = summary(&settled, &counters);
        Ok(Self {
            counters,
            records,
            summary,
        })
    }
}

fn summary(records: &[&Record], counters: &Counters) -> Option<TelemetrySummary> {
    if records.is_empty() {
        return None;
    }
    let held = |record: &&Record| record.spun_ns.saturating_add(record.own_ns);
    let mut held_ns: Vec<u32> = records.iter().map(held).collect();
    let mut own_ns: Vec<u32> = records.iter().map(|record| record.own_ns).collect();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let mean = held_ns.iter().map(|&held| f64::from(held)).sum::<f64>() / held_ns.len() as f64;
    Some(TelemetrySummary {
        held_ns_median: median(&mut held_ns),
        held_ns_mean: mean,
        own_ns_median: median(&mut own_ns),
        records: records.len() as u64,
        dropped: counters.records_dropped,
    })
}

/// Returns the median of a list that is not empty.
pub(crate) fn median(values: &mut [u32]) -> f64 {
    values.sort_unstable();
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(f64::from(values[middle - 1]), f64::from(values[middle]))
    } else {
        f64::from(values[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_lies_between_the_two_in_the_middle() {
        assert!((median(&mut [5, 1, 3]) - 3.0).abs() < 1e-12);
        assert!((median(&mut [4, 1, 2, 9]) - 3.0).abs() < 1e-12);
    }
}
