//! A streamed sequence of values, reduced to the points that a plot of it can show.

/// A point of a sequence: iteration and value.
pub type Point = (u64, f64);

/// Per column of iterations the first, least, greatest and last value, which draws the same picture as all of them as
/// long as a column is no wider than a pixel. Memory is bounded by the number of columns, not by the length.
#[derive(Clone, Debug, PartialEq)]
pub struct Thinned {
    iterations_per_column: u64,
    most_columns: usize,
    columns: Vec<Option<ThinnedColumn>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct ThinnedColumn {
    first: Point,
    least: Point,
    greatest: Point,
    last: Point,
}

impl ThinnedColumn {
    fn merge(self, other: Self) -> Self {
        let pick = |takes_other: bool, one, other| if takes_other { other } else { one };
        Self {
            first: pick(other.first.0 < self.first.0, self.first, other.first),
            least: pick(other.least.1 < self.least.1, self.least, other.least),
            greatest: pick(other.greatest.1 > self.greatest.1, self.greatest, other.greatest),
            last: pick(other.last.0 >= self.last.0, self.last, other.last),
        }
    }
}

impl Thinned {
    /// For about `expected` iterations drawn over `columns` columns. If more come, columns are merged in pairs, so that
    /// there are never more than twice `columns`.
    #[must_use]
    pub fn new(expected: u64, columns: usize) -> Self {
        let columns = columns.max(1);
        Self {
            iterations_per_column: expected.div_ceil(columns as u64).max(1),
            most_columns: columns.saturating_mul(2),
            columns: Vec::new(),
        }
    }

    /// Adds the value of one iteration. The order in which iterations come does not matter. A value that is not finite
    /// is left out.
    pub fn push(&mut self, iteration: u64, value: f64) {
        if !value.is_finite() {
            return;
        }
        let index = loop {
            match usize::try_from(iteration / self.iterations_per_column) {
                Ok(index) if index < self.most_columns => break index,
                _ => self.halve(),
            }
        };
        if index >= self.columns.len() {
            self.columns.resize(index + 1, None);
        }
        let point = (iteration, value);
        let column = ThinnedColumn {
            first: point,
            least: point,
            greatest: point,
            last: point,
        };
        self.columns[index] = Some(self.columns[index].map_or(column, |kept| kept.merge(column)));
    }

    fn halve(&mut self) {
        self.iterations_per_column = self.iterations_per_column.saturating_mul(2);
        self.columns = self
            .columns
            .chunks(2)
            .map(|pair| pair.iter().copied().flatten().reduce(ThinnedColumn::merge))
            .collect();
    }

    /// The points to draw, by iteration.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        self.columns.iter().flatten().flat_map(|column| {
            let mut points = [column.first, column.least, column.greatest, column.last];
            points.sort_by_key(|point| point.0);
            let mut previous = None;
            points
                .into_iter()
                .filter(move |point| previous.replace(point.0) != Some(point.0))
        })
    }

    /// The greatest iteration, if any.
    #[must_use]
    pub fn last_iteration(&self) -> Option<u64> {
        self.columns.iter().rev().flatten().next().map(|column| column.last.0)
    }

    /// Least and greatest value, if any.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        self.columns
            .iter()
            .flatten()
            .map(|column| (column.least.1, column.greatest.1))
            .reduce(|kept, next| (kept.0.min(next.0), kept.1.max(next.1)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Thinned;

    #[test]
    fn a_short_sequence_is_kept_whole() {
        let mut thinned = Thinned::new(3, 10);
        for (iteration, value) in [(0, 3.0), (1, 1.0), (2, 2.0)] {
            thinned.push(iteration, value);
        }
        thinned.push(3, f64::NAN);
        assert_eq!(thinned.points().collect::<Vec<_>>(), [(0, 3.0), (1, 1.0), (2, 2.0)]);
        assert_eq!(thinned.last_iteration(), Some(2));
        assert_eq!(thinned.range(), Some((1.0, 3.0)));
    }

    #[test]
    fn an_empty_sequence_has_no_points() {
        let thinned = Thinned::new(0, 0);
        assert!(thinned.points().next().is_none() && thinned.range().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn extremes_and_ends_survive_however_long_it_gets(
            values in prop::collection::vec(0.1_f64..100.0, 1..400),
            expected in 0_u64..500,
            columns in 1_usize..20,
        ) {
            let mut thinned = Thinned::new(expected, columns);
            for (iteration, value) in values.iter().enumerate() {
                thinned.push(iteration as u64, *value);
            }
            let points: Vec<_> = thinned.points().collect();
            prop_assert!(points.len() <= 8 * columns);
            prop_assert!(points.is_sorted_by(|left, right| left.0 < right.0));
            prop_assert_eq!(points.first().copied(), Some((0, values[0])));
            prop_assert_eq!(points.last().map(|point| point.1), values.last().copied());
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = values.iter().copied().fold(0.0, f64::max);
            prop_assert_eq!(thinned.range(), Some((least, greatest)));
            prop_assert!(points.iter().any(|point| point.1 == greatest));
            prop_assert!(points.iter().all(|point| values[point.0 as usize] == point.1));
        }
    }
}
