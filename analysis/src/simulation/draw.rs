//! Random draws of launches.

use rand::RngExt;
use rand_pcg::Pcg64;

use crate::stats::bootstrap::generator;

/// The random draws of one simulated recording.
#[derive(Debug)]
pub struct Draw(Pcg64);

impl Draw {
    /// The draws of recording `number` of a simulation. They depend on `seed` and `number` alone.
    #[must_use]
    pub fn new(seed: u64, number: u64) -> Self {
        Self(generator(seed, number))
    }

    /// The indices of `count` out of `of` launches, drawn with replacement.
    pub fn places(&mut self, of: usize, count: usize) -> Vec<usize> {
        draw_places(of, count, &mut self.0)
    }

    /// The number of successes in `trials` trials of a probability, 0 to 1.
    pub fn successes(&mut self, trials: usize, probability: f64) -> u64 {
        let drawn = (0..trials).filter(|_| self.0.random_bool(probability));
        drawn.count() as u64
    }
}

/// `count` indices below `of`, drawn with replacement.
pub(super) fn draw_places(of: usize, count: usize, generator: &mut Pcg64) -> Vec<usize> {
    (0..count).map(|_| generator.random_range(0..of)).collect()
}
