//! Fuzz target: a word file can be any bytes. A search with a file that passes validation is safe. A file that the
//! compiler made passes validation, and its search finds the words of the list.
#![no_main]

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use libfuzzer_sys::fuzz_target;
use readhook_core::{DEFAULT_WORDS, Filter, Outcome, Scanner, State, Words};

const TEXT: &[u8] = b"GET /.git/config HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: sqlmap/1.0 \x00\x01\xfe\xff <script>alert(1)</script>";

/// The filters of this processor. They are stored, because detecting them is slow in a virtual machine.
static FILTERS: LazyLock<Vec<Filter>> = LazyLock::new(|| Filter::available().collect());

fuzz_target!(|data: &[u8]| {
    let Some((&kind, data)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => any_file(data),
        1 => damaged_file(data),
        _ => own_list(data),
    }
});

fn any_file(data: &[u8]) {
    if let Ok(words) = Words::parse(data).and_then(Words::validated) {
        search(words, &[TEXT, &data[..data.len().min(64)]].concat());
    }
}

/// Searches with the built-in file after changes of some bytes. Three bytes of input make a change: the first
/// two are the position, the third is the value.
fn damaged_file(data: &[u8]) {
    let mut file = DEFAULT_WORDS.to_vec();
    let len = file.len();
    for [low, high, value] in data.as_chunks().0 {
        // Half of the changes are in the header, which contains the offsets of all other parts.
        let place = usize::from(u16::from_le_bytes([*low, *high]));
        file[if place % 2 == 0 { place / 2 % 256 } else { place % len }] ^= value;
    }
    if let Ok(words) = Words::parse(&file).and_then(Words::validated) {
        search(words, &[TEXT, &data[..data.len().min(64)]].concat());
    }
}

/// Compiles a list of words and searches a text. An empty line separates them.
fn own_list(data: &[u8]) {
    let end = data.windows(2).position(|two| two == b"\n\n").unwrap_or(data.len());
    let (list, text) = data.split_at(end);
    let Ok(file) = readhook_compile::compile(list) else {
        return;
    };
    let words = Words::parse(&file)
        .and_then(Words::validated)
        .expect("what was compiled is valid");
    let found = search(words, text);
    let plain = AhoCorasick::new((0..words.len()).filter_map(|index| words.word(index))).expect("words");
    assert_eq!(found, plain.is_match(text));
}

/// Searches with the filter that the text selects.
fn search(words: Words<'_>, text: &[u8]) -> bool {
    let text: Box<[u8]> = text.into();
    let chosen = text.iter().map(|byte| usize::from(*byte)).sum::<usize>() % FILTERS.len();
    match Scanner::with(words, FILTERS[chosen]).scan(State::START, &text) {
        Outcome::Clean(_) => false,
        // A damaged file can be valid and name another word, but never a word outside of the file.
        Outcome::Hit(word) => words.word(word.into()).is_some(),
    }
}
