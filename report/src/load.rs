//! Stored rows to the samples that `analysis` takes, streamed: memory does not grow with the number of requests.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::figures::Thinned;
use analysis::ssp2023::Order;
use analysis::{ArmSamples, LaunchSamples, Times};
use anyhow::{Context, Result, bail};
use dataset::{LaunchRecord, LimitKind, ObservationReader, Run, Timings};
use rayon::prelude::*;

pub use crate::course::Course;
use crate::course::Following;
use crate::figures::COLUMNS;

/// A change of the clocks' difference that nobody would mistake for the noise of reading both, ns.
const CLOCK_SET_NS: i64 = 1_000;

/// The two recordings of one condition of the 2023 study, in the order of recording.
#[derive(Clone, Debug)]
pub struct StudyCondition {
    /// `docker`, `kind`, `eks-pod` or `eks-nodes`.
    pub condition: String,
    /// Response times of the unmodified program, ns.
    pub unmodified_ns: Vec<i64>,
    /// Response times of the hooked program, ns.
    pub hook_ns: Vec<i64>,
    /// When the recordings began.
    pub order: Order,
}

/// The imported 2023 recordings, in the study's order of conditions.
///
/// # Errors
/// When `directory` is not the imported study or a file of it is damaged.
pub fn study(directory: &Path) -> Result<Vec<StudyCondition>> {
    let run = Run::open(directory)?;
    let launches = run.manifest.launches.par_iter();
    launches.map(|launch| study_condition(&run, launch)).collect()
}

/// The first launch of each condition of a run, as far as its arms `unmodified` and `hook` are concerned: as much as the
/// study recorded of a condition.
///
/// # Errors
/// When a file is missing or damaged.
pub fn first_launches(run: &Run, (unmodified, hook): (&str, &str)) -> Result<Vec<StudyCondition>> {
    let mut launches: Vec<&LaunchRecord> = Vec::new();
    for launch in &run.manifest.launches {
        if !launches.iter().any(|known| known.condition == launch.condition) {
            launches.push(launch);
        }
    }
    let which = |arm: &str| match arm {
        name if name == unmodified => Some(0),
        name if name == hook => Some(1),
        _ => None,
    };
    launches
        .into_iter()
        .map(|launch| two_arms(run, launch, which))
        .collect()
}

fn study_condition(run: &Run, launch: &LaunchRecord) -> Result<StudyCondition> {
    two_arms(run, launch, |arm| Some(usize::from(arm != "unmodified")))
}

/// The RTTs of a launch's arms of which `which` says 0, unmodified, or 1, hooked.
fn two_arms(run: &Run, launch: &LaunchRecord, which: impl Fn(&str) -> Option<usize>) -> Result<StudyCondition> {
    let reader = reader(run, launch)?;
    let mut recordings = [Vec::new(), Vec::new()];
    let mut began_ns = [0, 0];
    let places: Vec<Option<usize>> = reader.header().arms.iter().map(|arm| which(arm)).collect();
    reader.for_each_timings(|rows| {
        let times = rows.user_send_ns.iter().zip(rtts_ns(rows));
        for ((arm, (send_ns, rtt_ns)), ok) in rows.arm.iter().zip(times).zip(&rows.ok) {
            if let Some(place) = places[usize::from(*arm)].filter(|_| *ok) {
                if recordings[place].is_empty() {
                    began_ns[place] = *send_ns;
                }
                recordings[place].push(rtt_ns);
            }
        }
    })?;
    let [unmodified_ns, hook_ns] = recordings;
    let [unmodified_unix_ns, hook_unix_ns] = began_ns;
    Ok(StudyCondition {
        condition: launch.condition.clone(),
        unmodified_ns,
        hook_ns,
        order: Order {
            unmodified_unix_ns,
            hook_unix_ns,
        },
    })
}

fn rtts_ns(rows: &Timings) -> impl Iterator<Item = i64> {
    let stamps = rows.user_receive_ns.iter().zip(&rows.user_send_ns);
    stamps.map(|(receive_ns, send_ns)| receive_ns - send_ns)
}

/// One pass over a run: the samples of every launch, and for each condition and arm the thinned sequence of RTTs in
/// microseconds of its first launch, warm-up included.
#[derive(Debug)]
pub struct RunSamples {
    /// One entry per launch.
    pub launches: Vec<LaunchSamples>,
    /// Condition to (arm, sequence) pairs.
    pub sequences: BTreeMap<String, Vec<(String, Thinned)>>,
    /// Per launch, in their order: how the first contrast's baseline went.
    pub courses: Vec<Course>,
}

impl RunSamples {
    /// The courses of a condition's launches, with the launches' numbers, in their order.
    pub(crate) fn courses_in(&self, condition: &str) -> impl Iterator<Item = (u32, &Course)> {
        let pairs = self.launches.iter().zip(&self.courses);
        pairs
            .filter(move |(launch, _)| launch.condition == condition)
            .map(|(launch, course)| (launch.launch, course))
    }
}

/// What one launch's file gives.
struct ReadLaunch {
    /// An arm's process was killed for want of memory.
    killed: bool,
    samples: LaunchSamples,
    course: Course,
    /// Empty where the launch is not drawn.
    sequences: Vec<(String, Thinned)>,
}

impl ReadLaunch {
    /// Whether an arm was killed for want of memory before its warm-up was over.
    fn is_useless(&self) -> bool {
        self.killed && self.samples.arms.values().any(|arm| arm.rtt.is_empty())
    }
}

