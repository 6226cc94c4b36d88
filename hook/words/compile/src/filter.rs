//! Builds the filters. A filter rules out places of a text that cannot hold a word, by a few look-ups that a processor
//! makes for many places at once. The idea is Teddy's in Hyperscan
//! (<https://www.usenix.org/conference/nsdi19/presentation/wang-xiang>).
//!
//! Each word is represented by a window of up to [`WINDOW`] of its bytes and belongs to one of [`BUCKETS`] buckets. A
//! place passes if there is a bucket in which, for each look-up, some word has the bits that the look-up sees in the
//! text. Windows and buckets are chosen so that few places of ordinary requests pass: word by word the choice that adds
//! the least, in several sweeps.

use std::sync::LazyLock;

use readhook_words::layout::{BUCKETS, EXACT_LEN, LOOK_UPS, PARTS, STARTS_LEN, part, start};
use readhook_words::{Candidate, WINDOW};

/// Ordinary requests, at whose places the filter is tried.
const ORDINARY: &[u8] = include_bytes!("ordinary.txt");
/// Largest number of sweeps over the words.
const SWEEPS: usize = 5;

pub(crate) struct FilterTable {
    pub(crate) parts: [[u8; 16]; PARTS],
    pub(crate) exact: [u8; EXACT_LEN],
    pub(crate) starts: [u8; STARTS_LEN],
    pub(crate) buckets: [u16; BUCKETS + 1],
    pub(crate) candidates: Vec<Candidate>,
}

impl Default for FilterTable {
    fn default() -> Self {
        Self {
            parts: [[0; 16]; PARTS],
            exact: [0; EXACT_LEN],
            starts: [0; STARTS_LEN],
            buckets: [0; BUCKETS + 1],
            candidates: Vec::new(),
        }
    }
}

/// The bytes of a word that are tested; `None` matches every byte.
type Window = [Option<u8>; WINDOW];

/// The texts that pass a look-up.
#[derive(Clone)]
struct Passing {
    /// The places of the ordinary requests, one bit each.
    places: Vec<u64>,
    /// The values of the low 7 bits of the byte, one bit each.
    bytes: u128,
}

impl Passing {
    fn none() -> Self {
        Self {
            places: vec![0; ORDINARY.len().div_ceil(64)],
            bytes: 0,
        }
    }

    fn all() -> Self {
        Self {
            places: vec![u64::MAX; ORDINARY.len().div_ceil(64)],
            bytes: u128::MAX,
        }
    }

    fn add(&mut self, more: &Self) {
        for (place, more) in self.places.iter_mut().zip(&more.places) {
            *place |= more;
        }
        self.bytes |= more.bytes;
    }
}

/// The ordinary requests.
struct Sample {
    /// For each look-up and each value that it can see, the texts with this value.
    seen: [[Passing; 16]; LOOK_UPS],
    /// Share of the places, by the low 7 bits of the byte.
    shares: [f64; 128],
}

impl Sample {
    fn new() -> Self {
        let mut seen: [[Passing; 16]; LOOK_UPS] = std::array::from_fn(|_| std::array::from_fn(|_| Passing::none()));
        for (look_up, seen) in seen.iter_mut().enumerate() {
            for byte in 0..128 {
                seen[part(look_up, byte)].bytes |= 1 << byte;
            }
            for at in 0..ORDINARY.len() {
                let byte = ORDINARY.get(at + look_up / 2).copied().unwrap_or(0);
                seen[part(look_up, byte)].places[at / 64] |= 1 << (at % 64);
            }
        }
        // Each byte counts at least once, because no byte is impossible.
        let total = (ORDINARY.len() + 128) as f64;
        let mut shares = [1.0 / total; 128];
        for byte in ORDINARY {
            shares[usize::from(byte & 127)] += 1.0 / total;
        }
        Self { seen, shares }
    }

    /// Returns the share of the places with one of these bytes.
    fn share(&self, bytes: u128) -> f64 {
        let chosen = (0..128).filter(|byte| bytes >> byte & 1 == 1);
        chosen.map(|byte: usize| self.shares[byte]).sum()
    }
}

/// The words of one bucket.
struct Bucket {
    /// For each look-up and each value, the number of words that have the value.
    counts: [[u16; 16]; LOOK_UPS],
    /// For each byte of the window, the number of words that end before it.
    ended: [u16; WINDOW],
    words: usize,
    /// For each look-up, the texts with one of the values.
    passing: [Passing; LOOK_UPS],
    cost: f64,
}

impl Bucket {
    fn new() -> Self {
        Self {
            counts: [[0; 16]; LOOK_UPS],
            ended: [0; WINDOW],
            words: 0,
            passing: std::array::from_fn(|_| Passing::none()),
            cost: 0.0,
        }
    }

