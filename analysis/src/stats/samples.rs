//! The samples of one launch.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::Distribution;

/// The observations of one arm in one launch, warm-up left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArmSamples {
    /// Round-trip times in user space, ns.
    pub rtt: Distribution,
    /// Wire times (kernel send stamp to kernel receive stamp), ns.
    pub wire: Distribution,
    /// From the user's send stamp to the kernel's, ns; where the clocks' difference is known.
    pub send_path: Distribution,
    /// From the kernel's receive stamp to the user's, ns; where the clocks' difference is known.
    pub wake_up: Distribution,
    /// From the intended arrival to the user's receive stamp, ns; in open loops.
    pub sojourn: Distribution,
    /// Requests a second while every connection had a request in progress; `None` in other loops.
    pub throughput_per_s: Option<f64>,
    /// Requests that were not answered with success; they are in neither distribution.
    pub errors: u64,
    /// Successful requests without both kernel stamps; they are in `rtt` only.
    pub unstamped: u64,
}

/// The times of one request that was answered with success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTimes {
    /// Round trip in user space, ns.
    pub rtt_ns: i64,
    /// Between the kernel's stamps, ns; `None` without both.
    pub wire_ns: Option<i64>,
    /// From the user's send stamp to the kernel's, ns. With the wire time it leaves the wake-up.
    pub send_path_ns: Option<i64>,
    /// From the intended arrival to the receive stamp in user space, ns; `None` in closed loops.
    pub sojourn_ns: Option<i64>,
}

impl ArmSamples {
    /// Adds an answered request.
    pub fn answered(&mut self, times: RequestTimes) {
        self.rtt.insert(times.rtt_ns);
        if let Some(sojourn_ns) = times.sojourn_ns {
            self.sojourn.insert(sojourn_ns);
        }
        let Some(wire_ns) = times.wire_ns else {
            self.unstamped += 1;
            return;
        };
        self.wire.insert(wire_ns);
        if let Some(send_path_ns) = times.send_path_ns {
            self.send_path.insert(send_path_ns);
            self.wake_up.insert(times.rtt_ns - wire_ns - send_path_ns);
        }
    }

    /// The distribution of a metric.
    #[must_use]
    pub fn of(&self, metric: LatencyMetric) -> &Distribution {
        match metric {
            LatencyMetric::WireTime => &self.wire,
            LatencyMetric::Rtt => &self.rtt,
            LatencyMetric::SendPath => &self.send_path,
            LatencyMetric::WakeUp => &self.wake_up,
            LatencyMetric::Sojourn => &self.sojourn,
        }
    }
}

/// The observations of all arms of one launch.
#[derive(Clone, Debug, PartialEq)]
pub struct LaunchSamples {
    /// The condition.
    pub condition: String,
    /// Number of the launch within the condition.
    pub launch: u32,
    /// By the arms' names.
    pub arms: BTreeMap<String, ArmSamples>,
}

/// The time that is measured of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum LatencyMetric {
    /// Kernel send stamp to kernel receive stamp.
    #[strum(to_string = "wire time")]
    WireTime,
    /// User-space round trip.
    #[strum(to_string = "RTT")]
    Rtt,
    /// User-space send stamp to kernel send stamp: a part of the RTT.
    #[strum(to_string = "send path")]
    SendPath,
    /// Kernel receive stamp to user-space receive stamp: a part of the RTT.
    #[strum(to_string = "wake-up")]
    WakeUp,
    /// Intended arrival to user-space receive stamp: the latency of an open loop, waiting included.
    #[strum(to_string = "latency from the intended arrival")]
    Sojourn,
}