/// Reads a run: launches on all processors, each of which holds one row group at a time, so that memory follows the number
/// of distinct times and not of requests. The launches of a condition stand together, in the order of the conditions; what
/// comes out does not depend on the number of processors.
///
/// # Errors
/// When a file is missing or damaged.
pub fn run_samples(run: &Run) -> Result<RunSamples> {
    let manifest = &run.manifest;
    let rank = |launch: &LaunchRecord| {
        let mut conditions = manifest.conditions.iter();
        conditions.position(|condition| condition.name == launch.condition)
    };
    let mut launches: Vec<&LaunchRecord> = manifest.launches.iter().collect();
    launches.sort_by_key(|launch| rank(launch));
    let is_first = |index: usize| index == 0 || launches[index - 1].condition != launches[index].condition;
    let read: Vec<ReadLaunch> = launches
        .par_iter()
        .enumerate()
        .map(|(index, launch)| read_launch(run, launch, is_first(index)))
        // Killed before it was ever measured: nothing can be compared with it.
        .filter(|read| !read.as_ref().is_ok_and(ReadLaunch::is_useless))
        .collect::<Result<_>>()?;
    let mut samples = RunSamples {
        launches: Vec::new(),
        sequences: BTreeMap::new(),
        courses: Vec::new(),
    };
    for launch in read {
        if !launch.sequences.is_empty() {
            let condition = launch.samples.condition.clone();
            samples.sequences.insert(condition, launch.sequences);
        }
        samples.launches.push(launch.samples);
        samples.courses.push(launch.course);
    }
    Ok(samples)
}

fn read_launch(run: &Run, launch: &LaunchRecord, drawn: bool) -> Result<ReadLaunch> {
    let reader = reader(run, launch)?;
    let names = &reader.header().arms;
    let mut arms: Vec<ArmSamples> = names.iter().map(|_| ArmSamples::default()).collect();
    let mut following = Following::new(run, launch, names);
    let mut thinned: Vec<Thinned> = Vec::new();
    if drawn {
        thinned.extend(names.iter().map(|_| Thinned::new(requests_per_arm(launch), COLUMNS)));
    }
    let offset_ns = kernel_minus_user_ns(launch);
    reader.for_each_timings(|rows| {
        for row in 0..rows.len() {
            let arm = usize::from(rows.arm[row]);
            collect(&mut arms[arm], rows, row, offset_ns);
            following.add(rows, row, names);
            if rows.ok[row]
                && let Some(thinned) = thinned.get_mut(arm)
            {
                let rtt_ns = rows.user_receive_ns[row] - rows.user_send_ns[row];
                thinned.push(u64::from(rows.sequence[row]), milliseconds(rtt_ns) * 1e3);
            }
        }
    })?;
    let mut sequences: Vec<(String, Thinned)> = names.iter().cloned().zip(thinned).collect();
    // By name, as arms are everywhere.
    sequences.sort_by(|one, other| one.0.cmp(&other.0));
    let mut hits = launch.limit_hits.iter().flatten();
    Ok(ReadLaunch {
        killed: hits.any(|hit| hit.kind == LimitKind::OomKill),
        samples: LaunchSamples {
            condition: launch.condition.clone(),
            launch: launch.launch,
            arms: names.iter().cloned().zip(arms).collect(),
        },
        course: following.finished(names),
        sequences,
    })
}

/// Nanoseconds to milliseconds, for drawing.
#[expect(clippy::cast_precision_loss, reason = "a drawing needs fewer digits than f64 has")]
pub fn milliseconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e6
}

fn requests_per_arm(launch: &LaunchRecord) -> u64 {
    launch
        .arms
        .iter()
        .map(|arm| arm.requests_sent)
        .max()
        .unwrap_or(1)
        .max(1)
}

fn collect(samples: &mut ArmSamples, rows: &Timings, row: usize, kernel_minus_user_ns: Option<i64>) {
    if rows.warm_up[row] {
        return;
    }
    if !rows.ok[row] {
        samples.errors += 1;
        return;
    }
    let send_ns = rows.user_send_ns[row];
    let kernel_ns = rows.kernel_ns[row];
    let sent_ns = kernel_ns.zip(kernel_minus_user_ns);
    samples.answered(Times {
        rtt_ns: rows.user_receive_ns[row] - send_ns,
        wire_ns: kernel_ns.map(|(tx_ns, rx_ns)| rx_ns - tx_ns),
        send_path_ns: sent_ns.map(|((tx_ns, _), offset_ns)| tx_ns - offset_ns - send_ns),
    });
}

/// By how much the kernel's clock is ahead of the user's; `None` where the prober does not say, or somebody set the clock
/// while it measured.
fn kernel_minus_user_ns(launch: &LaunchRecord) -> Option<i64> {
    let clocks = &launch.loadgen["clocks"];
    let steady = clocks["change_ns"].as_i64()?.abs() < CLOCK_SET_NS;
    clocks["kernel_minus_user_ns"].as_i64().filter(|_| steady)
}

fn reader(run: &Run, launch: &LaunchRecord) -> Result<ObservationReader> {
    let path = run.directory.join(&launch.file);
    let reader = ObservationReader::open(&path)
        .with_context(|| format!("launch {} of condition {}", launch.launch, launch.condition))?;
    if reader.rows() == 0 {
        bail!(
            "{} holds no observation; delete the run and measure again",
            path.display()
        );
    }
    Ok(reader)
}
