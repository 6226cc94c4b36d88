//! The kinds of warnings, by which the warnings of several launches are counted.

use std::cmp::Reverse;

use crate::launch_record::LaunchRecord;
use crate::launch_warning::{Anomaly, LaunchWarning};
use crate::limits::LimitKind;
use crate::load_summary::{LoadCheckKind, LoadWarning};

/// The kind of a warning. Two warnings of one kind differ in values only.
#[derive(Clone, Debug, PartialEq, Eq, strum::Display)]
pub enum WarningKind {
    /// A check of the load generator failed.
    #[strum(to_string = "{0}")]
    CheckFailed(LoadCheckKind),
    /// There are no kernel stamps.
    #[strum(to_string = "the kernel gave no stamps")]
    NoKernelStamps,
    /// Connections were made again.
    #[strum(to_string = "connections were made again")]
    Reconnections,
    /// Requests failed.
    #[strum(to_string = "requests failed")]
    RequestsFailed,
    /// A limit was hit.
    #[strum(to_string = "{subject}: {limit}")]
    LimitHit {
        /// The limited process or container.
        subject: String,
        /// The limit and how it was hit, in words.
        limit: &'static str,
    },
    /// An anomaly without values.
    #[strum(to_string = "{0}")]
    Anomaly(Anomaly),
    /// The limits of the experiment are not set.
    #[strum(to_string = "the limits of the experiment are not set")]
    LimitsNotSet,
    /// The neighbour ended early.
    #[strum(to_string = "the neighbour did not work during the whole measurement")]
    NeighbourEnded,
    /// The hook of this arm counted another number of receives than the requests imply.
    #[strum(to_string = "{0}: the hook counted another number of receives than the requests imply")]
    HookReceives(String),
    /// The server of this arm stamped another number of requests than were sent.
    #[strum(to_string = "{0}: the server stamped another number of requests than were sent")]
    ServerStamps(String),
    /// The servers waited for a CPU.
    #[strum(to_string = "servers waiting for a CPU")]
    ServersWaited,
    /// The control of this name failed.
    #[strum(to_string = "control {0}")]
    ControlFailed(String),
}

impl From<LaunchWarning> for WarningKind {
    fn from(warning: LaunchWarning) -> Self {
        match warning {
            LaunchWarning::Load(LoadWarning::CheckFailed(check)) => Self::CheckFailed(check.kind),
            LaunchWarning::Load(LoadWarning::NoKernelStamps(_)) => Self::NoKernelStamps,
            LaunchWarning::Load(LoadWarning::Reconnections(_)) => Self::Reconnections,
            LaunchWarning::Load(LoadWarning::Failure(_)) => Self::RequestsFailed,
            LaunchWarning::LimitHit(hit) => Self::LimitHit {
                subject: hit.subject,
                limit: match hit.kind {
                    LimitKind::Throttled => "throttled by the CPU quota",
                    LimitKind::Memory => "the memory limit was reached",
                    LimitKind::OomKill => "a process was killed because of the memory limit",
                    LimitKind::FileDescriptors => "the limit of open files was reached",
                },
            },
            LaunchWarning::Anomaly(Anomaly::LimitsNotSet { .. }) => Self::LimitsNotSet,
            LaunchWarning::Anomaly(Anomaly::NeighbourEnded { .. }) => Self::NeighbourEnded,
            LaunchWarning::Anomaly(Anomaly::HookReceives { arm, .. }) => Self::HookReceives(arm),
            LaunchWarning::Anomaly(Anomaly::ServerStamps { arm, .. }) => Self::ServerStamps(arm),
            LaunchWarning::Anomaly(other @ (Anomaly::SharedProcessor | Anomaly::Text { .. })) => Self::Anomaly(other),
            LaunchWarning::ServersWaited(_) => Self::ServersWaited,
            LaunchWarning::ControlFailed(check) => Self::ControlFailed(check.name),
        }
    }
}

