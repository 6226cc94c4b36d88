//! The variance that arises between launches, and the variance that arises between the segments of a launch.
//!
//! The estimates are those of the nested analysis of variance: the expectation of each mean square is a sum of components, and
//! the components solve these equations (Searle, Casella & McCulloch, <https://doi.org/10.1002/9780470316856>, ch. 3 to 5;
//! unequal sizes by the averaged coefficients given there). Such an estimate may be negative where a level adds nothing;
//! [`Component::unbiased`] has it unchanged, and [`Component::variance`] is never negative. Intervals are chi-squared for
//! segments and Williams' and Tukey's for launches (Williams 1962, <https://doi.org/10.1093/biomet/49.1-2.278>), exact for equal
//! sizes but for their two-sidedness. They assume normal values on each level.
//!
//! Validated against statsmodels and SciPy (`tests/reference`).

use serde::{Deserialize, Serialize};

use super::quantiles;
use super::sorted::mean;

/// A level of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Fresh processes.
    Launch,
    /// Consecutive requests.
    Segment,
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

/// The reason why variance components cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ComponentsError {
    /// Fewer than two launches have no variance.
    #[error(
        "{found} launch(es) with segments, but a variance between launches takes at least 2; measure more launches"
    )]
    TooFewLaunches {
        /// The number of launches.
        found: usize,
    },
    /// No launch has two segments, so there is no variance between segments.
    #[error(
        "no launch has two segments, so segments of a launch cannot be compared; measure more rounds per launch or make \
         segments shorter"
    )]
    OneSegment,
    /// A launch has fewer segments than the length for which a share is wanted.
    #[error(
        "a launch has {found} segments, but this share needs at least {least} in each launch and at least 2; measure more rounds \
         per launch or make segments shorter"
    )]
    TooShort {
        /// The number of segments of the shortest launch.
        found: usize,
        /// The number of segments that the share needs.
        least: usize,
    },
    /// A segment has a value that is not finite.
    #[error("launch {launch} (from 0), segment {segment} (from 0) is not a number; look at its observations")]
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
/// medians. Launches may have different numbers of segments; launches without segments are left out.
///
/// # Errors
/// With fewer than two launches, without a launch of two segments, or for a value that is not finite.
#[expect(clippy::cast_precision_loss, reason = "counts of segments")]
pub fn of_segments(launches: &[Vec<f64>]) -> Result<[Component; 2], ComponentsError> {
    for (launch, segments) in launches.iter().enumerate() {
        if let Some(segment) = segments.iter().position(|value| !value.is_finite()) {
            return Err(ComponentsError::NoNumber { launch, segment });
        }
    }
    let launches: Vec<&Vec<f64>> = launches.iter().filter(|launch| !launch.is_empty()).collect();
    if launches.len() < 2 {
        return Err(ComponentsError::TooFewLaunches { found: launches.len() });
    }
    let count: usize = launches.iter().map(|launch| launch.len()).sum();
    if count == launches.len() {
        return Err(ComponentsError::OneSegment);
    }
    let n = count as f64;
    let grand = launches
        .iter()
        .map(|launch| launch.len() as f64 * mean(launch))
        .sum::<f64>()
        / n;
    let (mut between, mut within, mut squares) = (0.0, 0.0, 0.0);
    for launch in &launches {
        let (size, launch_mean) = (launch.len() as f64, mean(launch));
        between += size * (launch_mean - grand).powi(2);
        within += launch
            .iter()
            .map(|segment| (segment - launch_mean).powi(2))
            .sum::<f64>();
        squares += size * size;
    }
    let launch = MeanSquare::new(between, launches.len() - 1);
    let segment = MeanSquare::new(within, count - launches.len());
    let size = (n - squares / n) / (launches.len() as f64 - 1.0);
    Ok([launch.above(&segment, size), segment.lowest()])
}

