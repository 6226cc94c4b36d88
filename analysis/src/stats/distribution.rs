//! Exact distributions of whole nanoseconds.

use std::collections::BTreeMap;

use super::page::{Page, join, split};

/// The exact count of each value, with a resolution of 1 ns.
///
/// Memory follows the number of *distinct* values, not of observations: values are kept in pages of 1,024 ns, each a
/// small tree of counts until it has many, and an array of 8 KiB from then on. Ten million round trips of 20 to 200 us
/// take 1.4 MB. Pages up to half a millisecond are found by their number, others in a tree. Two distributions can be
/// merged without loss.
///
/// Validated against a sorted list of the same values (property tests) and against NumPy.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// The pages from number 0 on, as far as there are values.
    near: Vec<Page>,
    /// Pages below and beyond.
    far: BTreeMap<i64, Page>,
    len: u64,
    // A u64 of i64 values cannot overflow it.
    sum: i128,
}

/// Numbers of the pages that are found without a search: up to half a millisecond.
const NEAR: i64 = 512;

impl Distribution {
    /// Without any value.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a value, ns.
    pub fn insert(&mut self, value_ns: i64) {
        self.insert_times(value_ns, 1);
    }

    /// Counts a value `times` times.
    pub fn insert_times(&mut self, value_ns: i64, times: u64) {
        if times == 0 {
            return;
        }
        let (number, place) = split(value_ns);
        self.page(number).add(place, times);
        self.len += times;
        self.sum += i128::from(value_ns) * i128::from(times);
    }

    fn page(&mut self, number: i64) -> &mut Page {
        match usize::try_from(number) {
            Ok(index) if number < NEAR => {
                if index >= self.near.len() {
                    self.near.resize_with(index + 1, Page::default);
                }
                &mut self.near[index]
            }
            _ => self.far.entry(number).or_default(),
        }
    }

    /// Pages with their numbers, ascending.
    fn pages(&self) -> impl DoubleEndedIterator<Item = (i64, &Page)> {
        let far = |(&number, page)| (number, page);
        let below = self.far.range(..0).map(far);
        let beyond = self.far.range(NEAR..).map(far);
        let near = self.near.iter().enumerate().map(|(number, page)| (number as i64, page));
        below.chain(near).chain(beyond)
    }

    /// Adds all of another distribution.
    pub fn merge(&mut self, other: &Self) {
        for (value_ns, times) in other.iter() {
            self.insert_times(value_ns, times);
        }
    }

