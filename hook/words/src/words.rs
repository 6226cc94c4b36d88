//! Reads a word file without copying it.

use core::fmt;

use crate::layout::{
    BUCKETS, CLASSES_LEN, EXACT_LEN, HEADER_LEN, LONGEST_WORD, MAGIC, PARTS, STARTS_LEN, VERSION, WINDOW, start,
};

/// The bytes are not a word file of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadWords;

impl fmt::Display for BadWords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no word file of version {VERSION}")
    }
}

impl core::error::Error for BadWords {}

/// A word that may be in the text at a place that passed the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Bytes of the window, the first one in the lowest bits.
    pub key: u32,
    /// Mask of the bytes that are compared.
    pub mask: u32,
    /// Place of the window in the word, bytes.
    pub offset: usize,
    /// Index of the word in the list.
    pub word: usize,
}

impl Candidate {
    /// Returns the candidate as it is stored.
    #[must_use]
    pub fn packed(self) -> [u8; 12] {
        let mut packed = [0; 12];
        let rest = self.offset as u32 | (self.word as u32) << 8;
        for (place, number) in packed.as_chunks_mut().0.iter_mut().zip([self.key, self.mask, rest]) {
            *place = number.to_ne_bytes();
        }
        packed
    }

    fn unpacked(packed: &[u8; 12]) -> Self {
        let number = |index: usize| u32::from_ne_bytes(core::array::from_fn(|byte| packed[4 * index + byte]));
        let rest = number(2);
        Self {
            key: number(0),
            mask: number(1),
            offset: (rest & 0xff) as usize,
            word: (rest >> 8) as usize,
        }
    }
}

/// The content of a word file.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    classes: &'a [u8; CLASSES_LEN],
    parts: &'a [[u8; 16]],
    exact: &'a [u8; EXACT_LEN],
    starts: &'a [u8; STARTS_LEN],
    buckets: &'a [[u8; 2]],
    candidates: &'a [[u8; 12]],
    spans: &'a [[u8; 4]],
    next: &'a [[u8; 2]],
    text: &'a [u8],
    class_count: usize,
    states: usize,
    longest: usize,
}

/// The sections of the file that have not been read yet.
struct Sections<'a>(&'a [u8]);

impl<'a> Sections<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], BadWords> {
        let (section, rest) = self.0.split_at_checked(bytes).ok_or(BadWords)?;
        self.0 = rest;
        Ok(section)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], BadWords> {
        self.take(N)?.try_into().map_err(|_| BadWords)
    }

    /// Reads `count` entries of `N` bytes, and skips their padding.
    fn entries<const N: usize>(&mut self, count: usize) -> Result<&'a [[u8; N]], BadWords> {
        let bytes = count.checked_mul(N).ok_or(BadWords)?;
        let section = self.take(bytes.checked_next_multiple_of(4).ok_or(BadWords)?)?;
        Ok(section[..bytes].as_chunks().0)
    }
}