/// The share of the variance of a launch's mean that lies between launches, if a launch consists of its first `segments`
/// segments: σ_L² / (σ_L² + σ_S²/k), with the components of these segments alone ([`of_segments`]). More segments do not reduce
/// this share of the variance. The 95 % interval follows from the interval of σ_L² alone, because σ_S² has many times as many
/// degrees of freedom.
///
/// # Errors
/// The errors of [`of_segments`], and an error for a launch with fewer segments.
#[expect(clippy::cast_precision_loss, reason = "a count of segments")]
pub fn launch_share(launches: &[Vec<f64>], segments: usize) -> Result<(f64, (f64, f64)), ComponentsError> {
    let found = launches.iter().map(Vec::len).min().unwrap_or(0);
    if segments < 2 || found < segments {
        return Err(ComponentsError::TooShort { found, least: segments });
    }
    let first: Vec<Vec<f64>> = launches.iter().map(|launch| launch[..segments].to_vec()).collect();
    let [launch, segment] = of_segments(&first)?;
    // Launches that are all alike have no variance, and no share of it lies between them.
    let share = |variance: f64| {
        let sum = variance + segment.variance / segments as f64;
        if sum > 0.0 { variance / sum } else { 0.0 }
    };
    let (low, high) = launch.confidence_interval;
    Ok((share(launch.variance), (share(low), share(high))))
}

/// A mean square with its degrees of freedom.
struct MeanSquare {
    mean: f64,
    degrees_of_freedom: u64,
    freedom: f64,
}

impl MeanSquare {
    #[expect(clippy::cast_precision_loss, reason = "counts of segments")]
    fn new(sum: f64, degrees_of_freedom: usize) -> Self {
        let freedom = degrees_of_freedom as f64;
        Self {
            mean: sum / freedom,
            degrees_of_freedom: degrees_of_freedom as u64,
            freedom,
        }
    }

    /// The component of the segments, whose mean square contains no other variance.
    fn lowest(&self) -> Component {
        let end = |p| self.freedom * self.mean / quantiles::chi_squared(p, self.freedom);
        self.component(Level::Segment, self.mean, end)
    }

    /// The component of the launches, each of which has `size` segments. The mean square of launches would be the mean square
    /// `lower` of segments if launches did not differ.
    fn above(&self, lower: &Self, size: f64) -> Component {
        let end = |p| {
            let expected = quantiles::f(p, self.freedom, lower.freedom) * lower.mean;
            let value = self.freedom * (self.mean - expected) / (size * quantiles::chi_squared(p, self.freedom));
            value.max(0.0)
        };
        self.component(Level::Launch, (self.mean - lower.mean) / size, end)
    }

    fn component(&self, level: Level, unbiased: f64, end: impl Fn(f64) -> f64) -> Component {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Launches that differ by ±`launch` and segments that differ by ±`segment`, in turn.
    fn launches(launch: f64, segment: f64, segments: usize) -> Vec<Vec<f64>> {
        let sign = |number: usize| if number.is_multiple_of(2) { 1.0 } else { -1.0 };
        let of = |number: usize| {
            (0..segments)
                .map(|one| launch * sign(number) + segment * sign(one))
                .collect()
        };
        (0..20).map(of).collect()
    }

    #[test]
    fn the_share_of_launches_grows_with_their_length() {
        let found = launches(1.0, 2.0, 64);
        let share = |segments| launch_share(&found, segments).unwrap().0;
        assert!(
            share(4) < share(16) && share(16) < share(64),
            "{} {} {}",
            share(4),
            share(16),
            share(64)
        );
        // σ_L² = 20/19 − 4/63 and σ_S² = 4·64/63, of which 1/64 counts.
        let (launch, segment) = (20.0 / 19.0 - 4.0 / 63.0, 4.0 / 63.0);
        assert!((share(64) - launch / (launch + segment)).abs() < 1e-9, "{}", share(64));
    }

    #[test]
    fn a_share_that_the_launches_are_too_short_for_is_an_error() {
        let error = launch_share(&launches(1.0, 1.0, 8), 10).unwrap_err();
        assert_eq!(error, ComponentsError::TooShort { found: 8, least: 10 });
        assert!(error.to_string().contains("measure more rounds"), "{error}");
        assert!(launch_share(&launches(1.0, 1.0, 8), 1).is_err());
    }
}
