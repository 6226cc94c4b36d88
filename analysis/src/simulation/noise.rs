//! One launch's requests, made up.

use rand::RngExt;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::fit::{LaunchFit, SCORES, WithinFit};

/// The order of the requests to the two arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// One request to each arm in every round, in random order.
    Interleaved,
    /// All requests to the baseline, then all requests to the other arm, as in 2023.
    Sequential,
}

/// The noise of requests.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedNoise<'a> {
    /// The shape of requests within a launch.
    pub within: &'a WithinFit,
    /// Their interquartile range, ns.
    pub iqr_ns: f64,
    /// The spread of launches.
    pub launches: &'a LaunchFit,
    /// The cost of the other arm, ns: half of it in every request, and an exponential half that differs from request to
    /// request.
    pub cost_ns: f64,
}

/// The times of both arms, ns, in the order sent; their origin is the baseline's median.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulatedLaunch {
    /// The times of the first arm.
    pub baseline: Vec<f64>,
    /// The times of the other arm.
    pub arm: Vec<f64>,
}

impl SimulatedNoise<'_> {
    /// Simulates a launch of `rounds` rounds. All requests of a launch are one series: an AR(1) that the arms share, noise of each
    /// request's own and a trend, put through the distribution's table. The two processes differ by a launch effect.
    #[must_use]
    pub fn launch(&self, rounds: usize, design: Design, generator: &mut Pcg64) -> SimulatedLaunch {
        let (coefficient, share) = (self.within.ar_coefficient, self.within.ar_share);
        let innovation = (1.0 - coefficient * coefficient).sqrt();
        let (shared, own) = (share.sqrt(), (1.0 - share).sqrt());
        let (_, mut disturbance) = normals(generator);
        let effect_ns = self.launches.draw(generator);
        let per_request = self.trend_per_request();
        let mut launch = SimulatedLaunch::default();
        let mut trend = -per_request * whole(rounds);
        let mut baseline_first = true;
        for request in 0..2 * rounds {
            let (moved, noise) = normals(generator);
            disturbance = coefficient * disturbance + innovation * moved;
            trend += per_request;
            let score = shared * disturbance + own * noise + trend;
            let time_ns = self.iqr_ns * table(&self.within.shape, score);
            if request % 2 == 0 {
                baseline_first = generator.random_bool(0.5);
            }
            let baseline = match design {
                Design::Interleaved => baseline_first == (request % 2 == 0),
                Design::Sequential => request < rounds,
            };
            if baseline {
                launch.baseline.push(time_ns);
            } else {
                let exponential = -(1.0 - generator.random::<f64>()).ln();
                launch
                    .arm
                    .push(time_ns + effect_ns + self.cost_ns * (0.5 + 0.5 * exponential));
            }
        }
        launch
    }

    /// Returns the trend of the recording per request, in standard deviations.
    fn trend_per_request(&self) -> f64 {
        self.within.drift / whole(self.within.requests)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn whole(count: usize) -> f64 {
    count as f64
}

/// A table's value at a score, linear between its places, and its end beyond them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a table of 33"
)]
fn table(shape: &[f64], score: f64) -> f64 {
    let place = ((score + 4.0) * 4.0).clamp(0.0, (SCORES - 1) as f64);
    let below = (place as usize).min(SCORES - 2);
    shape[below] + (shape[below + 1] - shape[below]) * (place - below as f64)
}

/// Two independent standard normal variables (Box & Muller).
pub(super) fn normals(generator: &mut Pcg64) -> (f64, f64) {
    let radius = (-2.0 * (1.0 - generator.random::<f64>()).ln()).sqrt();
    let (sine, cosine) = (std::f64::consts::TAU * generator.random::<f64>()).sin_cos();
    (radius * cosine, radius * sine)
}
