//! The mapping from values to points on the canvas, and the positions of ticks.

use super::number::{decimals_of, fixed};

/// The mapping of values to a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Linear,
    Log,
}

/// Maps a domain of values to a range of points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    kind: Kind,
    domain: (f64, f64),
    range: (f64, f64),
}

impl Scale {
    /// Makes a linear scale: equal differences of values have equal lengths.
    pub(super) fn linear(domain: (f64, f64), range: (f64, f64)) -> Self {
        Self {
            kind: Kind::Linear,
            domain,
            range,
        }
    }

    /// Makes a logarithmic scale: equal ratios of values have equal lengths. The domain must be positive.
    pub(super) fn log(domain: (f64, f64), range: (f64, f64)) -> Self {
        Self {
            kind: Kind::Log,
            domain,
            range,
        }
    }

    /// Returns the position of `value`. It is outside the range if `value` is outside the domain.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let share = match self.kind {
            Kind::Linear => (value - low) / (high - low),
            Kind::Log => (value / low).ln() / (high / low).ln(),
        };
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// The least and greatest value shown.
    pub(super) fn domain(&self) -> (f64, f64) {
        self.domain
    }
}

/// Ticks of an axis: labelled ones, and small ones between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ticks {
    pub(super) major: Vec<(f64, String)>,
    pub(super) minor: Vec<f64>,
}

impl Ticks {
    /// The labels.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.major.iter().map(|(_, label)| label.as_str())
    }
}

/// Returns a step of 1, 2 or 5 times a power of ten, so that `span` has about `target` steps.
fn nice_step(span: f64, target: f64) -> f64 {
    let rough = span / target;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Returns the domain widened to whole steps, so that the axis ends on ticks.
pub(super) fn widen(domain: (f64, f64), target: f64) -> (f64, f64) {
    let (low, high) = domain;
    let span = if high > low { high - low } else { low.abs().max(1.0) };
    let step = nice_step(span, target);
    let first = (low / step + 1e-9).floor();
    let last = (high / step - 1e-9).ceil().max(first + 1.0);
    (first * step, last * step)
}

/// Ticks at whole steps inside the domain.
pub(super) fn linear_ticks(domain: (f64, f64), target: f64) -> Ticks {
    let step = nice_step(domain.1 - domain.0, target);
    let decimals = decimals_of(step);
    let mut major = Vec::new();
    let mut index = (domain.0 / step - 1e-9).ceil();
    while index * step <= domain.1 + step * 1e-9 {
        major.push((index * step, fixed(index * step, decimals)));
        index += 1.0;
    }
    Ticks {
        major,
        minor: Vec::new(),
    }
}

/// Returns the domain widened to 1, 2 or 5 times powers of ten.
pub(super) fn widen_log(domain: (f64, f64)) -> (f64, f64) {
    let below = |value: f64| {
        let power = 10_f64.powf((value.log10() + 1e-9).floor());
        [5.0, 2.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|&low| low <= value * (1.0 + 1e-9))
            .unwrap_or(power)
    };
    let above = |value: f64| {
        let power = 10_f64.powf((value.log10() + 1e-9).floor());
        let factors = [1.0, 2.0, 5.0, 10.0];
        factors
            .map(|factor| factor * power)
            .into_iter()
            .find(|&high| high >= value * (1.0 - 1e-9))
    };
    let low = below(domain.0);
    let high = above(domain.1).unwrap_or(domain.1);
    // A constant series would give a domain without extent.
    if high > low * 1.5 {
        (low, high)
    } else {
        (low, low * 2.0)
    }
}

/// Returns the ticks of a logarithmic axis. Up to two and a half decades the labels are at 1, 2 and 5, otherwise at
/// powers of ten. Small ticks are at the other digits.
pub(super) fn log_ticks(domain: (f64, f64)) -> Ticks {
    let (low, high) = (domain.0 * (1.0 - 1e-9), domain.1 * (1.0 + 1e-9));
    let dense = (high / low).log10() <= 2.5;
    let mut ticks = Ticks::default();
    let mut exponent = low.log10().floor();
    while 10_f64.powf(exponent) <= high {
        let power = 10_f64.powf(exponent);
        for digit in 1..=9_u8 {
            let value = f64::from(digit) * power;
            if value < low || value > high {
                continue;
            }
            if digit == 1 || (dense && (digit == 2 || digit == 5)) {
                ticks.major.push((value, fixed(value, decimals_of(power))));
            } else {
                ticks.minor.push(value);
            }
        }
        exponent += 1.0;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::{Scale, linear_ticks, log_ticks, widen, widen_log};

    fn labels(ticks: &super::Ticks) -> Vec<&str> {
        ticks.labels().collect()
    }

    #[test]
    fn values_land_where_they_should() {
        let linear = Scale::linear((0.0, 5.0), (100.0, 0.0));
        assert!((linear.at(0.0) - 100.0).abs() < 1e-9 && (linear.at(2.5) - 50.0).abs() < 1e-9);
        let log = Scale::log((1.0, 100.0), (0.0, 10.0));
        assert!((log.at(10.0) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn linear_ticks_are_round_and_inside() {
        assert_eq!(labels(&linear_ticks((0.0, 5.0), 6.0)), ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(
            labels(&linear_ticks((-0.1, 0.2), 4.0)),
            ["\u{2212}0.1", "0.0", "0.1", "0.2"]
        );
        assert_eq!(
            labels(&linear_ticks((0.0, 10_000.0), 6.0)),
            ["0", "2,000", "4,000", "6,000", "8,000", "10,000"]
        );
    }

    #[test]
    fn domains_widen_to_whole_steps() {
        assert_eq!(widen((0.0, 4.7), 6.0), (0.0, 5.0));
        assert_eq!(widen((3.0, 3.0), 5.0), (3.0, 4.0));
        assert_eq!(widen_log((1.2, 17.0)), (1.0, 20.0));
        assert_eq!(widen_log((10.0, 10.0)), (10.0, 20.0));
        let (low, high) = widen_log((0.0251, 0.6));
        assert!((low - 0.02).abs() < 1e-12 && (high - 1.0).abs() < 1e-12, "{low} {high}");
    }

    #[test]
    fn log_ticks_label_one_two_five_or_decades() {
        let ticks = log_ticks((1.0, 20.0));
        assert_eq!(labels(&ticks), ["1", "2", "5", "10", "20"]);
        assert_eq!(ticks.minor, [3.0, 4.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!(labels(&log_ticks((0.1, 1000.0))), ["0.1", "1", "10", "100", "1,000"]);
        assert_eq!(
            labels(&log_ticks((0.02, 1.0))),
            ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]
        );
    }
}