impl<'a> Words<'a> {
    /// Finds the sections. It does not check their content; [`validated`](Self::validated) does.
    ///
    /// # Errors
    /// [`BadWords`] if the bytes are not a word file, or have another version or length.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadWords> {
        let mut sections = Sections(bytes);
        let header: &[[u8; 4]] = sections.entries(HEADER_LEN / 4)?;
        let number = |index: usize| u32::from_ne_bytes(header[index]) as usize;
        if number(0) != MAGIC as usize || number(1) != VERSION as usize || number(2) != bytes.len() {
            return Err(BadWords);
        }
        let (class_count, states) = (number(3), number(4));
        let cells = class_count.checked_mul(states).ok_or(BadWords)?;
        let words = Self {
            classes: sections.array()?,
            parts: sections.entries(PARTS)?,
            exact: sections.array()?,
            starts: sections.array()?,
            buckets: sections.entries(BUCKETS + 1)?,
            candidates: sections.entries(number(5))?,
            spans: sections.entries(number(6).checked_add(1).ok_or(BadWords)?)?,
            next: sections.entries(cells)?,
            text: sections.entries::<1>(number(7))?.as_flattened(),
            class_count,
            states,
            longest: number(8),
        };
        if sections.0.is_empty() && states > 0 && (1..=LONGEST_WORD).contains(&words.longest) {
            Ok(words)
        } else {
            Err(BadWords)
        }
    }

    /// Checks every number, so that no later access is out of bounds and every search ends in a valid state.
    ///
    /// # Errors
    /// [`BadWords`] if a number is out of range.
    pub fn validated(self) -> Result<Self, BadWords> {
        let known = |state: &[u8; 2]| usize::from(u16::from_ne_bytes(*state)) < self.states + self.len();
        let starts = || self.buckets.iter().map(|start| usize::from(u16::from_ne_bytes(*start)));
        let text = |word: usize| {
            self.word(word)
                .is_some_and(|text| (1..=self.longest).contains(&text.len()))
        };
        let candidate = |candidate: Candidate| {
            self.word(candidate.word)
                .is_some_and(|word| candidate.offset < word.len())
        };
        let sound = self.classes.iter().all(|class| usize::from(*class) < self.class_count)
            && self.next.iter().all(known)
            && self.states + self.len() <= usize::from(u16::MAX)
            && starts().is_sorted()
            && starts().next_back() == Some(self.candidates.len())
            && self.spans.iter().map(|span| u32::from_ne_bytes(*span)).is_sorted()
            && (0..self.len()).all(text)
            && self
                .candidates
                .iter()
                .all(|packed| candidate(Candidate::unpacked(packed)));
        if sound { Ok(self) } else { Err(BadWords) }
    }

    /// Returns the number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len() - 1
    }

    /// Returns whether there are no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the text of a word.
    #[must_use]
    pub fn word(&self, index: usize) -> Option<&'a [u8]> {
        self.with_zero(index)?.split_last().map(|(_, text)| text)
    }

    /// Returns the text of a word with the terminating zero.
    #[must_use]
    pub fn with_zero(&self, index: usize) -> Option<&'a [u8]> {
        let span = |index: usize| Some(u32::from_ne_bytes(*self.spans.get(index)?) as usize);
        self.text.get(span(index)?..span(index + 1)?)
    }

    /// Returns the length of the longest word in bytes.
    #[must_use]
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// Returns the state after `byte`. A search does not continue from a state that is a hit.
    #[inline]
    #[must_use]
    pub fn step(&self, state: u16, byte: u8) -> u16 {
        let class = usize::from(self.classes[usize::from(byte)]);
        // The index is within the table for every state of this file. `get` makes a wrong state harmless.
        let next = self.next.get(usize::from(state) * self.class_count + class);
        next.map_or(0, |next| u16::from_ne_bytes(*next))
    }

    /// Returns the index of the word that ends in a state, `None` if none ends.
    #[inline]
    #[must_use]
    pub fn hit(&self, state: u16) -> Option<u16> {
        usize::from(state).checked_sub(self.states).map(|word| word as u16)
    }

    /// Returns whether no word contains this byte, so that the search starts again after it.
    #[inline]
    #[must_use]
    pub fn is_foreign(&self, byte: u8) -> bool {
        self.classes[usize::from(byte)] == 0
    }

    /// Returns true if the file has filters. The file of a long list has none, because such filters would reject almost
    /// no position of a payload.
    #[must_use]
    pub fn has_filters(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// Returns the tables of the filter by parts: one for each look-up in set 0, then one for each look-up in set 1. A table
    /// has a mask for each value that the look-up can see.
    #[inline]
    #[must_use]
    pub fn parts(&self) -> &'a [[u8; 16]; PARTS] {
        self.parts.first_chunk().unwrap_or(&[[0; 16]; PARTS])
    }

    /// Returns 128 masks of a byte of the window, for `set` 0 or 1. Each mask belongs to a value of the low 7 bits.
    #[inline]
    #[must_use]
    pub fn exact(&self, set: usize, byte: usize) -> &'a [u8; 128] {
        let from = (set * WINDOW + byte) * 128;
        self.exact[from..from + 128].try_into().unwrap_or(&[0; 128])
    }

    /// Returns false if no word has this window. The lowest bits of `window` are its first byte; bytes after the end of the
    /// text are zero.
    #[inline]
    #[must_use]
    pub const fn may_have(&self, window: u32) -> bool {
        let (byte, bit) = start(window);
        self.starts[byte] >> bit & 1 == 1
    }

    /// Returns true if a word is in `bytes` so that its window begins at `at`.
    #[inline]
    #[must_use]
    pub fn stands(&self, bytes: &[u8], at: usize) -> bool {
        let window = window(bytes, at);
        self.may_have(window) && self.stands_at(bytes, at, self.buckets_of(window))
    }

    /// Returns the buckets that may hold a word with this window.
    fn buckets_of(&self, window: u32) -> u16 {
        let set = |set: usize| {
            let bytes = window.to_le_bytes().into_iter().enumerate();
            bytes.fold(u8::MAX, |mask, (place, byte)| {
                mask & self.exact(set, place)[usize::from(byte & 127)]
            })
        };
        u16::from_le_bytes([set(0), set(1)])
    }

    /// Returns true if a word of one of these buckets is in `bytes` so that its window begins at `at`.
    #[inline]
    #[must_use]
    pub fn stands_at(&self, bytes: &[u8], at: usize, buckets: u16) -> bool {
        let window = window(bytes, at);
        let mut left = buckets;
        while left != 0 {
            let bucket = left.trailing_zeros() as usize;
            left &= left - 1;
            let start = |bucket: usize| usize::from(u16::from_ne_bytes(self.buckets[bucket]));
            let range = start(bucket)..start(bucket + 1);
            for packed in self.candidates.get(range).unwrap_or_default() {
                let candidate = Candidate::unpacked(packed);
                if window & candidate.mask == candidate.key && self.confirms(bytes, at, candidate) {
                    return true;
                }
            }
        }
        false
    }

    fn confirms(&self, bytes: &[u8], at: usize, candidate: Candidate) -> bool {
        let Some(word) = self.word(candidate.word) else {
            return false;
        };
        let Some(start) = at.checked_sub(candidate.offset) else {
            return false;
        };
        bytes.get(start..start + word.len()) == Some(word)
    }
}

/// Returns the bytes of the window that begins at `at`, the first one in the lowest bits. Bytes after the end are zero.
#[inline]
fn window(bytes: &[u8], at: usize) -> u32 {
    if let Some(whole) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        return u32::from_le_bytes(*whole);
    }
    match bytes.last_chunk() {
        Some(last) => {
            let missing = at + WINDOW - bytes.len();
            u32::from_le_bytes(*last).checked_shr(8 * missing as u32).unwrap_or(0)
        }
        None => bytes
            .iter()
            .skip(at)
            .rev()
            .fold(0, |window, byte| window << 8 | u32::from(*byte)),
    }
}
