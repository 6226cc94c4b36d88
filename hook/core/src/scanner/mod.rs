//! Searches a byte stream for words.
//!
//! An automaton decides whether a word ends. It needs one look-up for each byte, and each look-up depends on the one
//! before. If the processor has vector instructions, filters first find the places at which a word can start. They
//! test many places at once, independently of each other. An ordinary request has a few such places. A comparison at
//! each place decides whether a word starts there. The automaton then handles only the bytes at the borders of a
//! piece.

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use readhook_words::Words;

/// The word file that the hook carries; the build compiles it from `hook/words.txt`.
pub static DEFAULT_WORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/default.words"));

/// State of the search in a stream: the longest beginning of a word with which the bytes so far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(u16);

impl State {
    /// The state before the first byte.
    pub const START: Self = Self(0);

    pub(crate) const fn raw(self) -> u16 {
        self.0
    }

    pub(crate) const fn from_raw(raw: u16) -> Self {
        Self(raw)
    }
}

/// The result of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No word ends in these bytes. The search of the next bytes starts in this state.
    Clean(State),
    /// The word with this index ends in these bytes, before any other word. The bytes after it were not searched.
    Hit(u16),
}

/// The filter that runs before the automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// No filter: the automaton handles every byte.
    None,
    /// AVX2: tests 32 places at once.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512: tests 64 places at once, and lets fewer places pass that hold no word.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// NEON: tests 16 places at once. Every processor of the target has it.
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    Neon,
}

impl Filter {
    /// Returns the filters that this processor and kernel support, the best one last.
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let all = [
            Some(Self::None),
            x86_64::has_avx2().then_some(Self::Avx2),
            x86_64::has_avx512().then_some(Self::Avx512),
        ];
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        let all = [Some(Self::None), Some(Self::Neon)];
        #[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
        let all = [Some(Self::None)];
        all.into_iter().flatten()
    }
}

/// A search for words.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    words: Words<'a>,
    filter: Filter,
}

impl<'a> Scanner<'a> {
    /// Creates a scanner with the best filter that the processor supports and the words have.
    #[must_use]
    pub fn new(words: Words<'a>) -> Self {
        let best = Filter::available().next_back().unwrap_or(Filter::None);
        Self::with(words, best)
    }

    /// Creates a scanner with this filter, or without a filter if it is not one of [`Filter::available`].
    #[must_use]
    pub fn with(words: Words<'a>, filter: Filter) -> Self {
        let usable = words.has_filters() && Filter::available().any(|available| available == filter);
        Self {
            words,
            filter: if usable { filter } else { Filter::None },
        }
    }

    /// Returns the words.
    #[must_use]
    pub const fn words(&self) -> &Words<'a> {
        &self.words
    }

    /// Searches the next bytes of a stream, and reads no other byte. A word may begin in earlier bytes of the stream.
    #[inline]
    #[must_use]
    pub fn scan(&self, state: State, bytes: &[u8]) -> Outcome {
        let longest = self.words.longest();
        if self.filter == Filter::None || bytes.len() < longest {
            return self.walk(state, bytes);
        }
        if state != State::START {
            // A word that began earlier ends within the length of the longest word.
            match self.walk(state, &bytes[..longest]) {
                Outcome::Clean(_) => {}
                hit @ Outcome::Hit(_) => return hit,
            }
        }
        match self.first_place(bytes) {
            None => self.end(bytes),
            // Another word may end before the word at this place does.
            Some(at) => self.walk(State::START, &bytes[at.saturating_sub(longest)..]),
        }
    }

    /// Runs the automaton over every byte.
    fn walk(&self, state: State, bytes: &[u8]) -> Outcome {
        let mut at = state.0;
        for byte in bytes {
            at = self.words.step(at, *byte);
            if let Some(word) = self.words.hit(at) {
                return Outcome::Hit(word);
            }
        }
        Outcome::Clean(State(at))
    }

    /// Returns the state after bytes without a hit. Only the bytes after the last byte that is in no word matter.
    fn end(&self, bytes: &[u8]) -> Outcome {
        let tail = &bytes[bytes.len() - (self.words.longest() - 1)..];
        let from = tail.iter().rposition(|byte| self.words.is_foreign(*byte));
        self.walk(State::START, &tail[from.map_or(0, |at| at + 1)..])
    }

    /// Returns the position of the first window that belongs to a word which lies completely in `bytes`. `None` without
    /// such a word or without a filter.
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "functions that need a processor's features")]
    fn first_place(&self, bytes: &[u8]) -> Option<usize> {
        match self.filter {
            Filter::None => None,
            // SAFETY: `with` accepts a filter only if the processor supports it.
            Filter::Avx2 => unsafe { x86_64::first_place_avx2(&self.words, bytes) },
            // SAFETY: `with` accepts a filter only if the processor supports it.
            Filter::Avx512 => unsafe { x86_64::first_place_avx512(&self.words, bytes) },
        }
    }

    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    #[expect(unsafe_code, reason = "a function that needs a processor's feature")]
    fn first_place(&self, bytes: &[u8]) -> Option<usize> {
        match self.filter {
            Filter::None => None,
            // SAFETY: every processor of a target with this filter has NEON.
            Filter::Neon => unsafe { aarch64::first_place(&self.words, bytes) },
        }
    }

    #[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
    fn first_place(&self, _: &[u8]) -> Option<usize> {
        None
    }
}
