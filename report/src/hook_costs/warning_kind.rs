//! The kinds of warnings, by which the warnings of several launches are counted.

use model::{Anomaly, LaunchWarning, LimitKind, LoadCheckKind, LoadWarning};

/// The kind of a warning. Two warnings of one kind differ in values only.
#[derive(Clone, Debug, PartialEq, Eq, strum::Display)]
pub(super) enum WarningKind {
    #[strum(to_string = "check failed: {0}")]
    CheckFailed(LoadCheckKind),
    #[strum(to_string = "the kernel gave no stamps")]
    NoKernelStamps,
    #[strum(to_string = "connections were made again")]
    Reconnections,
    #[strum(to_string = "requests failed")]
    RequestsFailed,
    #[strum(to_string = "{subject}: {limit}")]
    LimitHit { subject: String, limit: &'static str },
    #[strum(to_string = "{0}")]
    Anomaly(Anomaly),
    #[strum(to_string = "the limits of the experiment are not set")]
    LimitsNotSet,
    #[strum(to_string = "the neighbour did not work during the whole measurement")]
    NeighbourEnded,
    #[strum(to_string = "{0}: the hook counted another number of receives than the requests imply")]
    HookReceives(String),
    #[strum(to_string = "{0}: the server stamped another number of requests than were sent")]
    ServerStamps(String),
    #[strum(to_string = "the control {0} failed")]
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
            LaunchWarning::ControlFailed(check) => Self::ControlFailed(check.name),
        }
    }
}

/// The kinds of warnings with their counts, in the order in which they first occur.
pub(super) fn counted(warnings: impl Iterator<Item = LaunchWarning>) -> Vec<(WarningKind, usize)> {
    let mut counts: Vec<(WarningKind, usize)> = Vec::new();
    for kind in warnings.map(WarningKind::from) {
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use model::LimitHit;

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
        let texts = counted(warnings.into_iter()).into_iter();
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
}
