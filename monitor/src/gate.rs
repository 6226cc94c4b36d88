//! The validity gate: whether a limit was hit between the first and the last sample.

use std::collections::BTreeMap;

use dataset::{Measure, ResourceSample, Subject};
use model::{LimitHit, LimitKind};

/// What the samples of one subject, in the order of time, come to.
struct Course<'a>(Vec<&'a ResourceSample>);

impl Course<'_> {
    /// By how much a count has grown, 0 where there is none.
    fn growth(&self, measure: Measure) -> i64 {
        let mut values = self.0.iter().filter_map(|sample| sample.usage[measure]);
        let first = values.next();
        first.zip(values.next_back()).map_or(0, |(first, last)| last - first)
    }

    /// How many samples have a value of at least that of a limit in the same sample; and the last such limit.
    fn at_limit(&self, measure: Measure, limit: Measure) -> Option<(usize, i64)> {
        let reached: Vec<i64> = self
            .0
            .iter()
            .filter_map(|sample| {
                let limit = sample.usage[limit]?;
                (sample.usage[measure]? >= limit).then_some(limit)
            })
            .collect();
        reached.last().map(|limit| (reached.len(), *limit))
    }

    fn limit(&self) -> String {
        let limit = self
            .0
            .iter()
            .rev()
            .find_map(|sample| sample.usage[Measure::MemoryLimitBytes]);
        limit.map_or_else(
            || "no limit of its own".to_owned(),
            |bytes| format!("a limit of {bytes} bytes"),
        )
    }
}

/// Every limit that was hit by a server or the prober; a machine has none, and what it
/// kills may be nobody's here; a neighbour's limit is its dose. A launch with such a hit is measured, kept and flagged.
#[must_use]
pub fn limit_hits(samples: &[ResourceSample]) -> Vec<LimitHit> {
    let mut courses: BTreeMap<&Subject, Course<'_>> = BTreeMap::new();
    let limited = |sample: &&ResourceSample| !matches!(sample.subject, Subject::Node(_) | Subject::Neighbour);
    for sample in samples.iter().filter(limited) {
        courses
            .entry(&sample.subject)
            .or_insert_with(|| Course(Vec::new()))
            .0
            .push(sample);
    }
    courses
        .into_iter()
        .flat_map(|(subject, course)| hits(subject, &course))
        .collect()
}

fn hits(subject: &Subject, course: &Course<'_>) -> Vec<LimitHit> {
    let mut found = Vec::new();
    let mut add = |kind, what: String| {
        found.push(LimitHit {
            subject: subject.name().to_owned(),
            kind,
            what,
        });
    };
    let throttled = course.growth(Measure::ThrottledPeriods);
    if throttled > 0 {
        add(
            LimitKind::Throttled,
            format!(
                "throttled in {throttled} of {} periods, for {:.1} ms",
                course.growth(Measure::Periods),
                nanoseconds(course.growth(Measure::ThrottledNs)) / 1e6
            ),
        );
    }
    let refused = course.growth(Measure::MemoryLimitHits);
    let full = course.at_limit(Measure::MemoryBytes, Measure::MemoryLimitBytes);
    if refused > 0 || full.is_some() {
        add(
            LimitKind::Memory,
            format!(
                "wanted more memory than it may have {refused} times, under {}",
                course.limit()
            ),
        );
    }
    let killed = course.growth(Measure::OomKills);
    if killed > 0 {
        add(
            LimitKind::OomKill,
            format!(
                "{killed} processes were killed for want of memory, under {}",
                course.limit()
            ),
        );
    }
    if let Some((samples, limit)) = course.at_limit(Measure::FileDescriptors, Measure::FileDescriptorLimit) {
        add(
            LimitKind::FileDescriptors,
            format!("all of {limit} descriptors were open in {samples} samples"),
        );
    }
    found
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn nanoseconds(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataset::Usage;

    fn sample(subject: &Subject, values: &[(Measure, i64)]) -> ResourceSample {
        let mut usage = Usage::default();
        for (measure, value) in values {
            usage[*measure] = Some(*value);
        }
        ResourceSample {
            time_ns: 0,
            subject: subject.clone(),
            usage,
        }
    }

    fn kinds(subject: &Subject, course: &[&[(Measure, i64)]]) -> Vec<LimitKind> {
        let samples: Vec<_> = course.iter().map(|values| sample(subject, values)).collect();
        limit_hits(&samples).into_iter().map(|hit| hit.kind).collect()
    }

    #[test]
    fn only_what_grows_while_it_is_measured_counts() {
        let arm = Subject::Arm("scan".to_owned());
        let throttled = |periods| [(Measure::Periods, 100), (Measure::ThrottledPeriods, periods)];
        assert_eq!(kinds(&arm, &[&throttled(7), &throttled(7), &throttled(7)]), []);
        assert_eq!(
            kinds(&arm, &[&throttled(7), &throttled(8), &throttled(8)]),
            [LimitKind::Throttled]
        );
        assert_eq!(kinds(&arm, &[&[], &[]]), []);
        // One sample shows no growth.
        assert_eq!(kinds(&arm, &[&throttled(7)]), []);
    }

    #[test]
    fn a_kill_and_a_full_group_are_told_apart() {
        let arm = Subject::Arm("scan".to_owned());
        let memory = |bytes, hits, kills| {
            [
                (Measure::MemoryBytes, bytes),
                (Measure::MemoryLimitBytes, 4_096),
                (Measure::MemoryLimitHits, hits),
                (Measure::OomKills, kills),
            ]
        };
        assert_eq!(kinds(&arm, &[&memory(100, 0, 0), &memory(4_095, 0, 0)]), []);
        assert_eq!(
            kinds(&arm, &[&memory(100, 0, 0), &memory(4_096, 0, 0), &memory(100, 0, 0)]),
            [LimitKind::Memory]
        );
        assert_eq!(
            kinds(&arm, &[&memory(100, 0, 0), &memory(100, 9, 0)]),
            [LimitKind::Memory]
        );
        assert_eq!(
            kinds(&arm, &[&memory(100, 0, 0), &memory(0, 3, 1)]),
            [LimitKind::Memory, LimitKind::OomKill]
        );
        // A machine whose memory is all in use is no server at its limit; whom it kills may be nobody's here.
        let node = Subject::Node("node".to_owned());
        assert_eq!(kinds(&node, &[&memory(4_096, 0, 4), &memory(4_096, 0, 5)]), []);
    }

    #[test]
    fn all_descriptors_open_is_a_hit() {
        let open = |count| [(Measure::FileDescriptors, count), (Measure::FileDescriptorLimit, 20)];
        assert_eq!(kinds(&Subject::Loadgen, &[&open(19), &open(19)]), []);
        assert_eq!(
            kinds(&Subject::Loadgen, &[&open(19), &open(20), &open(19)]),
            [LimitKind::FileDescriptors]
        );
    }
}
