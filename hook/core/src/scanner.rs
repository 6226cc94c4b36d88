//! Whether a byte stream holds one of the words, by an automaton that the build compiled from `hook/words.txt`.

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

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
    /// The word with this index in [`WORDS`] ends here. The bytes after it were not searched.
    Hit(u16),
}

/// Searches the next bytes of a stream, exactly those. A word may have begun in earlier ones.
#[inline]
#[must_use]
pub fn scan(state: State, bytes: &[u8]) -> Outcome {
    let mut at = state.0;
    for byte in bytes {
        let column = u16::from(CLASSES[usize::from(*byte)]);
        // Rows are within the table by construction; `get` keeps a wrong state harmless.
        at = NEXT.get(usize::from(at + column)).copied().unwrap_or(0);
        if at >= FIRST_HIT {
            return Outcome::Hit(at - FIRST_HIT);
        }
    }
    Outcome::Clean(State(at))
}

const _: () = assert!(NEXT.len() == FIRST_HIT as usize && FIRST_HIT.is_multiple_of(STRIDE));
const _: () = assert!(FIRST_HIT as usize + WORDS.len() <= u16::MAX as usize);
