//! The allocation of time to launches and to rounds.

use serde::{Deserialize, Serialize};

use super::components::{Component, Level};
use super::power::{Goal, PowerError, half_width, launches_for, mde, number};

/// The smallest number of launches from which their spread is estimated.
const LEAST_LAUNCHES: u32 = 10;
/// The largest ratio of the rounds of a plan to the rounds of its pilot. A pilot does not show the steadiness of longer launches.
const MOST_TIMES_THE_ROUNDS: u64 = 10;

/// The spread of one contrast in one condition of a pilot run, by level, and the costs of launches and rounds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Pilot {
    /// Variance of the effect between launches, ns².
    pub launch_variance: f64,
    /// Variance of the effect between segments of a launch, ns².
    pub segment_variance: f64,
    /// Rounds of a segment.
    pub segment_rounds: u64,
    /// The time of a launch before its first and after its last measured round, s.
    pub launch_s: f64,
    /// The time of a round, which sends one request to every arm, s.
    pub round_s: f64,
}

/// The bounds of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AllocationBounds {
    /// Fewest launches. Intervals need ten launches to reach their stated coverage.
    pub least_launches: u32,
    /// Fewest rounds of a launch.
    pub least_rounds: u64,
    /// Most rounds of a launch.
    pub most_rounds: u64,
}

impl AllocationBounds {
    /// The bounds within which a pilot is informative: from one segment to ten times its measured rounds.
    #[must_use]
    pub fn of_pilot(segment_rounds: u64, measured_rounds: u64) -> Self {
        let measured_rounds = measured_rounds.max(1);
        Self {
            least_launches: LEAST_LAUNCHES,
            least_rounds: segment_rounds.min(measured_rounds),
            most_rounds: measured_rounds * MOST_TIMES_THE_ROUNDS,
        }
    }
}

/// The launches and rounds with which an experiment reaches its goal.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Allocation {
    /// Launches of a condition.
    pub launches: u32,
    /// Measured rounds of a launch.
    pub rounds: u64,
    /// The time of all launches, s.
    pub seconds: f64,
    /// Standard deviation of the effect from launch to launch that is expected, ns.
    pub launch_sd: f64,
    /// Half of the interval that is expected, ns.
    pub half_width: f64,
    /// Minimum detectable effect that is expected at 80 % power, ns.
    pub mde: f64,
}

impl Pilot {
    /// From the two components of [`super::components::of_segments`].
    ///
    /// # Errors
    /// For a cost that is negative or not finite, or segments without a round.
    pub fn new(
        components: &[Component; 2],
        segment_rounds: u64,
        launch_s: f64,
        round_s: f64,
    ) -> Result<Self, PowerError> {
        let variance = |level| {
            let of_level = components.iter().filter(|component| component.level == level);
            of_level.map(|component| component.variance).sum()
        };
        let pilot = Self {
            launch_variance: variance(Level::Launch),
            segment_variance: variance(Level::Segment),
            segment_rounds,
            launch_s,
            round_s,
        };
        pilot.check()?;
        Ok(pilot)
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of rounds")]
    fn check(&self) -> Result<(), PowerError> {
        let not_below = |value: f64| value >= 0.0 && value.is_finite();
        for (what, value) in [
            ("variance between launches", self.launch_variance),
            ("variance between segments", self.segment_variance),
            ("cost of a launch", self.launch_s),
        ] {
            number(what, value, not_below(value), "a finite number, not below zero")?;
        }
        let positive = self.round_s > 0.0 && self.round_s.is_finite();
        number("cost of a round", self.round_s, positive, "a positive number")?;
        let rounds = self.segment_rounds as f64;
        number("rounds of a segment", rounds, rounds > 0.0, "a positive number")
    }

    /// Standard deviation of the effect from launch to launch, with so many rounds each: √(σ_L² + σ_S² R/r), where R is the
    /// length of a segment. Takes segments as independent of each other.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of rounds")]
    pub fn launch_sd(&self, rounds: u64) -> f64 {
        let segments = rounds.max(1) as f64 / self.segment_rounds as f64;
        (self.launch_variance + self.segment_variance / segments).sqrt()
    }

    /// The number of rounds of a launch that gives the narrowest interval in any given time:
    /// r = √(c_L σ_S² R / (c_r σ_L²)), within the limits; as many as allowed where launches do not differ. Kalibera & Jones
    /// 2013, <https://doi.org/10.1145/2491894.2464160>, with segments and launches as their levels. A test compares it with
    /// the best of all splits.
    ///
    /// # Errors
    /// For numbers out of range and limits that exclude each other.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounds, within the limits"
    )]
    pub fn best_rounds(&self, limits: &AllocationBounds) -> Result<u64, PowerError> {
        self.check()?;
        let (least, most) = (limits.least_rounds.max(1), limits.most_rounds);
        if least > most {
            return Err(PowerError::Bounds { least, most });
        }
        let per_round = self.segment_variance * self.segment_rounds as f64;
        if per_round == 0.0 {
            return Ok(least);
        }
        if self.launch_variance == 0.0 {
            return Ok(most);
        }
        let rounds = (self.launch_s * per_round / (self.round_s * self.launch_variance)).sqrt();
        Ok((rounds.ceil().min(most as f64) as u64).clamp(least, most))
    }

    /// Returns the cheapest split that reaches a goal: rounds by [`Self::best_rounds`], and the launches that the goal
    /// needs. If these are fewer than `limits.least_launches`, the split has `limits.least_launches` launches and the
    /// fewest rounds that reach the goal with them.
    ///
    /// # Errors
    /// For numbers out of range, limits that exclude each other, and a goal that a million launches would not reach.
    #[expect(clippy::cast_precision_loss, reason = "a count of rounds")]
    pub fn allocate(&self, goal: Goal, confidence: f64, limits: &AllocationBounds) -> Result<Allocation, PowerError> {
        let mut rounds = self.best_rounds(limits)?;
        let mut launches = launches_for(goal, self.launch_sd(rounds), confidence)?;
        if launches < limits.least_launches {
            launches = limits.least_launches;
            rounds = self.fewest_rounds(goal, confidence, launches, (limits.least_rounds.max(1), rounds))?;
        }
        let launch_sd = self.launch_sd(rounds);
        Ok(Allocation {
            launches,
            rounds,
            seconds: f64::from(launches) * (self.launch_s + rounds as f64 * self.round_s),
            launch_sd,
            half_width: half_width(launch_sd, launches, confidence)?,
            mde: mde(launch_sd, launches, confidence, super::power::POWER)?,
        })
    }

    /// Fewest rounds with which so many launches reach the goal; `enough` do.
    fn fewest_rounds(
        &self,
        goal: Goal,
        confidence: f64,
        launches: u32,
        (least, enough): (u64, u64),
    ) -> Result<u64, PowerError> {
        let (mut low, mut high) = (least, enough);
        while low < high {
            let middle = u64::midpoint(low, high);
            if launches_for(goal, self.launch_sd(middle), confidence)? <= launches {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }
}
