//! The dependence between successive requests, and the effective size of a sample of them.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::sorted::{mean, quantile};

/// Autocorrelation of a series at a lag: Σ(x_i - m)(x_{i+lag} - m) / Σ(x_i - m)², the usual (biased) estimator, as in R's
/// `acf`. `None` where the lag leaves no pair or the series does not vary.
#[must_use]
pub fn autocorrelation(series: &[f64], lag: usize) -> Option<f64> {
    if lag >= series.len() {
        return None;
    }
    let mean = mean(series);
    let squares: f64 = series.iter().map(|value| (value - mean).powi(2)).sum();
    let products: f64 = series
        .iter()
        .zip(&series[lag..])
        .map(|(one, later)| (one - mean) * (later - mean))
        .sum();
    (squares > 0.0 && squares.is_finite()).then_some(products / squares)
}

/// Effective sample size by batch means: the number of independent values whose mean would vary as much as this
/// series' does, n s² / (b s_b²), where s_b² is the variance of the means of batches of `batch` consecutive values.
/// At most n. Assumes batches long enough to be nearly independent of each other; where they are not, the true size is
/// smaller still. Flegal & Jones, <https://doi.org/10.1214/09-AOS735>. `None` below two whole batches and for a series
/// that does not vary.
#[must_use]
pub fn effective_sample_size(series: &[f64], batch: usize) -> Option<f64> {
    if batch == 0 || series.len() / batch < 2 {
        return None;
    }
    let means: Vec<f64> = series.chunks_exact(batch).map(mean).collect();
    effective_sample_size_of(series.len() as u64, variance(series)?, &means, batch as u64)
}

/// The effective sample size from the number of values, their sample variance and the means of their batches.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub fn effective_sample_size_of(n: u64, within: f64, means: &[f64], batch: u64) -> Option<f64> {
    let between = variance(means).filter(|_| means.len() > 1)?;
    let n = n as f64;
    (between > 0.0 && within > 0.0).then(|| (n * within / (batch as f64 * between)).min(n))
}

/// A streamed series: its autocorrelation at lag 1 and the means of its segments.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// The first value, from which all others are counted, so that squares stay small.
    origin: Option<i64>,
    first: f64,
    last: f64,
    n: u64,
    sum: f64,
    squares: f64,
    products: f64,
    /// Segment, sum, count.
    segments: Vec<(u64, f64, u64)>,
}

impl Neighbours {
    /// Adds the next value, ns, which belongs to this segment.
    pub fn push(&mut self, segment: u64, value_ns: i64) {
        let origin = *self.origin.get_or_insert(value_ns);
        #[expect(clippy::cast_precision_loss, reason = "times in ns are far below 2^53")]
        let value = (value_ns - origin) as f64;
        if self.n == 0 {
            self.first = value;
        } else {
            self.products += self.last * value;
        }
        self.last = value;
        self.n += 1;
        self.sum += value;
        self.squares += value * value;
        match self.segments.last_mut() {
            Some((last, sum, count)) if *last == segment => {
                *sum += value;
                *count += 1;
            }
            _ => self.segments.push((segment, value, 1)),
        }
    }

    /// Returns the autocorrelation at lag 1, as [`autocorrelation`] defines it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    pub fn autocorrelation(&self) -> Option<f64> {
        if self.n < 2 {
            return None;
        }
        let n = self.n as f64;
        let mean = self.sum / n;
        let squares = self.squares - n * mean * mean;
        // Σ(x_i - m)(x_{i+1} - m), multiplied out.
        let products = self.products - mean * (2.0 * self.sum - self.first - self.last) + (n - 1.0) * mean * mean;
        (squares > 0.0 && squares.is_finite()).then_some(products / squares)
    }

    /// Means of the segments in the order in which they passed, less the first value of all, ns.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    pub fn segment_means(&self) -> Vec<f64> {
        self.segments
            .iter()
            .map(|(_, sum, count)| sum / *count as f64)
            .collect()
    }
}

/// A percentile interval of mean(`arm`) - mean(`baseline`) by the circular block bootstrap, in the unit of the series:
/// blocks of `block` consecutive values are drawn with replacement, so that neighbours stay together. Politis & Romano
/// (1992), in LePage & Billard, *Exploring the Limits of Bootstrap*; Lahiri, <https://doi.org/10.1007/978-1-4757-3803-2>.
///
/// The interval describes the mean of *one* recording. It does not describe the difference to another launch. The same
/// seed gives the same interval. `None` for a series shorter than one block, fewer than 100 resamples, a block of zero, or
/// a confidence outside of 0 to 1.
#[must_use]
pub fn block_bootstrap_difference(
    baseline: &[f64],
    arm: &[f64],
    block: usize,
    resamples: usize,
    confidence: f64,
    seed: u64,
) -> Option<(f64, f64)> {
    let usable = block > 0 && baseline.len() >= block && arm.len() >= block;
    if !usable || resamples < 100 || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let mut generator = Pcg64::seed_from_u64(seed);
    let (baseline, arm) = (Cumulated::new(baseline), Cumulated::new(arm));
    let mut differences: Vec<f64> = (0..resamples)
        .map(|_| arm.resampled_mean(block, &mut generator) - baseline.resampled_mean(block, &mut generator))
        .collect();
    differences.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Some((quantile(&differences, tail), quantile(&differences, 1.0 - tail)))
}

/// The variances of resamples of a series by the circular block bootstrap, as [`block_bootstrap_difference`] draws them, in the
/// square of the series' unit. The same seed gives the same variances. `None` for a series shorter than one block, and for a
/// block of zero.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub fn block_bootstrap_variances(series: &[f64], block: usize, resamples: usize, seed: u64) -> Option<Vec<f64>> {
    if block == 0 || series.len() < block {
        return None;
    }
    // Squares of the distances from the mean stay small.
    let centre = mean(series);
    let centred: Vec<f64> = series.iter().map(|value| value - centre).collect();
    let squared: Vec<f64> = centred.iter().map(|value| value * value).collect();
    let (centred, squared) = (Cumulated::new(&centred), Cumulated::new(&squared));
    let blocks = series.len().div_ceil(block);
    let drawn = (blocks * block) as f64;
    let mut generator = Pcg64::seed_from_u64(seed);
    let variance = |_| {
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..blocks {
            let start = generator.random_range(0..series.len());
            sum += centred.sum_of(start, block);
            squares += squared.sum_of(start, block);
        }
        (squares - sum * sum / drawn) / (drawn - 1.0)
    };
    Some((0..resamples).map(variance).collect())
}

/// Sums up to each place of a series that starts again at its end, so that the sum of a block is one subtraction.
struct Cumulated {
    sums: Vec<f64>,
    len: usize,
}

impl Cumulated {
    fn new(series: &[f64]) -> Self {
        let mut sum = 0.0;
        let sums = std::iter::once(0.0)
            .chain(series.iter().chain(series).map(|value| {
                sum += value;
                sum
            }))
            .collect();
        Self {
            sums,
            len: series.len(),
        }
    }

    fn sum_of(&self, start: usize, count: usize) -> f64 {
        self.sums[start + count] - self.sums[start]
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn resampled_mean(&self, block: usize, generator: &mut Pcg64) -> f64 {
        let blocks = self.len.div_ceil(block);
        let sum: f64 = (0..blocks)
            .map(|_| {
                let start = generator.random_range(0..self.len);
                self.sum_of(start, block)
            })
            .sum();
        sum / (blocks * block) as f64
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn variance(series: &[f64]) -> Option<f64> {
    let mean = mean(series);
    (series.len() > 1)
        .then(|| series.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (series.len() - 1) as f64)
}
