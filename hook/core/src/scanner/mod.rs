//! Whether a byte stream holds one of the words.
//!
//! The automaton decides; it takes one look-up for each byte, each of which has to wait for the one before. So where the
//! processor can, filters look first for places at which a word can stand at all: many places at once, and none has to
//! wait for another. An ordinary request has a handful of such places, at each of which a comparison tells. The automaton
//! is left with what lies across the borders of what is searched at a time.

#[cfg(target_arch = "x86_64")]
mod x86_64;

use readhook_words::Words;

/// The word file that the hook carries, from `hook/words.txt`.
pub static DEFAULT_WORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/default.words"));

/// Where the search in a stream stands: how much of a word the bytes so far end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(u16);

impl State {
    /// Nothing seen yet.
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
    /// No word ends in these bytes; go on from this state with the next ones.
    Clean(State),
    /// The word with this index ends here, before any other. The bytes after it were not searched.
    Hit(u16),
}

/// What looks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Nothing: the automaton takes every byte.
    None,
    /// 32 places at once.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 64 places at once, and fewer of them pass in vain.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Filter {
    /// Those that this processor and kernel have, the best last.
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let all = [
            Some(Self::None),
            x86_64::has_avx2().then_some(Self::Avx2),
            x86_64::has_avx512().then_some(Self::Avx512),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let all = [Some(Self::None)];
        all.into_iter().flatten()
    }
}

/// Searches for words.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    words: Words<'a>,
    filter: Filter,
}

impl<'a> Scanner<'a> {
    /// Takes the best filter, if the words have one.
    #[must_use]
    pub fn new(words: Words<'a>) -> Self {
        let best = Filter::available().next_back().unwrap_or(Filter::None);
        Self::with(words, best)
    }

    /// Takes this filter, which must be one of [`Filter::available`], and none if it is not.
    #[must_use]
    pub fn with(words: Words<'a>, filter: Filter) -> Self {
        let usable = words.has_filters() && Filter::available().any(|available| available == filter);
        Self {
            words,
            filter: if usable { filter } else { Filter::None },
        }
    }

    /// What is searched for.
    #[must_use]
    pub const fn words(&self) -> &Words<'a> {
        &self.words
    }

    /// Searches the next bytes of a stream, exactly those. A word may have begun in earlier ones.
    #[inline]
    #[must_use]
    pub fn scan(&self, state: State, bytes: &[u8]) -> Outcome {
        let longest = self.words.longest();
        if self.filter == Filter::None || bytes.len() < longest {
            return self.walk(state, bytes);
        }
        if state != State::START {
            // A word that began earlier ends within as many bytes as the longest has.
            match self.walk(state, &bytes[..longest]) {
                Outcome::Clean(_) => {}
                hit @ Outcome::Hit(_) => return hit,
            }
        }
        match self.first_place(bytes) {
            None => self.end(bytes),
            // Another word may end before the one that stands there.
            Some(at) => self.walk(State::START, &bytes[at.saturating_sub(longest)..]),
        }
    }

    /// The automaton over every byte.
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

    /// The state after bytes without a hit: what follows the last byte that stands in no word decides.
    fn end(&self, bytes: &[u8]) -> Outcome {
        let tail = &bytes[bytes.len() - (self.words.longest() - 1)..];
        let from = tail.iter().rposition(|byte| self.words.is_foreign(*byte));
        self.walk(State::START, &tail[from.map_or(0, |at| at + 1)..])
    }

    /// The first place at which a word's window stands, the word being there as a whole.
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "functions that need a processor's features")]
    fn first_place(&self, bytes: &[u8]) -> Option<usize> {
        match self.filter {
            Filter::None => None,
            // SAFETY: `with` takes a filter only where the processor has it.
            Filter::Avx2 => unsafe { x86_64::first_place_avx2(&self.words, bytes) },
            // SAFETY: as above.
            Filter::Avx512 => unsafe { x86_64::first_place_avx512(&self.words, bytes) },
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn first_place(&self, _: &[u8]) -> Option<usize> {
        None
    }
}
