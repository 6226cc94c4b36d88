//! Fuzz target: every filter, over a stream in pieces, finds the same word as a simple search of the whole stream. Each
//! piece is a heap block of its own, so that a sanitiser detects a read beyond its end.
#![no_main]

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use libfuzzer_sys::fuzz_target;
use readhook_core::{DEFAULT_WORDS, Filter, Outcome, Scanner, State, Words};

struct Subject {
    words: Words<'static>,
    /// One scanner for each filter of this processor, and one without a filter. They are kept, because the detection of
    /// the filters is slow in a virtual machine.
    scanners: Vec<Scanner<'static>>,
    plain: AhoCorasick,
}

static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
    let words = Words::parse(DEFAULT_WORDS).expect("the built-in words");
    let list = (0..words.len()).filter_map(|index| words.word(index));
    let plain = AhoCorasick::new(list).expect("the built-in words");
    let scanners = Filter::available().map(|filter| Scanner::with(words, filter)).collect();
    Subject { words, scanners, plain }
});

/// A part of the stream, in a heap block of its own.
type Piece = Box<[u8]>;

/// Splits the text after the first byte into pieces. The first byte gives the number of cuts, at most three; the first
/// byte of each piece gives its length.
fn pieces(data: &[u8]) -> Option<(&[u8], Vec<Piece>)> {
    let (&count, text) = data.split_first()?;
    let mut rest = text;
    let mut pieces = Vec::new();
    for _ in 0..count % 4 {
        let Some(&first) = rest.first() else { break };
        let (piece, more) = rest.split_at(usize::from(first) % (rest.len() + 1));
        pieces.push(piece.into());
        rest = more;
    }
    pieces.push(rest.into());
    Some((text, pieces))
}

/// Returns the place of the piece in which a word ends first, in bytes from the start, and the index of the word.
fn found(scanner: &Scanner<'_>, pieces: &[Piece]) -> Option<(usize, u16)> {
    let mut state = State::START;
    let mut before = 0;
    for piece in pieces {
        match scanner.scan(state, piece) {
            Outcome::Clean(next) => state = next,
            Outcome::Hit(word) => return Some((before, word)),
        }
        before += piece.len();
    }
    None
}

fuzz_target!(|data: &[u8]| {
    let Some((text, pieces)) = pieces(data) else { return };
    let expected = SUBJECT.plain.find(text);
    let mut answers = SUBJECT.scanners.iter().map(|scanner| found(scanner, &pieces));
    let first = answers.next().flatten();
    assert!(answers.all(|answer| answer == first), "the filters differ");
    match (first, expected) {
        (None, None) => {}
        (Some((before, word)), Some(expected)) => {
            let word = SUBJECT.words.word(word.into()).expect("a word of the list");
            assert!(text[..expected.end()].ends_with(word), "another word ends there");
            assert!(before < expected.end(), "found in a later piece");
        }
        (ours, theirs) => panic!("{ours:?}, plain {theirs:?}"),
    }
});
