//! Counts of the values that share all but their lowest ten bits.

use std::collections::BTreeMap;

/// Values per page: 1,024 ns, so that a dense page is 8 KiB.
const SIZE: usize = 1 << BITS;
/// Bits of a value that are its place in the page.
const BITS: u32 = 10;
/// Distinct values from which an array is about as small as a tree, and much faster.
const DENSE_FROM: usize = 128;

/// Splits a value into the number of its page and its place in it; the order of values is kept for negative ones too.
pub(super) fn split(value: i64) -> (i64, u16) {
    let place = value & (SIZE as i64 - 1);
    (value >> BITS, u16::try_from(place).expect("ten bits fit"))
}

/// The value at a place of a page.
pub(super) fn join(number: i64, place: u16) -> i64 {
    (number << BITS) | i64::from(place)
}

/// The count of each value of a page.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// All observations in the page.
    pub(super) total: u64,
    counts: Counts,
}

#[derive(Clone, Debug)]
enum Counts {
    /// Tails: few values, far apart.
    Sparse(BTreeMap<u16, u64>),
    /// The body: most values were seen.
    Dense(Box<[u64]>),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Sparse(BTreeMap::new())
    }
}

impl Page {
    /// Counts a value `times` more.
    pub(super) fn add(&mut self, place: u16, times: u64) {
        self.total += times;
        match &mut self.counts {
            Counts::Dense(counts) => counts[usize::from(place)] += times,
            Counts::Sparse(counts) => {
                *counts.entry(place).or_default() += times;
                if counts.len() >= DENSE_FROM {
                    let mut dense = vec![0; SIZE].into_boxed_slice();
                    for (&place, &times) in &*counts {
                        dense[usize::from(place)] = times;
                    }
                    self.counts = Counts::Dense(dense);
                }
            }
        }
    }

    /// Places and counts, ascending, without empty places.
    pub(super) fn iter(&self) -> Box<dyn DoubleEndedIterator<Item = (u16, u64)> + '_> {
        match &self.counts {
            Counts::Sparse(counts) => Box::new(counts.iter().map(|(&place, &times)| (place, times))),
            Counts::Dense(counts) => {
                let places = 0..=u16::try_from(SIZE - 1).expect("ten bits fit");
                Box::new(
                    places
                        .map(|place| (place, counts[usize::from(place)]))
                        .filter(|&(_, times)| times > 0),
                )
            }
        }
    }
}
