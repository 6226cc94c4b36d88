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
pub static DEFAULT_WORDS: &[u8] = &ALIGNED_WORDS.0;
const ALIGNED_WORDS: &CacheLines<[u8]> = &CacheLines(*include_bytes!(concat!(env!("OUT_DIR"), "/default.words")));

/// Content that begins with a cache line, so that no table of the filters is in more lines than necessary.
#[repr(align(64))]
struct CacheLines<Content: ?Sized>(Content);

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
    /// SSSE3: tests 16 places with each vector.
    #[cfg(target_arch = "x86_64")]
    Ssse3,
    /// AVX2: tests 32 places with each vector.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512: tests 64 places with each vector, and lets fewer places pass that hold no word.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// NEON: tests 16 places with each vector. Every processor of the target has it.
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    Neon,
}

impl Filter {
    /// Returns the filters that this processor and kernel support, the best one last.
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let all = {
            let supported = x86_64::Supported::detect();
            [
                Some(Self::None),
                supported.ssse3.then_some(Self::Ssse3),
                supported.avx2.then_some(Self::Avx2),
                supported.avx512.then_some(Self::Avx512),
            ]
        };
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        let all = [Some(Self::None), Some(Self::Neon)];
        #[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
        let all = [Some(Self::None)];
        all.into_iter().flatten()
    }

    /// Returns the filter of this name, `None` if processor and kernel do not support it.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::available().find(|filter| filter.name().as_bytes() == name)
    }

    /// Returns the name of the filter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            #[cfg(target_arch = "x86_64")]
            Self::Ssse3 => "ssse3",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Self::Neon => "neon",
        }
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
        Self::with_supported(words, Filter::available().next_back().unwrap_or(Filter::None))
    }

    /// Creates a scanner with this filter, or without a filter if it is not one of [`Filter::available`].
    #[must_use]
    pub fn with(words: Words<'a>, filter: Filter) -> Self {
        let supported = Filter::available().any(|available| available == filter);
        Self::with_supported(words, if supported { filter } else { Filter::None })
    }

    fn with_supported(words: Words<'a>, filter: Filter) -> Self {
        let filter = if words.has_filters() { filter } else { Filter::None };
        Self { words, filter }
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
            // SAFETY: a scanner has only a filter that the processor supports.
            Filter::Ssse3 => unsafe { x86_64::first_place_ssse3(&self.words, bytes) },
            // SAFETY: a scanner has only a filter that the processor supports.
            Filter::Avx2 => unsafe { x86_64::first_place_avx2(&self.words, bytes) },
            // SAFETY: a scanner has only a filter that the processor supports.
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
