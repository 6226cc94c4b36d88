//! Medians of consecutive requests.

use super::Distribution;

/// A segment with more values than this is counted instead of kept, so that memory does not follow its length.
const KEPT: usize = 1 << 16;

/// Medians of consecutive parts of a sequence: a part is a segment. As the series of [`super::levels`] they show how a
/// launch went, as differences of two arms how much segments vary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SegmentMedians {
    segment: u64,
    current: Vec<i64>,
    counted: Distribution,
    medians: Vec<(u64, f64)>,
}

impl SegmentMedians {
    /// Adds a value of a segment; segments come in order.
    pub fn add(&mut self, segment: u64, value: i64) {
        if segment != self.segment {
            self.close();
            self.segment = segment;
        }
        if self.current.len() == KEPT {
            self.counted.extend(self.current.drain(..));
        }
        self.current.push(value);
    }

    fn close(&mut self) {
        let median = if self.counted.is_empty() {
            median(&mut self.current)
        } else {
            let mut counted = std::mem::take(&mut self.counted);
            counted.extend(self.current.iter().copied());
            counted.quantile(0.5)
        };
        self.current.clear();
        self.medians.extend(median.map(|median| (self.segment, median)));
    }

    /// The medians, in order.
    #[must_use]
    pub fn medians(self) -> Vec<f64> {
        self.by_segment().into_iter().map(|(_, median)| median).collect()
    }

    /// Segments with their medians, in order.
    #[must_use]
    pub fn by_segment(mut self) -> Vec<(u64, f64)> {
        self.close();
        self.medians
    }
}

/// Returns the median of the values, as [`Distribution::quantile`] at 0.5 defines it, and reorders the values. `None`
/// without values.
#[expect(clippy::cast_precision_loss, reason = "a median has the precision of f64")]
pub(crate) fn median(values: &mut [i64]) -> Option<f64> {
    let upper = values.len().checked_sub(1)? / 2 + (values.len() + 1) % 2;
    let (below, &mut high, _) = values.select_nth_unstable(upper);
    if below.len() * 2 < values.len() && values.len() % 2 == 1 {
        return Some(high as f64);
    }
    let low = values[..upper].iter().copied().max()?;
    let step = (i128::from(high) - i128::from(low)) as f64;
    Some(low as f64 + step * 0.5)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_median_is_that_of_the_distribution(values in prop::collection::vec(-2_000_i64..2_000, 0..60)) {
            let expected = values.iter().copied().collect::<Distribution>().quantile(0.5);
            prop_assert_eq!(median(&mut values.clone()), expected);
        }
    }

    #[test]
    fn a_long_segment_is_counted() {
        let mut segments = SegmentMedians::default();
        let last = 3 * KEPT as i64;
        (0..=last).for_each(|value| segments.add(7, value));
        segments.add(9, 1);
        assert_eq!(segments.by_segment(), [(7, last as f64 / 2.0), (9, 1.0)]);
    }
}
