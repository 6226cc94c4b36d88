//! The resources of a launch, as one or more samplers recorded them.

use std::collections::BTreeSet;

use model::{Measure, MissingColumns, ResourceSample};
use serde::{Deserialize, Serialize};

/// The samples of a launch and the facts about how they were taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceRecording {
    /// The samples in the order of time. The first and the last sample of a subject are from the beginning and the end of
    /// the recording.
    pub samples: Vec<ResourceSample>,
    /// Number of rounds of sampling.
    pub rounds: u64,
    /// Columns without any value, and the reasons.
    pub missing: Vec<MissingColumns>,
    /// Processor time of the sampling thread, ns.
    pub own_cpu_ns: u64,
    /// Time from the first to the last sample, ns.
    pub elapsed_ns: u64,
}

impl ResourceRecording {
    /// Merges the recordings of several samplers that ran at the same time. A column is missing in the result only if it is
    /// missing in every recording of its kind of subject.
    #[must_use]
    pub fn merged(recordings: impl IntoIterator<Item = Self>) -> Self {
        let mut merged = Self::default();
        for recording in recordings {
            merged.samples.extend(recording.samples);
            merged.rounds = merged.rounds.max(recording.rounds);
            merged.own_cpu_ns += recording.own_cpu_ns;
            merged.elapsed_ns = merged.elapsed_ns.max(recording.elapsed_ns);
            merged.missing.extend(recording.missing);
        }
        merged.samples.sort_by_key(|sample| sample.time_ns);
        let mut listed = BTreeSet::new();
        for MissingColumns { kind, columns, .. } in &mut merged.missing {
            columns.retain(|column| {
                let measure = Measure::ALL.iter().copied().find(|measure| measure.column() == column);
                let mut of_kind = merged.samples.iter().filter(|sample| sample.subject.kind() == kind);
                let has_value = measure.is_some_and(|measure| of_kind.any(|sample| sample.usage[measure].is_some()));
                !has_value && listed.insert((kind.clone(), column.clone()))
            });
        }
        merged.missing.retain(|missing| !missing.columns.is_empty());
        merged
    }
}

#[cfg(test)]
mod tests {
    use model::{ResourceSubject, Usage};

    use super::*;

    #[test]
    fn merged_recordings_miss_a_column_that_each_of_them_misses() {
        let seen = |arm: &str, time_ns, lists: bool| {
            let mut usage = Usage::default();
            usage[Measure::Threads] = Some(1);
            usage[Measure::CpuNs] = lists.then_some(5);
            let columns: &[&str] = if lists { &["steal_ns"] } else { &["cpu_ns", "steal_ns"] };
            ResourceRecording {
                samples: vec![ResourceSample {
                    time_ns,
                    subject: ResourceSubject::Arm(arm.to_owned()),
                    usage,
                }],
                rounds: 3,
                missing: vec![MissingColumns {
                    kind: "arm".to_owned(),
                    columns: columns.iter().copied().map(str::to_owned).collect(),
                    reason: format!("{arm} has none"),
                }],
                own_cpu_ns: 7,
                elapsed_ns: 9,
            }
        };
        let merged = ResourceRecording::merged([seen("one", 8, false), seen("two", 4, true)]);
        assert_eq!((merged.rounds, merged.own_cpu_ns, merged.elapsed_ns), (3, 14, 9));
        let times: Vec<i64> = merged.samples.iter().map(|sample| sample.time_ns).collect();
        assert_eq!(times, [4, 8]);
        let missing: Vec<_> = merged
            .missing
            .iter()
            .map(|missing| (&missing.columns[..], &missing.reason[..]))
            .collect();
        assert_eq!(missing, [(&["steal_ns".to_owned()][..], "one has none")]);
    }
}
