//! Delays in the order of time, drawn from a distribution whose delays depend on earlier delays.

use std::sync::Arc;

use model::{DelayDistribution, SlowComponent};
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use statrs::distribution::{ContinuousCDF as _, Normal};

/// Steps in a time constant of a slow component. Its value stays the same during a step.
const STEPS: u64 = 16;
/// Time constants after which a component does not depend on its start any more: exp(−8) is 0.0003.
const MEMORY: u64 = 8;

/// Draws the delays of one connection.
pub(super) struct DelaySource {
    delays: Arc<DelayDistribution>,
    slow: Vec<SlowPath>,
    /// The rest of the scores, which each request draws anew.
    own: Pcg64,
    own_weight: f64,
    normal: Normal,
}

impl DelaySource {
    /// Returns the source of a connection. `own` is the seed of the rest of its scores. All sources with the same seed `common` have
    /// the same slow components at the same time, as all connections pass the same network.
    pub(super) fn new(delays: Arc<DelayDistribution>, own: u64, common: u64) -> Self {
        let shares: f64 = delays.slow.iter().map(|component| component.share).sum();
        let slow = delays.slow.iter().zip(0..);
        Self {
            slow: slow
                .map(|(component, number)| SlowPath::new(*component, mixed(common, number)))
                .collect(),
            delays,
            own: Pcg64::seed_from_u64(own),
            own_weight: (1.0 - shares).max(0.0).sqrt(),
            normal: Normal::standard(),
        }
    }

    /// Returns the delay of a request at a time of a clock that all sources share, ns. Times do not go back.
    pub(super) fn delay_ns(&mut self, now_ns: u64) -> u64 {
        let mut score = self.own_weight * normal_score(&self.normal, &mut self.own);
        for path in &mut self.slow {
            score += path.weight * path.value_at(now_ns, &self.normal);
        }
        self.delays.quantile_ns(self.normal.cdf(score))
    }
}

/// One slow component: an autoregressive process of unit variance in steps of time. The innovation of each step is a function of
/// the seed and of the step's number, so that two paths with one seed agree, whenever they began.
struct SlowPath {
    weight: f64,
    step_ns: u64,
    seed: u64,
    /// The number of the last step and the value there.
    last: Option<(u64, f64)>,
}

impl SlowPath {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "time constants are above 0 and far below 2^52 ns"
    )]
    fn new(component: SlowComponent, seed: u64) -> Self {
        Self {
            weight: component.share.sqrt(),
            step_ns: ((component.time_ms * 1e6 / STEPS as f64) as u64).max(1),
            seed,
            last: None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    fn value_at(&mut self, now_ns: u64, normal: &Normal) -> f64 {
        let keep = (-1.0 / STEPS as f64).exp();
        let renew = (1.0 - keep * keep).sqrt();
        let now = now_ns / self.step_ns;
        let oldest = now.saturating_sub(MEMORY * STEPS);
        let (mut step, mut value) = self.last.filter(|(step, _)| *step >= oldest).unwrap_or((oldest, 0.0));
        while step < now {
            step += 1;
            let mut innovation = Pcg64::seed_from_u64(mixed(self.seed, step));
            value = keep * value + renew * normal_score(normal, &mut innovation);
        }
        self.last = Some((step, value));
        value
    }
}

/// Returns a seed for each number, spread by the golden ratio.
const fn mixed(seed: u64, number: u64) -> u64 {
    seed.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn normal_score(normal: &Normal, random: &mut impl Rng) -> f64 {
    // A share of 0 would have the score −∞.
    let share: f64 = random.random();
    normal.inverse_cdf(share.max(f64::EPSILON))
}

#[cfg(test)]
mod tests {
    use analysis::Distribution;
    use analysis::stats::serial::autocorrelation;

    use super::*;

    const MS: u64 = 1_000_000;

    fn delays(slow: &[(f64, f64)]) -> Arc<DelayDistribution> {
        let slow = slow.iter().map(|&(time_ms, share)| SlowComponent { time_ms, share });
        Arc::new(DelayDistribution {
            source: "made up".to_owned(),
            quantiles_ns: (0..1_000).map(|share| share * 1_000).collect(),
            slow: slow.collect(),
        })
    }

    fn drawn(source: &mut DelaySource, times: impl Iterator<Item = u64>) -> Vec<f64> {
        #[expect(clippy::cast_precision_loss, reason = "delays below a millisecond")]
        times.map(|ms| source.delay_ns(ms * MS) as f64).collect()
    }

    #[test]
    fn drawn_delays_have_the_given_quantiles() {
        for slow in [&[][..], &[(5.0, 0.6), (100.0, 0.2)]] {
            let mut source = DelaySource::new(delays(slow), 1, 2);
            let mut found = Distribution::new();
            for ms in 0..40_000 {
                found.insert(i64::try_from(source.delay_ns(ms * MS)).unwrap());
            }
            for share in [0.1, 0.5, 0.9] {
                let quantile_ns = found.quantile(share).unwrap();
                assert!((quantile_ns - share * 1e6).abs() < 40e3, "{share} {quantile_ns}");
            }
        }
    }

    #[test]
    fn autocorrelation_falls_with_the_time_constant() {
        let mut source = DelaySource::new(delays(&[(50.0, 0.8)]), 1, 2);
        let series = drawn(&mut source, 0..60_000);
        for (lag, expected) in [(1, 0.8 * (-0.02_f64).exp()), (50, 0.8 * (-1.0_f64).exp()), (400, 0.0)] {
            let found = autocorrelation(&series, lag).unwrap();
            assert!((found - expected).abs() < 0.06, "{lag}: {found} instead of {expected}");
        }
        let independent = drawn(&mut DelaySource::new(delays(&[]), 1, 2), 0..10_000);
        assert!(autocorrelation(&independent, 1).unwrap().abs() < 0.04);
    }

    #[test]
    fn two_relays_share_the_slow_components_whenever_they_begin() {
        let (mut one, mut other) = (
            DelaySource::new(delays(&[(20.0, 1.0)]), 1, 7),
            DelaySource::new(delays(&[(20.0, 1.0)]), 2, 7),
        );
        _ = drawn(&mut one, 0..500);
        let (one, other) = (drawn(&mut one, 900..1_000), drawn(&mut other, 900..1_000));
        let apart = one.iter().zip(&other).map(|(one, other)| (one - other).abs());
        assert!(apart.fold(0.0, f64::max) <= 1_000.0, "{one:?} {other:?}");
    }
}
