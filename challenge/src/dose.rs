//! The delays out of which the driver draws.

use serde::{Deserialize, Serialize};

/// A delay that a sealed object adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedDelay {
    /// The object delays one request of this many.
    pub every: u64,
    /// Nominal busy wait of a delayed request, ns.
    pub delay_ns: u64,
}

/// A delay with its share of the trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayShare {
    /// The delay.
    pub delay: SealedDelay,
    /// The share of the trials, relative to the other shares.
    pub weight: usize,
}

impl SealedDelay {
    /// No delay.
    pub const NONE: Self = Self::of_all(0);

    /// A delay of every request.
    #[must_use]
    pub const fn of_all(delay_ns: u64) -> Self {
        Self { every: 1, delay_ns }
    }

    /// Returns true if no request is delayed.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.delay_ns == 0
    }
}

impl std::fmt::Display for SealedDelay {
    #[expect(clippy::cast_precision_loss, reason = "a delay of some microseconds")]
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let microseconds = self.delay_ns as f64 / 1e3;
        match self.every {
            _ if self.is_none() => formatter.write_str("none"),
            1 => write!(formatter, "{microseconds} µs"),
            every => write!(formatter, "{microseconds} µs in {} %", 100.0 / every as f64),
        }
    }
}

const fn share(every: u64, delay_ns: u64, weight: usize) -> DelayShare {
    let delay = SealedDelay { every, delay_ns };
    DelayShare { delay, weight }
}

/// The delays of a challenge. Two of five trials have no delay. The other trials have one of five delays, each equally often.
pub const DELAYS: [DelayShare; 6] = [
    share(1, 0, 10),
    share(1, 100, 3),
    share(1, 300, 3),
    share(1, 1_000, 3),
    share(1, 5_000, 3),
    share(20, 20_000, 3),
];