impl WarningKind {
    /// Returns the kinds of warnings with their counts, in the order in which they first occur.
    #[must_use]
    pub fn counted(warnings: impl Iterator<Item = LaunchWarning>) -> Vec<(Self, usize)> {
        let mut counts: Vec<(Self, usize)> = Vec::new();
        for kind in warnings.map(Self::from) {
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
        }
        counts
    }
}

/// Returns one line about the flagged launches of a run: their number, and for each reason the number of launches that have
/// it, such as `3 of 24 launches flagged: CPU steal 2, late sends 1`. A launch is flagged if it is not valid.
#[must_use]
pub fn flagged_line<'a>(launches: impl IntoIterator<Item = &'a LaunchRecord>) -> String {
    let (mut all, mut flagged) = (0, 0);
    let mut reasons: Vec<(WarningKind, usize)> = Vec::new();
    for launch in launches {
        all += 1;
        flagged += usize::from(!launch.valid);
        let invalidating = launch.warnings().into_iter().filter(LaunchWarning::invalidates);
        for (kind, _) in WarningKind::counted(invalidating) {
            match reasons.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, launches)) => *launches += 1,
                None => reasons.push((kind, 1)),
            }
        }
    }
    reasons.sort_by_key(|(_, launches)| Reverse(*launches));
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(kind, launches)| format!("{kind} {launches}"))
        .collect();
    let colon = if reasons.is_empty() { "" } else { ": " };
    format!("{flagged} of {all} launches flagged{colon}{}", reasons.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::limits::LimitHit;
    use crate::load_summary::{LoadCheck, LoadSummary};

    use super::*;

    #[test]
    fn warnings_that_differ_in_values_only_are_counted_together() {
        let hit = |subject: &str, count| {
            LaunchWarning::LimitHit(LimitHit {
                subject: subject.to_owned(),
                kind: LimitKind::Throttled,
                count,
                limit: None,
                throttling: None,
            })
        };
        let stamped = |stamped| {
            LaunchWarning::Anomaly(Anomaly::ServerStamps {
                arm: "scan".to_owned(),
                stamped,
                sent: 9,
            })
        };
        let warnings = [
            hit("scan", 3),
            LaunchWarning::Load(LoadWarning::Reconnections(12)),
            hit("scan", 4),
            stamped(7),
            hit("log", 3),
            LaunchWarning::Anomaly(Anomaly::SharedProcessor),
            LaunchWarning::Load(LoadWarning::Reconnections(1)),
            stamped(8),
        ];
        let texts = WarningKind::counted(warnings.into_iter()).into_iter();
        assert_eq!(
            texts
                .map(|(kind, count)| format!("{count} × {kind}"))
                .collect::<Vec<_>>(),
            [
                "2 × scan: throttled by the CPU quota",
                "2 × connections were made again",
                "2 × scan: the server stamped another number of requests than were sent",
                "1 × log: throttled by the CPU quota",
                "1 × load generator and arms share the only processor",
            ]
        );
    }

    #[test]
    fn a_run_has_one_line_that_counts_the_launches_of_each_reason() {
        let failed = |kind| LoadCheck::at_most(kind, Some(2.0), 1.0, "a value");
        let launch = |number: u32, checks: Vec<LoadCheck>| {
            let mut record = LaunchRecord::of_observations("local-pod", number);
            record.loadgen = Some(LoadSummary {
                checks,
                reconnections: u64::from(number),
                ..LoadSummary::default()
            });
            record.judge();
            record
        };
        let launches = [
            launch(0, vec![]),
            launch(1, vec![failed(LoadCheckKind::LateSends)]),
            launch(2, vec![failed(LoadCheckKind::CpuSteal)]),
            launch(3, vec![failed(LoadCheckKind::CpuSteal)]),
        ];
        assert_eq!(
            flagged_line(&launches),
            "3 of 4 launches flagged: CPU steal 2, late sends 1"
        );
        assert_eq!(flagged_line(&launches[..1]), "0 of 1 launches flagged");
    }
}
