//! Warnings of a launch.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control_check::ControlCheck;
use crate::limits::{LimitHit, MonitorRecord};
use crate::load_summary::LoadWarning;

/// A circumstance of a launch that a reader of its results should know. `Display` gives its text.
#[derive(Clone, Debug, PartialEq)]
pub enum LaunchWarning {
    /// A warning of the load generator.
    Load(LoadWarning),
    /// A limit was hit.
    LimitHit(LimitHit),
    /// An anomaly that the runner found.
    Anomaly(Anomaly),
    /// A control failed.
    ControlFailed(ControlCheck),
    /// The servers waited for a CPU for this share of the time, although they work in turn.
    ServersWaited(f64),
}

impl LaunchWarning {
    /// Returns whether estimates cannot rely on a launch with this warning.
    #[must_use]
    pub const fn invalidates(&self) -> bool {
        match self {
            Self::Load(LoadWarning::CheckFailed(check)) => check.kind.biases(),
            Self::Load(_) => false,
            Self::LimitHit(_) | Self::ControlFailed(_) | Self::ServersWaited(_) => true,
            Self::Anomaly(anomaly) => anomaly.invalidates(),
        }
    }
}

impl fmt::Display for LaunchWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(warning) => warning.fmt(formatter),
            Self::LimitHit(hit) => hit.fmt(formatter),
            Self::Anomaly(anomaly) => anomaly.fmt(formatter),
            Self::ServersWaited(share) => write!(
                formatter,
                "the servers waited for a CPU for {:.1} % of the time, at most {:.0} %: another program had it",
                100.0 * share,
                100.0 * MonitorRecord::ARMS_WAIT_SHARE
            ),
            Self::ControlFailed(check) => write!(
                formatter,
                "{}: {:+.0} ns in this launch, expected zero within {:.0} ns and three standard errors",
                check.name,
                check.value_ns.unwrap_or_default(),
                check.margin_ns
            ),
        }
    }
}

/// An anomaly that the runner found in a launch. `Display` gives its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "anomaly", rename_all = "snake_case", deny_unknown_fields)]
pub enum Anomaly {
    /// Load generator and arms ran on the same processor.
    SharedProcessor,
    /// The experiment's limits were not set.
    LimitsNotSet {
        /// The reason.
        reason: String,
    },
    /// The neighbour ended before the measurement did.
    NeighbourEnded {
        /// How it ended, such as `exited with status 1`.
        how: String,
    },
    /// The hook counted another number of receives than the requests imply.
    HookReceives {
        /// Name of the arm.
        arm: String,
        /// Number of receives that the hook counted.
        receives: u64,
        /// Smallest number that the requests imply.
        at_least: u64,
        /// Largest number that the requests imply.
        at_most: u64,
    },
    /// The server stamped another number of requests than were sent.
    ServerStamps {
        /// Name of the arm.
        arm: String,
        /// Number of requests that the server stamped.
        stamped: u64,
        /// Number of requests that were sent.
        sent: u64,
    },
    /// A warning of a recording whose format kept texts only.
    Text {
        /// The text.
        text: String,
    },
}

impl Anomaly {
    /// Returns whether estimates cannot rely on a launch with this anomaly.
    #[must_use]
    pub const fn invalidates(&self) -> bool {
        match self {
            Self::SharedProcessor | Self::LimitsNotSet { .. } | Self::Text { .. } => false,
            Self::NeighbourEnded { .. } | Self::HookReceives { .. } | Self::ServerStamps { .. } => true,
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SharedProcessor => formatter.write_str("load generator and arms share the only processor"),
            Self::LimitsNotSet { reason } => write!(formatter, "the limits of the experiment are not set: {reason}"),
            Self::NeighbourEnded { how } => {
                write!(
                    formatter,
                    "the neighbour did not work during the whole measurement: it {how}"
                )
            }
            Self::HookReceives {
                arm,
                receives,
                at_least,
                at_most,
            } => write!(
                formatter,
                "{arm}: the hook counted {receives} receives; expected at least {at_least} and at most {at_most}"
            ),
            Self::ServerStamps { arm, stamped, sent } => {
                write!(
                    formatter,
                    "{arm}: the server stamped {stamped} requests; expected {sent}"
                )
            }
            Self::Text { text } => formatter.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Anomaly;

    #[test]
    fn an_anomaly_is_stored_as_its_tag_and_its_fields() {
        let anomaly = Anomaly::ServerStamps {
            arm: "scan".to_owned(),
            stamped: 3,
            sent: 4,
        };
        let text = serde_json::to_string(&anomaly).unwrap();
        assert_eq!(text, r#"{"anomaly":"server_stamps","arm":"scan","stamped":3,"sent":4}"#);
        assert_eq!(serde_json::from_str::<Anomaly>(&text).unwrap(), anomaly);
        assert!(anomaly.invalidates());
        let unknown = text.replace("\"sent\"", "\"requests\"");
        assert!(serde_json::from_str::<Anomaly>(&unknown).is_err());
    }
}
