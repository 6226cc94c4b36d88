//! A word file may be any bytes: what passes validation is searched with safely, and what the compiler made from a list
//! passes and finds the list's words.
#![no_main]

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use libfuzzer_sys::fuzz_target;
use readhook_core::{DEFAULT_WORDS, Filter, Outcome, Scanner, State, Words};

const TEXT: &[u8] = b"GET /.git/config HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: sqlmap/1.0 \x00\x01\xfe\xff <script>alert(1)</script>";

/// Which there are takes long to ask in a virtual machine.
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

/// The built-in file with some of its bytes changed: two for the place, one for the value.
fn damaged_file(data: &[u8]) {
    let mut file = DEFAULT_WORDS.to_vec();
    let len = file.len();
    for [low, high, value] in data.as_chunks().0 {
        // The head, which says where everything is, is met as often as all the rest.
        let place = usize::from(u16::from_le_bytes([*low, *high]));
        file[if place % 2 == 0 { place / 2 % 256 } else { place % len }] ^= value;
    }
    if let Ok(words) = Words::parse(&file).and_then(Words::validated) {
        search(words, &[TEXT, &data[..data.len().min(64)]].concat());
    }
}

/// A list of words, a line with nothing in it, and a text.
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

/// Searches with one of the filters, which the text chooses.
fn search(words: Words<'_>, text: &[u8]) -> bool {
    let text: Box<[u8]> = text.into();
    let chosen = text.iter().map(|byte| usize::from(*byte)).sum::<usize>() % FILTERS.len();
    match Scanner::with(words, FILTERS[chosen]).scan(State::START, &text) {
        Outcome::Clean(_) => false,
        // A damaged file that is valid all the same may name another word, not one outside of it.
        Outcome::Hit(word) => words.word(word.into()).is_some(),
    }
}
