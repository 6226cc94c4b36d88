//! The validity gate: the limits that were hit between the first and the last sample.

use std::collections::BTreeMap;

use model::{LimitHit, LimitKind, Measure, ResourceSample, ResourceSubject, Throttling, Usage};

/// The values of one subject in the order of time.
struct UsageSeries<'a>(Vec<&'a Usage>);

impl UsageSeries<'_> {
    /// Returns the growth of a count from the first to the last value, 0 when there are fewer than two values.
    fn growth(&self, measure: Measure) -> i64 {
        let mut values = self.0.iter().filter_map(|usage| usage[measure]);
        let first = values.next();
        first.zip(values.next_back()).map_or(0, |(first, last)| last - first)
    }

    /// Returns the number of samples in which a value reaches its limit, and the last such limit.
    fn at_limit(&self, measure: Measure, limit: Measure) -> Option<(i64, i64)> {
        let reached = self.0.iter().filter_map(|usage| {
            let limit = usage[limit]?;
            (usage[measure]? >= limit).then_some(limit)
        });
        let reached: Vec<i64> = reached.collect();
        reached.last().map(|limit| (reached.len() as i64, *limit))
    }
}

/// Returns the limits that servers and the load generator hit. A launch with a hit is measured, kept and flagged. Samples of
/// machines and neighbours are ignored: a machine may kill processes that do not belong to the launch, and a neighbour's
/// limit is a setting of the experiment.
#[must_use]
pub fn limit_hits(samples: &[ResourceSample]) -> Vec<LimitHit> {
    let mut all: BTreeMap<&ResourceSubject, UsageSeries<'_>> = BTreeMap::new();
    let limited =
        |sample: &&ResourceSample| !matches!(sample.subject, ResourceSubject::Node(_) | ResourceSubject::Neighbour);
    for sample in samples.iter().filter(limited) {
        let series = all.entry(&sample.subject).or_insert_with(|| UsageSeries(Vec::new()));
        series.0.push(&sample.usage);
    }
    all.into_iter()
        .flat_map(|(subject, series)| hits(subject.name(), &series))
        .collect()
}

/// Returns the limits that a subject hit between two readings of its control group; without `before`, since the group was
/// made.
#[must_use]
pub fn limit_hits_between(subject: &str, before: Option<&Usage>, after: &Usage) -> Vec<LimitHit> {
    let mut new_group = Usage::default();
    for count in [
        Measure::Periods,
        Measure::ThrottledPeriods,
        Measure::ThrottledNs,
        Measure::MemoryLimitHits,
        Measure::OomKills,
    ] {
        new_group[count] = Some(0);
    }
    hits(subject, &UsageSeries(vec![before.unwrap_or(&new_group), after]))
}

fn hits(subject: &str, series: &UsageSeries<'_>) -> Vec<LimitHit> {
    let hit = |kind, count, limit| LimitHit {
        subject: subject.to_owned(),
        kind,
        count,
        limit,
        throttling: None,
    };
    let mut found = Vec::new();
    let throttled = series.growth(Measure::ThrottledPeriods);
    if throttled > 0 {
        found.push(LimitHit {
            throttling: Some(Throttling {
                periods: series.growth(Measure::Periods),
                waited_ns: series.growth(Measure::ThrottledNs),
            }),
            ..hit(LimitKind::Throttled, throttled, None)
        });
    }
    let mut memory_limits = series
        .0
        .iter()
        .rev()
        .filter_map(|usage| usage[Measure::MemoryLimitBytes]);
    let memory_limit = memory_limits.next();
    let refused = series.growth(Measure::MemoryLimitHits);
    let full = series.at_limit(Measure::MemoryBytes, Measure::MemoryLimitBytes);
    if refused > 0 || full.is_some() {
        found.push(hit(LimitKind::Memory, refused, memory_limit));
    }
    let killed = series.growth(Measure::OomKills);
    if killed > 0 {
        found.push(hit(LimitKind::OomKill, killed, memory_limit));
    }
    if let Some((samples, limit)) = series.at_limit(Measure::FileDescriptors, Measure::FileDescriptorLimit) {
        found.push(hit(LimitKind::FileDescriptors, samples, Some(limit)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(subject: &ResourceSubject, values: &[(Measure, i64)]) -> ResourceSample {
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

    fn kinds(subject: &ResourceSubject, course: &[&[(Measure, i64)]]) -> Vec<LimitKind> {
        let samples: Vec<_> = course.iter().map(|values| sample(subject, values)).collect();
        limit_hits(&samples).into_iter().map(|hit| hit.kind).collect()
    }

    #[test]
    fn only_what_grows_while_it_is_measured_counts() {
        let arm = ResourceSubject::Arm("scan".to_owned());
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
        let arm = ResourceSubject::Arm("scan".to_owned());
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
        // A machine whose memory is all in use is not a server at its limit; it may kill processes outside of the launch.
        let node = ResourceSubject::Node("node".to_owned());
        assert_eq!(kinds(&node, &[&memory(4_096, 0, 4), &memory(4_096, 0, 5)]), []);
    }

    #[test]
    fn all_descriptors_open_is_a_hit() {
        let open = |count| [(Measure::FileDescriptors, count), (Measure::FileDescriptorLimit, 20)];
        assert_eq!(kinds(&ResourceSubject::Loadgen, &[&open(19), &open(19)]), []);
        assert_eq!(
            kinds(&ResourceSubject::Loadgen, &[&open(19), &open(20), &open(19)]),
            [LimitKind::FileDescriptors]
        );
    }

    #[test]
    fn hits_between_two_readings_leave_out_earlier_ones() {
        let usage = |periods, kills| {
            let values = [
                (Measure::Periods, 20),
                (Measure::ThrottledPeriods, periods),
                (Measure::ThrottledNs, 45_000_000),
                (Measure::MemoryLimitBytes, 4_096),
                (Measure::OomKills, kills),
            ];
            sample(&ResourceSubject::Loadgen, &values).usage
        };
        assert_eq!(limit_hits_between("scan", Some(&usage(3, 1)), &usage(3, 1)), []);
        let later = limit_hits_between("scan", Some(&usage(3, 1)), &usage(4, 1));
        assert_eq!(later.len(), 1);
        assert_eq!(
            (later[0].subject.as_str(), later[0].kind),
            ("scan", LimitKind::Throttled)
        );
        let all = limit_hits_between("scan", None, &usage(3, 1));
        let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "scan: throttled in 3 of 20 periods, for 45.0 ms",
                "scan: 1 process was killed because memory ran out, under a limit of 4096 bytes"
            ]
        );
        assert_eq!(limit_hits_between("scan", None, &Usage::default()), []);
    }
}
