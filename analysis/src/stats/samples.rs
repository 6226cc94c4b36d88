//! What one launch observed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Distribution;

/// The observations of one arm in one launch, warm-up left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArmSamples {
    /// Round-trip times in user space, ns.
    pub rtt: Distribution,
    /// Wire times (kernel send stamp to kernel receive stamp), ns.
    pub wire: Distribution,
    /// Requests that were not answered with success; they are in neither distribution.
    pub errors: u64,
    /// Successful requests without both kernel stamps; they are in `rtt` only.
    pub unstamped: u64,
}

impl ArmSamples {
    /// The distribution of a quantity.
    #[must_use]
    pub fn of(&self, quantity: Quantity) -> &Distribution {
        match quantity {
            Quantity::WireTime => &self.wire,
            Quantity::Rtt => &self.rtt,
        }
    }
}

/// The observations of all arms of one launch.
#[derive(Clone, Debug, PartialEq)]
pub struct LaunchSamples {
    /// Where the launch happened.
    pub condition: String,
    /// Number of the launch within the condition.
    pub launch: u32,
    /// By the arms' names.
    pub arms: BTreeMap<String, ArmSamples>,
}

/// What was timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Kernel send stamp to kernel receive stamp.
    WireTime,
    /// User-space round trip.
    Rtt,
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::WireTime => "wire time",
            Self::Rtt => "RTT",
        })
    }
}
