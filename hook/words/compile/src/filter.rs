//! Builds the filters. A filter rules out places of a text that cannot hold a word, by a few look-ups that a processor
//! makes for many places at once. The idea is Teddy's in Hyperscan
//! (<https://www.usenix.org/conference/nsdi19/presentation/wang-xiang>).
//!
//! Each word is represented by a window of up to [`WINDOW`] of its bytes and belongs to one of [`BUCKETS`] buckets. A
//! place passes if there is a bucket in which, for each byte of the window, some word has the byte of the text. Windows
//! and buckets are chosen so that few places of ordinary requests pass: word by word the choice that adds the least, in
//! several sweeps.

use readhook_words::layout::{BUCKETS, EXACT_LEN, NIBBLES_LEN};
use readhook_words::{Candidate, WINDOW};

/// Ordinary requests, from which the frequency of each byte is taken.
const ORDINARY: &str = include_str!("ordinary.txt");
/// Number of sweeps over the words.
const SWEEPS: usize = 6;

pub(crate) struct FilterTable {
    pub(crate) nibbles: [u8; NIBBLES_LEN],
    pub(crate) exact: [u8; EXACT_LEN],
    pub(crate) buckets: [u16; BUCKETS + 1],
    pub(crate) candidates: Vec<Candidate>,
}

impl Default for FilterTable {
    fn default() -> Self {
        Self {
            nibbles: [0; NIBBLES_LEN],
            exact: [0; EXACT_LEN],
            buckets: [0; BUCKETS + 1],
            candidates: Vec::new(),
        }
    }
}

/// The bytes of a word that are tested; `None` matches every byte.
type Window = [Option<u8>; WINDOW];

/// Share of the bytes of ordinary requests, by low half and high half.
type Shares = [[f64; 16]; 16];

/// The words of one bucket: for each place of the window, how many of them need each half of a byte.
#[derive(Clone, Default)]
struct Bucket {
    low: [[u16; 16]; WINDOW],
    high: [[u16; 16]; WINDOW],
    any: [u16; WINDOW],
    words: usize,
}

impl Bucket {
    fn change(&mut self, window: &Window, by: i16) {
        for (place, byte) in window.iter().enumerate() {
            let add = |count: &mut u16| *count = count.wrapping_add_signed(by);
            match byte {
                Some(byte) => {
                    add(&mut self.low[place][usize::from(byte & 15)]);
                    add(&mut self.high[place][usize::from(byte >> 4)]);
                }
                None => add(&mut self.any[place]),
            }
        }
        self.words = self.words.wrapping_add_signed(by.into());
    }

    /// Returns the expected share of places that pass, under the assumption that bytes are independent.
    fn cost(&self, shares: &Shares) -> f64 {
        if self.words == 0 {
            return 0.0;
        }
        let place = |place: usize| {
            if self.any[place] > 0 {
                return 1.0;
            }
            let mut sum = 0.0;
            for (low, _) in self.low[place].iter().enumerate().filter(|(_, count)| **count > 0) {
                for (high, _) in self.high[place].iter().enumerate().filter(|(_, count)| **count > 0) {
                    sum += shares[low][high];
                }
            }
            sum
        };
        (0..WINDOW).map(place).product()
    }
}

/// Chooses windows and buckets of the words. No word may contain another one.
pub(crate) fn build(words: &[(usize, &[u8])]) -> FilterTable {
    let shares = shares();
    let mut buckets = vec![Bucket::default(); BUCKETS];
    let mut choices: Vec<Option<(usize, usize)>> = vec![None; words.len()];
    for _ in 0..SWEEPS {
        for ((_, word), choice) in words.iter().zip(&mut choices) {
            if let Some((bucket, offset)) = *choice {
                buckets[bucket].change(&window(word, offset), -1);
            }
            let (bucket, offset) = cheapest(&buckets, word, &shares);
            buckets[bucket].change(&window(word, offset), 1);
            *choice = Some((bucket, offset));
        }
    }
    tables(words, &choices)
}

fn shares() -> Shares {
    let mut shares = [[0.0; 16]; 16];
    // Each byte counts at least once, because no byte is impossible.
    let total = ORDINARY.len() as f64 + 128.0;
    for byte in 0..128_u8 {
        let count = ORDINARY.bytes().filter(|other| *other == byte).count() as f64;
        shares[usize::from(byte & 15)][usize::from(byte >> 4)] = (count + 1.0) / total;
    }
    shares
}

fn window(word: &[u8], offset: usize) -> Window {
    std::array::from_fn(|place| word.get(offset + place).copied())
}

/// Returns the bucket, and the place of the window in the word, that add the least to the cost.
fn cheapest(buckets: &[Bucket], word: &[u8], shares: &Shares) -> (usize, usize) {
    let mut best = (f64::INFINITY, 0, 0);
    for (index, bucket) in buckets.iter().enumerate() {
        let before = bucket.cost(shares);
        for offset in 0..=word.len().saturating_sub(WINDOW) {
            let mut with = bucket.clone();
            with.change(&window(word, offset), 1);
            let added = with.cost(shares) - before;
            if added < best.0 {
                best = (added, index, offset);
            }
        }
    }
    (best.1, best.2)
}

fn tables(words: &[(usize, &[u8])], choices: &[Option<(usize, usize)>]) -> FilterTable {
    let mut filter = FilterTable::default();
    for bucket in 0..BUCKETS {
        for ((index, word), choice) in words.iter().zip(choices) {
            if let Some((chosen, offset)) = *choice
                && chosen == bucket
            {
                filter.add(bucket, *index, word, offset);
            }
        }
        filter.buckets[bucket + 1] = filter.candidates.len() as u16;
    }
    filter
}

impl FilterTable {
    fn add(&mut self, bucket: usize, index: usize, word: &[u8], offset: usize) {
        let (set, bit) = (bucket / 8, 1 << (bucket % 8));
        let (mut key, mut mask) = (0_u32, 0_u32);
        for (place, byte) in window(word, offset).into_iter().enumerate() {
            let nibbles = &mut self.nibbles[(set * WINDOW + place) * 32..][..32];
            let exact = &mut self.exact[(set * WINDOW + place) * 128..][..128];
            match byte {
                Some(byte) => {
                    nibbles[usize::from(byte & 15)] |= bit;
                    nibbles[16 + usize::from(byte >> 4)] |= bit;
                    exact[usize::from(byte & 127)] |= bit;
                    key |= u32::from(byte) << (8 * place);
                    mask |= 0xff << (8 * place);
                }
                None => nibbles.iter_mut().chain(exact).for_each(|entry| *entry |= bit),
            }
        }
        self.candidates.push(Candidate {
            key,
            mask,
            offset,
            word: index,
        });
    }
}
