//! The changes of wire times and RTTs during a launch.

use std::collections::BTreeMap;

use analysis::stats::serial::Neighbours;
use analysis::{OrderSamples, SegmentMedians, Turn};
use dataset::Timings;

use crate::fold::{FoldSettings, rtt_ns, wire_ns};

/// The times of one launch in their order. The *subject* is the baseline of the first contrast.
#[derive(Clone, Debug)]
pub struct LaunchTimeline {
    /// The wire times of the subject, grouped by the arm of the preceding request and by the position in the round,
    /// without warm-up. Empty if a round does not send to all arms in turn.
    pub order: OrderSamples,
    /// Number of rounds of a segment.
    pub segment_rounds: u64,
    /// Median RTT of the subject by segment, ns, warm-up included.
    pub segment_medians_ns: Vec<f64>,
    /// Serial correlation of the subject's RTTs, warm-up left out.
    pub neighbours: Neighbours,
    /// For each arm, the number of each segment and its median time, ns, without warm-up. The time is the wire time,
    /// or the RTT if there are no kernel stamps.
    pub arms: BTreeMap<String, Vec<(u64, f64)>>,
}

impl LaunchTimeline {
    /// The median of `arm` minus the median of `baseline`, ns, for each segment that both have.
    #[must_use]
    pub fn differences(&self, baseline: &str, arm: &str) -> Vec<f64> {
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

/// A timeline while its launch is read.
pub(crate) struct TimelineFold {
    /// The index of the subject.
    subject: Option<u16>,
    /// Number of arms in a round; 0 if a round does not send to all arms in turn.
    arms_in_turn: usize,
    segment_rounds: u64,
    /// The arm of the preceding request; `None` before the first.
    previous: Option<u16>,
    order: OrderSamples,
    segments: SegmentMedians,
    neighbours: Neighbours,
    /// The medians of each arm's segments.
    arms: Vec<SegmentMedians>,
    /// Whether wire times are taken. The first request after the warm-up decides.
    stamped: Option<bool>,
}

impl TimelineFold {
    pub(crate) fn new(settings: &FoldSettings, names: &[String]) -> Self {
        let subject = settings.subject.as_ref();
        let subject = subject.and_then(|subject| names.iter().position(|name| name == subject));
        Self {
            subject: subject.and_then(|index| u16::try_from(index).ok()),
            arms_in_turn: if settings.interleaved && names.len() > 1 {
                names.len()
            } else {
                0
            },
            segment_rounds: settings.segment_rounds.max(1),
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
        let previous = self.previous.replace(arm);
        if !rows.answered[row] {
            return;
        }
        let segment = u64::from(rows.round[row]) / self.segment_rounds;
        let (rtt_ns, wire_ns) = (rtt_ns(rows, row), wire_ns(rows, row));
        let is_subject = Some(arm) == self.subject;
        if is_subject {
            self.segments.add(segment, rtt_ns);
        }
        if rows.warm_up[row] {
            return;
        }
        let stamped = *self.stamped.get_or_insert(wire_ns.is_some());
        if let Some(time_ns) = if stamped { wire_ns } else { Some(rtt_ns) } {
            self.arms[usize::from(arm)].add(segment, time_ns);
        }
        if is_subject {
            self.neighbours.push(segment, rtt_ns);
            if let Some((wire_ns, previous)) = wire_ns.zip(previous)
                && self.arms_in_turn > 0
            {
                let turn = self.turn(rows.position[row]);
                self.order.add(&names[usize::from(previous)], turn, wire_ns);
            }
        }
    }

    fn turn(&self, position: u32) -> Turn {
        match position as usize {
            0 => Turn::First,
            position if position + 1 == self.arms_in_turn => Turn::Last,
            _ => Turn::Middle,
        }
    }

    pub(crate) fn finished(self, names: &[String]) -> LaunchTimeline {
        let arms = self.arms.into_iter().map(SegmentMedians::by_segment);
        LaunchTimeline {
            segment_rounds: self.segment_rounds,
            order: self.order,
            segment_medians_ns: self.segments.medians(),
            neighbours: self.neighbours,
            arms: names.iter().cloned().zip(arms).collect(),
        }
    }
}
