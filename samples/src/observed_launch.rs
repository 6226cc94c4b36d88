//! One pass over the observations of one launch.

use std::path::Path;

use analysis::figures::Thinned;
use analysis::{ArmSamples, LaunchSamples, RequestTimes};
use dataset::{ObservationReader, Timings};
use model::{Arrivals, LaunchRecord};

use crate::error::SamplesError;
use crate::fold::{FoldSettings, rtt_ns, wire_ns};
use crate::launch_timeline::{LaunchTimeline, TimelineFold};
use crate::throughput::ThroughputFold;

/// Largest change, during a launch, of the difference of both clocks that can be noise of the readings, ns. A larger
/// change means that a clock was set.
const CLOCK_SET_NS: i64 = 1_000;

/// The observations of one launch, summarised.
#[derive(Debug)]
pub struct ObservedLaunch {
    /// The distributions of each arm.
    pub samples: LaunchSamples,
    /// The changes of wire times and RTTs during the launch.
    pub timeline: LaunchTimeline,
    /// The thinned sequence of round-trip times of each arm, µs, warm-up included, in the order of the arms' names.
    /// Empty unless a number of columns was given.
    pub sequences: Vec<(String, Thinned)>,
}

impl ObservedLaunch {
    /// Reads a file of observations of a launch, one row group at a time. `columns` is the number of columns to which the
    /// sequences are thinned; `None` leaves the sequences out.
    ///
    /// # Errors
    /// When the file is missing, damaged or empty.
    pub fn read(
        file: &Path,
        launch: &LaunchRecord,
        settings: &FoldSettings,
        columns: Option<usize>,
    ) -> Result<Self, SamplesError> {
        let mut reader = open(file, launch)?;
        let is_open = settings.arrivals.rate().is_some();
        if is_open {
            reader = reader.with_arrivals();
        }
        let mut throughput = ThroughputFold::default();
        let names = &reader.header().arms;
        let mut arms: Vec<ArmSamples> = names.iter().map(|_| ArmSamples::default()).collect();
        let mut timeline = TimelineFold::new(settings, names);
        let thinned = |columns| {
            names
                .iter()
                .map(move |_| Thinned::new(requests_per_arm(launch), columns))
        };
        let mut thinned: Vec<Thinned> = columns.into_iter().flat_map(thinned).collect();
        let offset_ns = kernel_minus_user_ns(launch);
        let read = reader.for_each_timings(|rows| {
            for row in 0..rows.len() {
                let arm = usize::from(rows.arm[row]);
                collect(&mut arms[arm], rows, row, offset_ns);
                if settings.arrivals == Arrivals::Saturated {
                    throughput.add(rows, row);
                }
                timeline.add(rows, row, names);
                if rows.answered[row]
                    && let Some(thinned) = thinned.get_mut(arm)
                {
                    thinned.push(u64::from(rows.sequence[row]), microseconds(rtt_ns(rows, row)));
                }
            }
        });
        read.map_err(in_launch(launch))?;
        for (arm, per_s) in throughput.finished() {
            arms[usize::from(arm)].throughput_per_s = Some(per_s);
        }
        let mut sequences: Vec<(String, Thinned)> = names.iter().cloned().zip(thinned).collect();
        sequences.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(Self {
            samples: LaunchSamples {
                condition: launch.condition.clone(),
                launch: launch.launch,
                arms: names.iter().cloned().zip(arms).collect(),
            },
            timeline: timeline.finished(names),
            sequences,
        })
    }
}

/// Opens a file of observations of a launch.
pub(crate) fn open(file: &Path, launch: &LaunchRecord) -> Result<ObservationReader, SamplesError> {
    let reader = ObservationReader::open(file).map_err(in_launch(launch))?;
    if reader.rows() == 0 {
        return Err(SamplesError::Empty(file.to_owned()));
    }
    Ok(reader)
}

pub(crate) fn in_launch(launch: &LaunchRecord) -> impl Fn(dataset::Error) -> SamplesError {
    |source| SamplesError::Launch {
        condition: launch.condition.clone(),
        launch: launch.launch,
        source,
    }
}

/// Nanoseconds to microseconds, for drawing.
#[expect(clippy::cast_precision_loss, reason = "a drawing needs fewer digits than f64 has")]
fn microseconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e3
}

fn requests_per_arm(launch: &LaunchRecord) -> u64 {
    let sent = launch.arms.iter().map(|arm| arm.requests_sent);
    sent.max().unwrap_or(1).max(1)
}

fn collect(samples: &mut ArmSamples, rows: &Timings, row: usize, kernel_minus_user_ns: Option<i64>) {
    if rows.warm_up[row] {
        return;
    }
    if !rows.answered[row] {
        samples.errors += 1;
        return;
    }
    let sent_ns = rows.kernel_ns[row].zip(kernel_minus_user_ns);
    samples.answered(RequestTimes {
        rtt_ns: rtt_ns(rows, row),
        wire_ns: wire_ns(rows, row),
        send_path_ns: sent_ns.map(|((tx_ns, _), offset_ns)| tx_ns - offset_ns - rows.user_send_ns[row]),
        sojourn_ns: rows
            .intended_arrival_ns
            .get(row)
            .map(|intended_ns| rows.user_receive_ns[row] - intended_ns),
    });
}

/// Returns the kernel's clock minus the user's clock, ns. `None` if the load generator did not measure it, or the clock
/// was set during the launch.
fn kernel_minus_user_ns(launch: &LaunchRecord) -> Option<i64> {
    let clocks = launch.loadgen.as_ref()?.clocks;
    (clocks.change_ns.abs() < CLOCK_SET_NS).then_some(clocks.kernel_minus_user_ns)
}
