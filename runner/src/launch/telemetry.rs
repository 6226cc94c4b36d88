//! Counters and records that a hook leaves in its telemetry file.

use anyhow::{Context as _, Result};
use model::TelemetrySummary;
use readhook_telemetry::{Counters, LayoutError, Record, View};

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
        let (counters, records) = read(bytes, before).context("the hook damaged its telemetry")?;
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
    let held = |record: &&Record| f64::from(record.spun_ns.saturating_add(record.own_ns));
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let count = records.len() as f64;
    Some(TelemetrySummary {
        held_ns_median: median(records.iter().map(held))?,
        held_ns_on_median: None,
        held_ns_mean: records.iter().map(held).sum::<f64>() / count,
        own_ns_median: median(records.iter().map(|record| f64::from(record.own_ns)))?,
        records: records.len() as u64,
        dropped: counters.records_dropped,
    })
}

/// Reads the counters and records of a file. The first `before` records are left out, and the others are numbered from 0.
///
/// # Errors
/// If the file is damaged.
pub(super) fn read(bytes: &[u8], before: u64) -> Result<(Counters, Vec<Record>), LayoutError> {
    let view = View::parse(bytes)?;
    let measured = view.records().filter_map(|record| {
        let sequence = record.sequence.checked_sub(before)?;
        Some(Record { sequence, ..record })
    });
    Ok((view.counters(), measured.collect()))
}

/// Returns the median of values; none without values.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some(f64::midpoint(values[low], values[high]))
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_values() {
        assert_eq!(median([5.0, 1.0, 3.0].into_iter()), Some(3.0));
        assert_eq!(median([4.0, 1.0, 2.0, 9.0].into_iter()), Some(3.0));
        assert_eq!(median([].into_iter()), None);
    }
}
