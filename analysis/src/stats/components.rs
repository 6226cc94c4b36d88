//! How much of the variance arises between launches, between the segments of a launch, and between the requests of a
//! segment.
//!
//! Estimates are those of the nested analysis of variance: each mean square's expectation is a sum of components, and the
//! components are what solves them (Searle, Casella & McCulloch, <https://doi.org/10.1002/9780470316856>, ch. 3 to 5;
//! unequal sizes by the averaged coefficients given there). Such an estimate may be negative where a level adds nothing;
//! it is given as it is beside the variance, which is not. Intervals are chi-squared for the lowest level and Williams'
//! and Tukey's above it (Williams 1962, <https://doi.org/10.1093/biomet/49.1-2.278>), exact for equal sizes but for their
//! two-sidedness. They assume normal values on each level. Neighbouring requests resemble each other: what that adds to
//! the variance of a segment's mean counts to the segments.
//!
//! Validated against statsmodels and SciPy (`tests/reference`).

use serde::{Deserialize, Serialize};

use super::quantiles;

/// A level of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Fresh processes.
    Launch,
    /// Consecutive requests.
    Segment,
    /// One request.
    Observation,
}

/// The variance that a level adds, in the square of the values' unit.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Component {
    /// The level.
    pub level: Level,
    /// The variance; zero where the estimate is negative.
    pub variance: f64,
    /// The estimate without bias, which may be negative.
    pub unbiased: f64,
    /// 95 % interval of the variance, cut at zero.
    pub confidence_interval: (f64, f64),
    /// Degrees of freedom of the level's mean square.
    pub degrees_of_freedom: u64,
}

/// Number, mean and variance of the observations of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct SegmentMoments {
    /// Observations.
    pub n: u64,
    /// The mean of the observations.
    pub mean: f64,
    /// Their sample variance (divisor n - 1); without meaning for one observation.
    pub variance: f64,
}

/// Why there are no components.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ComponentsError {
    /// A variance between launches takes two.
    #[error(
        "{found} launch(es) with segments, but a variance between launches takes at least 2; measure more launches"
    )]
    TooFewLaunches {
        /// The number of launches.
        found: usize,
    },
    /// A variance between segments takes two of a launch.
    #[error(
        "no launch has two segments, so segments of a launch cannot be compared; measure more rounds per launch or make \
         segments shorter"
    )]
    OneSegment,
    /// A variance between observations takes two of a segment.
    #[error("no segment has two observations, so they cannot be compared; make segments longer")]
    OneObservation,
    /// A segment is empty or has a value that is not finite.
    #[error("launch {launch} (from 0), segment {segment} (from 0) is empty or not a number; look at its observations")]
    NoNumber {
        /// The index of the launch, from 0.
        launch: usize,
        /// The index of the segment, from 0.
        segment: usize,
    },
}

/// Confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// Components between launches and between segments from one value per segment, such as the difference of two arms'
/// medians. Launches may have different numbers of segments; those without any are left out.
///
/// # Errors
/// With fewer than two launches, without a launch of two segments, or for a value that is not finite.
#[expect(clippy::cast_precision_loss, reason = "counts of segments")]
pub fn of_segments(launches: &[Vec<f64>]) -> Result<[Component; 2], ComponentsError> {
    let launches: Vec<Vec<SegmentMoments>> = launches
        .iter()
        .map(|launch| {
            launch
                .iter()
                .map(|&mean| SegmentMoments {
                    n: 1,
                    mean,
                    variance: 0.0,
                })
                .collect()
        })
        .collect();
    let found = Nested::of(&launches)?;
    let (launch, segment) = (found.launches, found.segments);
    let size = (found.n - found.squares_of_launches / found.n) / (found.launch_count as f64 - 1.0);
    Ok([
        launch.above(&segment, segment.mean, size, Level::Launch),
        segment.lowest(Level::Segment),
    ])
}

/// Components between launches, between segments and between observations, from the moments of each segment, launch by
/// launch. Sizes may differ.
///
/// # Errors
/// As [`of_segments`]; also without a segment of two observations, or for a segment without any.
#[expect(clippy::cast_precision_loss, reason = "counts of segments")]
pub fn of_observations(launches: &[Vec<SegmentMoments>]) -> Result<[Component; 3], ComponentsError> {
    let found = Nested::of(launches)?;
    let observation = found.observations.ok_or(ComponentsError::OneObservation)?;
    let (launch, segment) = (found.launches, found.segments);
    let less_one = found.launch_count as f64 - 1.0;
    // Observations of a segment in the mean square of segments, and in that of launches; those of a launch.
    let in_segments = (found.n - found.squares_by_launch) / (segment.degrees_of_freedom as f64);
    let in_launches = (found.squares_by_launch - found.squares / found.n) / less_one;
    let of_launch = (found.n - found.squares_of_launches / found.n) / less_one;
    let below = observation.mean + in_launches / in_segments * (segment.mean - observation.mean);
    Ok([
        launch.above(&segment, below, of_launch, Level::Launch),
        segment.above(&observation, observation.mean, in_segments, Level::Segment),
        observation.lowest(Level::Observation),
    ])
}