    /// Number of observations.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the distribution is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Distinct values with their counts, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, u64)> + '_ {
        self.pages()
            .flat_map(|(number, page)| page.iter().map(move |(place, times)| (join(number, place), times)))
    }

    /// Smallest value, ns.
    #[must_use]
    pub fn min(&self) -> Option<i64> {
        self.iter().next().map(|(value_ns, _)| value_ns)
    }

    /// Largest value, ns.
    #[must_use]
    pub fn max(&self) -> Option<i64> {
        self.iter().next_back().map(|(value_ns, _)| value_ns)
    }

    /// Sum of all values, ns.
    #[must_use]
    pub fn sum(&self) -> i128 {
        self.sum
    }

    /// Arithmetic mean, ns.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean has the precision of f64")]
    pub fn mean(&self) -> Option<f64> {
        // Whole part and remainder apart, so that a large sum costs no digits.
        let len = i128::from(self.len);
        (len > 0).then(|| (self.sum / len) as f64 + (self.sum % len) as f64 / len as f64)
    }

    /// Sample variance (divisor n - 1), ns²; `None` below two values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a variance has the precision of f64")]
    pub fn variance(&self) -> Option<f64> {
        if self.len < 2 {
            return None;
        }
        let pivot = self.sum / i128::from(self.len);
        // Deviations from the whole part of the mean are exact; the second sum corrects for the rest of it.
        let (mut squares, mut deviations) = (0.0, 0.0);
        for (value_ns, times) in self.iter() {
            let deviation = (i128::from(value_ns) - pivot) as f64;
            squares += times as f64 * deviation * deviation;
            deviations += times as f64 * deviation;
        }
        let len = self.len as f64;
        Some(((squares - deviations * deviations / len) / (len - 1.0)).max(0.0))
    }

    /// Sample quantile, type 7 of Hyndman & Fan (<https://doi.org/10.1080/00031305.1996.10473566>), the default of R and
    /// NumPy: linear between the order statistics around (n - 1)p. `None` for an empty distribution and for a `p`
    /// outside of 0 to 1.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "(n - 1)p lies between 0 and n - 1"
    )]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if self.is_empty() || !(0.0..=1.0).contains(&p) {
            return None;
        }
        let position = (self.len - 1) as f64 * p;
        let below = (position.floor() as u64).min(self.len - 1);
        let (low, high) = self.neighbours(below)?;
        // The difference is taken in integers, which keeps it exact.
        let step = (i128::from(high) - i128::from(low)) as f64;
        Some(low as f64 + step * (position - below as f64))
    }

    /// Standard error of the median, ns: half of the distance between the order statistics one binomial standard deviation,
    /// √n / 2 ranks, to both sides of it (Woodruff 1952, <https://doi.org/10.1080/01621459.1952.10483443>). Takes the values
    /// as independent; where they are not, the true error is larger. `None` below four values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of a count")]
    pub fn median_standard_error(&self) -> Option<f64> {
        if self.len < 4 {
            return None;
        }
        let share = 0.5 / (self.len as f64).sqrt();
        Some((self.quantile(0.5 + share)? - self.quantile(0.5 - share)?) / 2.0)
    }

    /// The values of a rank and of the next one; the last one twice.
    fn neighbours(&self, rank: u64) -> Option<(i64, i64)> {
        let mut before = 0;
        let mut low = None;
        for (number, page) in self.pages() {
            if before + page.total <= rank {
                before += page.total;
                continue;
            }
            for (place, times) in page.iter() {
                before += times;
                let value_ns = join(number, place);
                if let Some(low) = low {
                    return Some((low, value_ns));
                }
                if before > rank + 1 {
                    return Some((value_ns, value_ns));
                }
                if before > rank {
                    low = Some(value_ns);
                }
            }
        }
        low.map(|low| (low, low))
    }

    /// Mean without the lowest and the highest `share` of the observations each, whole observations only, as SciPy's
    /// `trim_mean`. `None` for an empty distribution and for a share outside of 0 up to, but not including, a half.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of n lies between 0 and n"
    )]
    pub fn trimmed_mean(&self, share: f64) -> Option<f64> {
        if self.is_empty() || !(0.0..0.5).contains(&share) {
            return None;
        }
        let cut = (self.len as f64 * share).floor() as u64;
        let (first, end) = (cut, self.len - cut);
        let mut sum = 0_i128;
        let mut before = 0;
        for (value_ns, times) in self.iter() {
            let after = before + times;
            let kept = after.min(end).saturating_sub(before.max(first));
            sum += i128::from(value_ns) * i128::from(kept);
            before = after;
        }
        let kept = i128::from(end - first);
        Some((sum / kept) as f64 + (sum % kept) as f64 / kept as f64)
    }
}

impl Extend<i64> for Distribution {
    fn extend<I: IntoIterator<Item = i64>>(&mut self, values_ns: I) {
        for value_ns in values_ns {
            self.insert(value_ns);
        }
    }
}

impl FromIterator<i64> for Distribution {
    fn from_iter<I: IntoIterator<Item = i64>>(values_ns: I) -> Self {
        let mut distribution = Self::new();
        distribution.extend(values_ns);
        distribution
    }
}

impl PartialEq for Distribution {
    /// Same values, same counts; how pages are stored depends on the order of insertion and does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}
