//! The effects of the order of requests: of the arm of the preceding request, and of the position in the round. A sound
//! interleaved design has neither.

use std::collections::BTreeMap;

use super::{Distribution, Estimate, estimate};

/// The times of one arm in one launch, by the arm of the preceding request and by the position in the round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrderSamples {
    /// Times by the arm that received the preceding request.
    after: BTreeMap<String, Distribution>,
    /// The times of the first and of the last requests of their rounds.
    first: Distribution,
    last: Distribution,
}

/// The position of a request in its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The first request.
    First,
    /// A request between the first and the last.
    Middle,
    /// The last request.
    Last,
}

impl OrderSamples {
    /// Adds a request.
    pub fn add(&mut self, after: &str, turn: Turn, time_ns: i64) {
        match self.after.get_mut(after) {
            Some(distribution) => distribution.insert(time_ns),
            None => {
                let mut distribution = Distribution::default();
                distribution.insert(time_ns);
                self.after.insert(after.to_owned(), distribution);
            }
        }
        match turn {
            Turn::First => self.first.insert(time_ns),
            Turn::Last => self.last.insert(time_ns),
            Turn::Middle => {}
        }
    }

    /// Median after one arm minus median after another, ns.
    fn carried(&self, after: &str, rather_than: &str) -> Option<f64> {
        let median = |arm: &str| self.after.get(arm)?.quantile(0.5);
        Some(median(after)? - median(rather_than)?)
    }

    /// Median of the last requests in their rounds minus median of the first, ns; `None` without both.
    #[must_use]
    pub fn turn(&self) -> Option<f64> {
        Some(self.last.quantile(0.5)? - self.first.quantile(0.5)?)
    }

    /// Standard error of that difference, ns; otherwise as [`Distribution::median_standard_error`].
    #[must_use]
    pub fn turn_standard_error(&self) -> Option<f64> {
        Some(
            self.last
                .median_standard_error()?
                .hypot(self.first.median_standard_error()?),
        )
    }
}

/// The time by which a request is slower after one arm than after another, ns: the mean over launches of the within-launch
/// difference of medians, with the t interval of [`estimate`]. `None` with fewer than two launches that have both.
#[must_use]
pub fn carry_over(launches: &[&OrderSamples], after: &str, rather_than: &str) -> Option<Estimate> {
    let differences: Vec<f64> = launches
        .iter()
        .filter_map(|launch| launch.carried(after, rather_than))
        .collect();
    estimate(&differences).ok()
}

/// The time by which the last request of a round is slower than the first, ns, by the method of [`carry_over`].
#[must_use]
pub fn turn_effect(launches: &[&OrderSamples]) -> Option<Estimate> {
    let differences: Vec<f64> = launches.iter().filter_map(|launch| launch.turn()).collect();
    estimate(&differences).ok()
}
