//! Compares every filter of the processor with a simple search, for lists of few and short words and for texts of all
//! lengths.
use aho_corasick::AhoCorasick;
use proptest::prelude::*;
use readhook_core::{Filter, Outcome, Scanner, State, Words};

/// Bytes whose parts are equal in pairs, and bytes above 127.
const LETTERS: &[u8] = b"aq1Ai.\x01\x7f\x80\xe1\xff";

fn bytes(lengths: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(LETTERS), lengths)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_filter_finds_what_a_simple_search_finds(
        list in prop::collection::vec(bytes(1..7), 1..8),
        filling in prop::sample::select(&b"z\x00a"[..]),
        length in 0_usize..230,
        parts in prop::collection::vec((0_usize..230, bytes(1..9)), 0..4),
    ) {
        let file = readhook_compile::compile(&list.join(&b'\n')).unwrap();
        let words = Words::parse(&file).and_then(Words::validated).unwrap();
        let mut text = vec![filling; length];
        for (at, part) in parts {
            for (place, byte) in text.iter_mut().skip(at).zip(part) {
                *place = byte;
            }
        }
        let expected = AhoCorasick::new(&list).unwrap().find_iter(&text).map(|found| found.end()).min();
        for filter in Filter::available() {
            match (Scanner::with(words, filter).scan(State::START, &text), expected) {
                (Outcome::Hit(word), Some(end)) => prop_assert!(text[..end].ends_with(&list[usize::from(word)])),
                (Outcome::Clean(_), None) => {}
                (ours, theirs) => prop_assert!(false, "{filter:?}: {ours:?} {theirs:?}"),
            }
        }
    }
}

#[test]
fn a_filter_is_known_by_its_name() {
    for filter in Filter::available() {
        assert_eq!(Filter::named(filter.name().as_bytes()), Some(filter));
    }
    assert_eq!(Filter::named(b""), None);
    assert_eq!(Filter::named(b"Avx2"), None);
}