    fn change(&mut self, window: &Window, by: i16, sample: &Sample) {
        let add = |count: &mut u16| *count = count.wrapping_add_signed(by);
        for (ended, byte) in self.ended.iter_mut().zip(window) {
            if byte.is_none() {
                add(ended);
            }
        }
        for look_up in 0..LOOK_UPS {
            let Some(byte) = window[look_up / 2] else { continue };
            add(&mut self.counts[look_up][part(look_up, byte)]);
            self.passing[look_up] = Passing::none();
            for (count, seen) in self.counts[look_up].iter().zip(&sample.seen[look_up]) {
                if *count > 0 {
                    self.passing[look_up].add(seen);
                }
            }
        }
        self.words = self.words.wrapping_add_signed(by.into());
        self.cost = if self.words == 0 {
            0.0
        } else {
            self.cost_with(None, sample)
        };
    }

    /// Returns the cost of the bucket with a further window: the number of places of the sample that pass, plus the
    /// number that would pass if the bytes of the sample were independent. The first number knows which bytes follow
    /// each other. The second number also counts texts that are not in the sample.
    fn cost_with(&self, window: Option<&Window>, sample: &Sample) -> f64 {
        let mut passing = Passing::all().places;
        let mut bytes = [u128::MAX; WINDOW];
        for look_up in 0..LOOK_UPS {
            let place = look_up / 2;
            let further = window.map(|window| window[place]);
            if self.ended[place] > 0 || further == Some(None) {
                continue;
            }
            let kept = &self.passing[look_up];
            match further.flatten() {
                None => {
                    for (place, kept) in passing.iter_mut().zip(&kept.places) {
                        *place &= kept;
                    }
                    bytes[place] &= kept.bytes;
                }
                Some(byte) => {
                    let seen = &sample.seen[look_up][part(look_up, byte)];
                    for ((place, kept), seen) in passing.iter_mut().zip(&kept.places).zip(&seen.places) {
                        *place &= kept | seen;
                    }
                    bytes[place] &= kept.bytes | seen.bytes;
                }
            }
        }
        let count: u32 = passing.iter().map(|places| places.count_ones()).sum();
        let share: f64 = bytes.into_iter().map(|bytes| sample.share(bytes)).product();
        f64::from(count) + share * ORDINARY.len() as f64
    }
}

/// Chooses windows and buckets of the words. No word may contain another one.
pub(crate) fn build(words: &[(usize, &[u8])]) -> FilterTable {
    /// Kept, because tests compile many lists.
    static SAMPLE: LazyLock<Sample> = LazyLock::new(Sample::new);
    let sample = &*SAMPLE;
    let mut buckets: Vec<Bucket> = (0..BUCKETS).map(|_| Bucket::new()).collect();
    let mut choices: Vec<Option<(usize, usize)>> = vec![None; words.len()];
    // A short word has few windows to choose from, so the others choose after it.
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_by_key(|index| words[*index].1.len());
    for _ in 0..SWEEPS {
        let before = choices.clone();
        for &index in &order {
            let word = words[index].1;
            if let Some((bucket, offset)) = choices[index] {
                buckets[bucket].change(&window(word, offset), -1, sample);
            }
            let (bucket, offset) = cheapest(&buckets, word, sample);
            buckets[bucket].change(&window(word, offset), 1, sample);
            choices[index] = Some((bucket, offset));
        }
        if choices == before {
            break;
        }
    }
    tables(words, &choices)
}

fn window(word: &[u8], offset: usize) -> Window {
    std::array::from_fn(|place| word.get(offset + place).copied())
}

/// Returns the bucket, and the place of the window in the word, that add the least to the cost.
fn cheapest(buckets: &[Bucket], word: &[u8], sample: &Sample) -> (usize, usize) {
    let mut best = (f64::INFINITY, 0, 0);
    // All empty buckets are equal.
    let empty = buckets.iter().position(|bucket| bucket.words == 0);
    let distinct = |(index, bucket): &(usize, &Bucket)| bucket.words > 0 || Some(*index) == empty;
    for (index, bucket) in buckets.iter().enumerate().filter(distinct) {
        for offset in 0..=word.len().saturating_sub(WINDOW) {
            let added = bucket.cost_with(Some(&window(word, offset)), sample) - bucket.cost;
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
        let window = window(word, offset);
        for look_up in 0..LOOK_UPS {
            let table = &mut self.parts[set * LOOK_UPS + look_up];
            match window[look_up / 2] {
                Some(byte) => table[part(look_up, byte)] |= bit,
                None => table.iter_mut().for_each(|entry| *entry |= bit),
            }
        }
        for (place, byte) in window.into_iter().enumerate() {
            let exact = &mut self.exact[(set * WINDOW + place) * 128..][..128];
            match byte {
                Some(byte) => {
                    exact[usize::from(byte & 127)] |= bit;
                    key |= u32::from(byte) << (8 * place);
                    mask |= 0xff << (8 * place);
                }
                None => exact.iter_mut().for_each(|entry| *entry |= bit),
            }
        }
        // A byte that the word does not have can have every value.
        let all = |given: Option<u8>| given.map_or(0..=255, |byte| byte..=byte);
        for second in all(window[1]) {
            for third in all(window[2]) {
                let (byte, number) = start(u32::from_le_bytes([word[offset], second, third, 0]));
                self.starts[byte] |= 1 << number;
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