/// A mean square.
#[derive(Clone, Copy)]
struct MeanSquare {
    mean: f64,
    degrees_of_freedom: u64,
}

impl MeanSquare {
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn new(sum: f64, degrees_of_freedom: u64) -> Self {
        Self {
            mean: sum / degrees_of_freedom as f64,
            degrees_of_freedom,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn freedom(&self) -> f64 {
        self.degrees_of_freedom as f64
    }

    fn lowest(&self, level: Level) -> Component {
        let end = |p| self.freedom() * self.mean / quantiles::chi_squared(p, self.freedom());
        let tail = (1.0 - CONFIDENCE) / 2.0;
        Component {
            level,
            variance: self.mean,
            unbiased: self.mean,
            confidence_interval: (end(1.0 - tail), end(tail)),
            degrees_of_freedom: self.degrees_of_freedom,
        }
    }

    /// The component of a level whose mean square would be `without` if the level added nothing, each of whose groups has
    /// `size` members.
    fn above(&self, lower: &Self, without: f64, size: f64, level: Level) -> Component {
        let unbiased = (self.mean - without) / size;
        let end = |p| {
            let expected = quantiles::f(p, self.freedom(), lower.freedom()) * without;
            let value = self.freedom() * (self.mean - expected) / (size * quantiles::chi_squared(p, self.freedom()));
            value.max(0.0)
        };
        let tail = (1.0 - CONFIDENCE) / 2.0;
        Component {
            level,
            variance: unbiased.max(0.0),
            unbiased,
            confidence_interval: (end(1.0 - tail), end(tail)),
            degrees_of_freedom: self.degrees_of_freedom,
        }
    }
}

/// The nested analysis of variance.
struct Nested {
    launches: MeanSquare,
    segments: MeanSquare,
    observations: Option<MeanSquare>,
    launch_count: usize,
    /// Observations.
    n: f64,
    /// Sum of squared segment sizes; the same divided by the sizes of their launches; sum of squared launch sizes.
    squares: f64,
    squares_by_launch: f64,
    squares_of_launches: f64,
}

impl Nested {
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn of(launches: &[Vec<SegmentMoments>]) -> Result<Self, ComponentsError> {
        check(launches)?;
        let launches: Vec<&Vec<SegmentMoments>> = launches.iter().filter(|launch| !launch.is_empty()).collect();
        if launches.len() < 2 {
            return Err(ComponentsError::TooFewLaunches { found: launches.len() });
        }
        let count: usize = launches.iter().map(|launch| launch.len()).sum();
        if count == launches.len() {
            return Err(ComponentsError::OneSegment);
        }
        let size = |launch: &[SegmentMoments]| launch.iter().map(|segment| segment.n as f64).sum::<f64>();
        let mean = |launch: &[SegmentMoments]| {
            launch
                .iter()
                .map(|segment| segment.n as f64 * segment.mean)
                .sum::<f64>()
                / size(launch)
        };
        let n: f64 = launches.iter().map(|launch| size(launch)).sum();
        let grand = launches.iter().map(|launch| size(launch) * mean(launch)).sum::<f64>() / n;
        let (mut between, mut within, mut inside, mut freedom) = (0.0, 0.0, 0.0, 0);
        let (mut squares, mut squares_by_launch, mut squares_of_launches) = (0.0, 0.0, 0.0);
        for launch in &launches {
            let (launch_size, launch_mean) = (size(launch), mean(launch));
            between += launch_size * (launch_mean - grand).powi(2);
            squares_of_launches += launch_size * launch_size;
            for segment in *launch {
                let segment_size = segment.n as f64;
                within += segment_size * (segment.mean - launch_mean).powi(2);
                squares += segment_size * segment_size;
                squares_by_launch += segment_size * segment_size / launch_size;
                if segment.n > 1 {
                    inside += (segment_size - 1.0) * segment.variance;
                    freedom += segment.n - 1;
                }
            }
        }
        Ok(Self {
            launches: MeanSquare::new(between, launches.len() as u64 - 1),
            segments: MeanSquare::new(within, (count - launches.len()) as u64),
            observations: (freedom > 0).then(|| MeanSquare::new(inside, freedom)),
            launch_count: launches.len(),
            n,
            squares,
            squares_by_launch,
            squares_of_launches,
        })
    }
}

fn check(launches: &[Vec<SegmentMoments>]) -> Result<(), ComponentsError> {
    for (launch, segments) in launches.iter().enumerate() {
        let bad = segments.iter().position(|moments| {
            let spread = moments.n < 2 || (moments.variance.is_finite() && moments.variance >= 0.0);
            moments.n == 0 || !moments.mean.is_finite() || !spread
        });
        if let Some(segment) = bad {
            return Err(ComponentsError::NoNumber { launch, segment });
        }
    }
    Ok(())
}
