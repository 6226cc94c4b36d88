//! How a launch went, followed while its observations are read.

use std::collections::BTreeMap;

use analysis::stats::serial::Neighbours;
use analysis::{OrderSamples, SegmentMedians, Turn};
use dataset::{LaunchRecord, Run, Timings};

/// How the requests of a launch went.
#[derive(Debug)]
pub struct Course {
    /// The wire times of the first contrast's baseline by what came before. Empty where rounds do not go to all arms in turn.
    pub order: OrderSamples,
    /// Rounds of a segment.
    pub segment_rounds: u64,
    /// Its median RTT by segment, ns, warm-up included.
    pub segment_medians_ns: Vec<f64>,
    /// How its successive RTTs resemble each other, warm-up left out.
    pub neighbours: Neighbours,
    /// Of every arm, segments with their median wire time, or RTT where there are no stamps, ns, warm-up left out.
    pub arms: BTreeMap<String, Vec<(u64, f64)>>,
}

impl Course {
    /// Median of `arm` minus median of `baseline`, ns, of each segment that both have.
    pub(crate) fn differences(&self, baseline: &str, arm: &str) -> Vec<f64> {
        let (Some(baseline), Some(arm)) = (self.arms.get(baseline), self.arms.get(arm)) else {
            return Vec::new();
        };
        let baseline: BTreeMap<u64, f64> = baseline.iter().copied().collect();
        let pairs = arm
            .iter()
            .filter_map(|(segment, median)| Some(median - baseline.get(segment)?));
        pairs.collect()
    }
}

/// A course while its launch is read.
pub(crate) struct Following {
    /// The arm, and how many arms take turns; 0 where they do not.
    subject: Option<u16>,
    arms_in_turn: u32,
    segment_rounds: u64,
    /// Which arm the request before went to; none before the first.
    previous: Option<u16>,
    order: OrderSamples,
    segments: SegmentMedians,
    neighbours: Neighbours,
    /// By arm.
    arms: Vec<SegmentMedians>,
    /// Whether wire times are taken: the first request after warm-up decides.
    stamped: Option<bool>,
}

impl Following {
    pub(crate) fn new(run: &Run, launch: &LaunchRecord, names: &[String]) -> Self {
        let plan = &run.manifest.plan;
        let in_turn = plan["load"]["schedule"] == "interleaved" && launch.arms.len() > 1;
        let subject = plan["contrasts"][0]["baseline"].as_str();
        let subject = names.iter().position(|name| Some(name.as_str()) == subject);
        Self {
            subject: subject.and_then(|index| u16::try_from(index).ok()),
            arms_in_turn: if in_turn {
                u32::try_from(launch.arms.len()).unwrap_or(0)
            } else {
                0
            },
            segment_rounds: plan["load"]["segment_rounds"].as_u64().unwrap_or(1_000).max(1),
            previous: None,
            order: OrderSamples::default(),
            segments: SegmentMedians::default(),
            neighbours: Neighbours::default(),
            arms: vec![SegmentMedians::default(); names.len()],
            stamped: None,
        }
    }

    pub(crate) fn add(&mut self, rows: &Timings, row: usize, names: &[String]) {
        let arm = rows.arm[row];
        if rows.ok[row] {
            let segment = u64::from(rows.round[row]) / self.segment_rounds;
            let rtt_ns = rows.user_receive_ns[row] - rows.user_send_ns[row];
            let wire_ns = rows.kernel_ns[row].map(|(tx_ns, rx_ns)| rx_ns - tx_ns);
            if !rows.warm_up[row] {
                let stamped = *self.stamped.get_or_insert(wire_ns.is_some());
                if let Some(time_ns) = if stamped { wire_ns } else { Some(rtt_ns) } {
                    self.arms[usize::from(arm)].add(segment, time_ns);
                }
            }
            if Some(arm) == self.subject {
                self.segments.add(segment, rtt_ns);
                if !rows.warm_up[row] {
                    self.neighbours.push(segment, rtt_ns);
                }
                if let Some((wire_ns, previous)) = wire_ns.zip(self.previous)
                    && self.arms_in_turn > 0
                    && !rows.warm_up[row]
                {
                    self.order
                        .add(&names[usize::from(previous)], self.turn(rows.position[row]), wire_ns);
                }
            }
        }
        self.previous = Some(arm);
    }

    fn turn(&self, position: u32) -> Turn {
        match position {
            0 => Turn::First,
            position if position + 1 == self.arms_in_turn => Turn::Last,
            _ => Turn::Middle,
        }
    }

    pub(crate) fn finished(self, names: &[String]) -> Course {
        let arms = self.arms.into_iter().map(SegmentMedians::by_segment);
        Course {
            segment_rounds: self.segment_rounds,
            order: self.order,
            segment_medians_ns: self.segments.medians(),
            neighbours: self.neighbours,
            arms: names.iter().cloned().zip(arms).collect(),
        }
    }
}
