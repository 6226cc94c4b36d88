//! The part of an arm's median wire time that the hook's time causes, from the hook's time in each request.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use dataset::ObservationReader;
use readhook_telemetry::Record;

use super::telemetry::median;

/// Returns, by arm, the median wire time minus the median of the wire times without the hook's time in the same request, ns.
/// `requests` has the number of requests of each arm whose requests came one at a time. An arm is left out if the hook did
/// not record one receive for each of its requests.
///
/// # Errors
/// If the observations cannot be read.
pub(crate) fn held_on_median(
    observations: &Path,
    calls: &[(usize, Record)],
    requests: &BTreeMap<usize, u64>,
) -> Result<BTreeMap<usize, f64>> {
    let mut held_ns: BTreeMap<usize, BTreeMap<u64, i64>> = BTreeMap::new();
    for (arm, call) in calls {
        let time_ns = i64::from(call.spun_ns) + i64::from(call.own_ns);
        held_ns.entry(*arm).or_default().insert(call.sequence, time_ns);
    }
    held_ns.retain(|arm, calls| requests.get(arm) == Some(&(calls.len() as u64)));
    // The wire times of each arm, with and without the hook's time.
    let mut times: BTreeMap<usize, (Vec<i64>, Vec<i64>)> = BTreeMap::new();
    if !held_ns.is_empty() {
        ObservationReader::open(observations)?.for_each_timings(|rows| {
            for row in (0..rows.len()).filter(|&row| rows.answered[row] && !rows.warm_up[row]) {
                let arm = usize::from(rows.arm[row]);
                let held_ns = held_ns
                    .get(&arm)
                    .and_then(|calls| calls.get(&u64::from(rows.sequence[row])));
                if let Some(((sent_ns, received_ns), held_ns)) = rows.kernel_ns[row].zip(held_ns) {
                    let (with, without) = times.entry(arm).or_default();
                    with.push(received_ns - sent_ns);
                    without.push(received_ns - sent_ns - held_ns);
                }
            }
        })?;
    }
    #[expect(clippy::cast_precision_loss, reason = "times far below 2^52 ns")]
    let median = |times: Vec<i64>| median(times.into_iter().map(|time_ns| time_ns as f64));
    let parts = times.into_iter().filter_map(|(arm, (with, without))| {
        let part_ns = median(with)? - median(without)?;
        Some((arm, part_ns))
    });
    Ok(parts.collect())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroI64;

    use dataset::{FileHeader, Observation, ObservationWriter, RequestOutcome};
    use readhook_telemetry::{Function, SearchVerdict};

    use super::*;

    /// A request of the only arm that took `wire_ns` between the kernel's stamps.
    fn request(sequence: u32, wire_ns: i64) -> Observation {
        Observation {
            round: sequence,
            position: 0,
            arm: 0,
            sequence,
            connection: 0,
            request: 0,
            step: None,
            load_level_permille: None,
            block: None,
            intended_arrival_ns: 0,
            user_send_ns: 0,
            kernel_tx_ns: NonZeroI64::new(1_000),
            kernel_rx_ns: NonZeroI64::new(1_000 + wire_ns),
            user_receive_ns: 10,
            outcome: RequestOutcome::Answered,
            http_status: 200,
            bytes: 0,
            warm_up: false,
        }
    }

    fn call(sequence: u64, spun_ns: u32) -> (usize, Record) {
        (
            0,
            Record {
                sequence,
                start_ns: 0,
                real_ns: 0,
                own_ns: 40,
                spun_ns,
                bytes: 1,
                fd: 3,
                thread: 0,
                function: Function::Recv as u8,
                verdict: SearchVerdict::None as u8,
            },
        )
    }

    #[test]
    fn few_long_waits_move_the_median_wire_time_and_not_the_median_wait() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("observations.parquet");
        let header = FileHeader {
            run: "made-up".to_owned(),
            condition: "local-pod".to_owned(),
            launch: 0,
            arms: vec!["delay".to_owned()],
        };
        // Without the hook: 10,000, 10,100 … 10,900 ns. The hook holds the first four for 20,000 ns, the others for 0.
        let waits = |sequence: u32| if sequence < 4 { 20_000 } else { 0 };
        let base_ns = |sequence: u32| 10_000 + 100 * i64::from(sequence);
        let rows: Vec<Observation> = (0..10)
            .map(|sequence| request(sequence, base_ns(sequence) + i64::from(waits(sequence)) + 40))
            .collect();
        let mut writer = ObservationWriter::create(&file, header).unwrap();
        writer.write(&rows).unwrap();
        writer.finish().unwrap();
        let calls: Vec<(usize, Record)> = (0..10).map(|number| call(number.into(), waits(number))).collect();
        let found = held_on_median(&file, &calls, &BTreeMap::from([(0, 10)])).unwrap();
        // The median wire time is (10,800 + 10,900) / 2 + 40 ns, without the hook (10,400 + 10,500) / 2 ns.
        assert_eq!(found, BTreeMap::from([(0, 440.0)]));
        // A record that is missing leaves the arm out, because its time belongs to no known request.
        assert!(
            held_on_median(&file, &calls[1..], &BTreeMap::from([(0, 10)]))
                .unwrap()
                .is_empty()
        );
        assert!(held_on_median(&file, &calls, &BTreeMap::new()).unwrap().is_empty());
    }
}
