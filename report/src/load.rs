//! Stored rows to the samples that `analysis` takes, streamed: memory does not grow with the number of requests.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::figures::Thinned;
use analysis::{ArmSamples, LaunchSamples, OrderSamples, SegmentMedians, Times, Turn};
use anyhow::{Context, Result, bail};
use dataset::{LaunchRecord, Observation, ObservationReader, Run, Status};

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
}

/// The imported 2023 recordings, in the study's order of conditions.
///
/// # Errors
/// When `directory` is not the imported study or a file of it is damaged.
pub fn study(directory: &Path) -> Result<Vec<StudyCondition>> {
    let run = Run::open(directory)?;
    run.manifest
        .launches
        .iter()
        .map(|launch| {
            let mut condition = StudyCondition {
                condition: launch.condition.clone(),
                unmodified_ns: Vec::new(),
                hook_ns: Vec::new(),
            };
            for_each_observation(&run, launch, |arm, observation| match arm {
                "unmodified" => condition.unmodified_ns.push(observation.rtt_ns()),
                _ => condition.hook_ns.push(observation.rtt_ns()),
            })?;
            Ok(condition)
        })
        .collect()
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

/// How one arm's requests went over a launch.
#[derive(Debug)]
pub struct Course {
    /// Its wire times by what came before. Empty where rounds do not go to all arms in turn.
    pub order: OrderSamples,
    /// Rounds of a segment.
    pub segment_rounds: u64,
    /// Its median RTT by segment, ns, warm-up included.
    pub segment_medians_ns: Vec<f64>,
}

/// A course while its launch is read.
struct Following {
    /// The arm, and how many arms take turns; 0 where they do not.
    subject: String,
    arms_in_turn: usize,
    segment_rounds: u64,
    /// Which arm the request before went to; empty before the first.
    previous: String,
    order: OrderSamples,
    segments: SegmentMedians,
}

impl Following {
    fn new(run: &Run, launch: &LaunchRecord) -> Self {
        let plan = &run.manifest.plan;
        let in_turn = plan["load"]["schedule"] == "interleaved" && launch.arms.len() > 1;
        Self {
            subject: plan["contrasts"][0]["baseline"].as_str().unwrap_or_default().to_owned(),
            arms_in_turn: if in_turn { launch.arms.len() } else { 0 },
            segment_rounds: plan["load"]["segment_rounds"].as_u64().unwrap_or(1_000).max(1),
            previous: String::new(),
            order: OrderSamples::default(),
            segments: SegmentMedians::default(),
        }
    }

    fn add(&mut self, arm: &str, observation: &Observation) {
        if arm == self.subject && observation.status == Status::Ok {
            let segment = u64::from(observation.round) / self.segment_rounds;
            self.segments.add(segment, observation.rtt_ns());
            self.add_in_turn(observation);
        }
        self.previous.clear();
        self.previous.push_str(arm);
    }

    fn finished(self) -> Course {
        Course {
            segment_rounds: self.segment_rounds,
            order: self.order,
            segment_medians_ns: self.segments.medians(),
        }
    }

    fn add_in_turn(&mut self, observation: &Observation) {
        let Some(wire_ns) = observation.wire_ns() else { return };
        if self.arms_in_turn == 0 || observation.warm_up || self.previous.is_empty() {
            return;
        }
        let turn = match usize::from(observation.position) {
            0 => Turn::First,
            position if position + 1 == self.arms_in_turn => Turn::Last,
            _ => Turn::Middle,
        };
        self.order.add(&self.previous, turn, wire_ns);
    }
}

/// Reads a run.
///
/// # Errors
/// When a file is missing, damaged, or names an arm that the manifest does not.
pub fn run_samples(run: &Run) -> Result<RunSamples> {
    let mut launches = Vec::new();
    let mut courses = Vec::new();
    let mut sequences: BTreeMap<String, Vec<(String, Thinned)>> = BTreeMap::new();
    for launch in &run.manifest.launches {
        let first = !sequences.contains_key(&launch.condition);
        let mut arms: BTreeMap<String, ArmSamples> = launch
            .arms
            .iter()
            .map(|arm| (arm.arm.clone(), ArmSamples::default()))
            .collect();
        let mut thinned: BTreeMap<String, Thinned> = BTreeMap::new();
        let mut following = Following::new(run, launch);
        let offset_ns = kernel_minus_user_ns(launch);
        for_each_observation(run, launch, |arm, observation| {
            if let Some(samples) = arms.get_mut(arm) {
                collect(samples, observation, offset_ns);
            }
            following.add(arm, observation);
            if first && observation.status == Status::Ok {
                let rounds = requests_per_arm(launch);
                thinned
                    .entry(arm.to_owned())
                    .or_insert_with(|| Thinned::new(rounds, COLUMNS))
                    .push(
                        u64::from(observation.sequence),
                        milliseconds(observation.rtt_ns()) * 1e3,
                    );
            }
        })?;
        if first {
            sequences.insert(launch.condition.clone(), thinned.into_iter().collect());
        }
        courses.push(following.finished());
        launches.push(LaunchSamples {
            condition: launch.condition.clone(),
            launch: launch.launch,
            arms,
        });
    }
    Ok(RunSamples {
        launches,
        sequences,
        courses,
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

fn collect(samples: &mut ArmSamples, observation: &Observation, kernel_minus_user_ns: Option<i64>) {
    if observation.warm_up {
        return;
    }
    if observation.status != Status::Ok {
        samples.errors += 1;
        return;
    }
    let sent_ns = observation.kernel_tx_ns.zip(kernel_minus_user_ns);
    samples.answered(Times {
        rtt_ns: observation.rtt_ns(),
        wire_ns: observation.wire_ns(),
        send_path_ns: sent_ns.map(|(tx_ns, offset_ns)| tx_ns.get() - offset_ns - observation.user_send_ns),
    });
}

/// By how much the kernel's clock is ahead of the user's; `None` where the prober does not say, or somebody set the clock
/// while it measured.
fn kernel_minus_user_ns(launch: &LaunchRecord) -> Option<i64> {
    let clocks = &launch.loadgen["clocks"];
    let steady = clocks["change_ns"].as_i64()?.abs() < CLOCK_SET_NS;
    clocks["kernel_minus_user_ns"].as_i64().filter(|_| steady)
}

fn for_each_observation(run: &Run, launch: &LaunchRecord, mut visit: impl FnMut(&str, &Observation)) -> Result<()> {
    let path = run.directory.join(&launch.file);
    let reader = ObservationReader::open(&path)
        .with_context(|| format!("launch {} of condition {}", launch.launch, launch.condition))?;
    let arms = reader.header().arms.clone();
    if reader.rows() == 0 {
        bail!(
            "{} holds no observation; delete the run and measure again",
            path.display()
        );
    }
    reader.for_each(|observation| {
        if let Some(arm) = arms.get(usize::from(observation.arm)) {
            visit(arm, observation);
        }
    })?;
    Ok(())
}
