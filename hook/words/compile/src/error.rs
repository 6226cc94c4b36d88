//! Errors in lists of words.

use std::fmt;

use readhook_words::layout::LONGEST_WORD;

/// The reason why a list is refused. Lines are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// The list contains no word.
    Empty,
    /// A word is empty, too long, or contains a zero byte.
    Line {
        /// Number of the line.
        line: usize,
    },
    /// The automaton would have too many states.
    TooMany {
        /// Number of states.
        states: usize,
    },
    /// The words contain all 256 byte values.
    EveryByte,
}

impl fmt::Display for CompileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(formatter, "no word; expected one per line"),
            Self::Line { line } => write!(
                formatter,
                "line {line}: expected 1 to {LONGEST_WORD} bytes, none of them zero; remove the line or shorten the word"
            ),
            Self::TooMany { states } => write!(
                formatter,
                "the automaton needs {states} states, and has room for {}; shorten the list",
                u16::MAX
            ),
            Self::EveryByte => write!(
                formatter,
                "the words use all 256 bytes; remove the words with the rarest ones"
            ),
        }
    }
}

impl std::error::Error for CompileError {}
