//! Compares the hook's decisions with simple reference implementations.
use std::sync::LazyLock;
use std::sync::atomic::AtomicU32;

use aho_corasick::AhoCorasick;
use proptest::prelude::*;
use readhook_core::{
    DEFAULT_WORDS, Every, FdTable, Filter, Line, Mode, Outcome, ReceiveFlags, ReceivedPayload, Scanner, State, Stream,
    Words, parse_count, payload,
};

const ORDINARY: [&str; 3] = [
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate, br\r\n\
     Accept: */*\r\nConnection: keep-alive\r\n\r\n",
    "POST /orders/17?page=2 HTTP/1.1\r\nHost: shop.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) \
     Gecko/20100101 Firefox/128.0\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n\
     Accept-Language: en-US,en;q=0.5\r\nReferer: http://shop.example.org/\r\nContent-Type: application/json\r\n\
     Content-Length: 11\r\nX-Forwarded-For: 10.0.0.1\r\nUpgrade-Insecure-Requests: 1\r\n\r\n{\"count\": 1}",
    "GET /index.html HTTP/1.1\r\nhost: localhost\r\nuser-agent: curl/8.5.0\r\naccept: */*\r\n\r\n",
];

fn words() -> Words<'static> {
    Words::parse(DEFAULT_WORDS).unwrap()
}

/// Returns one scanner for each filter of this processor, and one without a filter.
fn scanners() -> impl Iterator<Item = Scanner<'static>> {
    Filter::available().map(|filter| Scanner::with(words(), filter))
}

/// Returns the outcome on which all scanners agree.
fn scan(state: State, text: &[u8]) -> Outcome {
    let outcomes: Vec<Outcome> = scanners().map(|scanner| scanner.scan(state, text)).collect();
    for outcome in &outcomes {
        assert_eq!(outcome, &outcomes[0], "{:?}", String::from_utf8_lossy(text));
    }
    outcomes[0]
}

fn found(text: &[u8]) -> bool {
    matches!(scan(State::START, text), Outcome::Hit(_))
}

fn text_of(word: u16) -> &'static str {
    str::from_utf8(words().word(word.into()).unwrap()).unwrap()
}

fn list() -> Vec<&'static str> {
    (0..words().len() as u16).map(text_of).collect()
}

#[test]
fn every_word_is_found_alone_and_at_every_place() {
    assert_eq!(words().len(), 200);
    assert!(words().validated().is_ok());
    for word in list() {
        let Outcome::Hit(index) = scan(State::START, word.as_bytes()) else {
            panic!("{word} not found")
        };
        assert!(word.contains(text_of(index)), "{word}: {}", text_of(index));
        for before in 0..80 {
            for after in [0, 1, 2, 3, 30, 70] {
                let text = [
                    "-".repeat(before).as_bytes(),
                    word.as_bytes(),
                    "-".repeat(after).as_bytes(),
                ]
                .concat();
                assert!(found(&text), "{word} after {before} and before {after}");
            }
        }
    }
}

#[test]
fn an_ordinary_request_is_clean() {
    for request in ORDINARY {
        if let Outcome::Hit(word) = scan(State::START, request.as_bytes()) {
            panic!("{:?} stands in {request}", text_of(word));
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(&ORDINARY[..]).prop_flat_map(
            |request| (0..request.len() - 40).prop_map(move |at| request.as_bytes()[at..at + 40].to_vec())
        ),
        (prop::sample::select(list()), 0_usize..16, 0_usize..16).prop_map(|(word, from, to)| {
            let (from, to) = (from.min(word.len()), to.min(word.len()));
            word.as_bytes()[from.min(to)..from.max(to)].to_vec()
        }),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn finds_what_aho_corasick_finds(text in text()) {
        static REFERENCE: LazyLock<AhoCorasick> = LazyLock::new(|| AhoCorasick::new(list()).unwrap());
        match (scan(State::START, &text), REFERENCE.find(&text)) {
            (Outcome::Hit(word), Some(expected)) => {
                prop_assert!(text[..expected.end()].ends_with(text_of(word).as_bytes()));
            }
            (Outcome::Clean(_), None) => {}
            (ours, theirs) => prop_assert!(false, "{ours:?} {theirs:?}"),
        }
    }

    #[test]
    fn splitting_the_stream_changes_nothing(text in text(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(text.len() + 1);
        let split = match scan(State::START, &text[..cut]) {
            Outcome::Clean(state) => scan(state, &text[cut..]),
            hit @ Outcome::Hit(_) => hit,
        };
        prop_assert_eq!(split, scan(State::START, &text));
    }

    #[test]
    fn the_fd_table_is_a_map(steps in prop::collection::vec((0_u8..4, -2_i32..10, -2_i32..10), 0..60)) {
        let entries: [AtomicU32; 8] = Default::default();
        let table = FdTable::new(&entries);
        let mut expected = std::collections::BTreeSet::new();
        let fits = |fd: i32| (0..8).contains(&fd);
        for (step, a, b) in steps {
            match step {
                0 => {
                    prop_assert_eq!(table.accepted(a), a < 8);
                    if fits(a) { expected.insert(a); }
                }
                1 => { table.closed(a); expected.remove(&a); }
                2 => {
                    table.duplicated(a, b);
                    if expected.contains(&a) && fits(b) { expected.insert(b); } else if a != b && b >= 0 { expected.remove(&b); }
                }
                _ => if a >= 0 && b >= 0 {
                    table.closed_range(a.cast_unsigned(), b.cast_unsigned());
                    expected.retain(|fd| !(a..=b).contains(fd));
                },
            }
            for fd in -2..10 { prop_assert_eq!(table.stream(fd).is_some(), expected.contains(&fd), "fd {}", fd); }
        }
    }
}

#[test]
fn the_fd_table_keeps_the_search_state_until_close() {
    let entries: [AtomicU32; 4] = Default::default();
    let table = FdTable::new(&entries);
    table.accepted(2);
    let Outcome::Clean(half) = scan(State::START, b"GET /.gi") else {
        panic!()
    };
    table.advance(2, State::START, half);
    table.duplicated(2, 3);
    assert_eq!(table.stream(3), Some(Stream::Open(half)));
    table.closed(2);
    table.advance(2, half, State::START);
    assert_eq!(table.stream(2), None);
    table.accepted(2);
    assert_eq!(table.stream(2), Some(Stream::Open(State::START)));
    table.closed_range(0, u32::MAX);
    assert_eq!((table.stream(2), table.stream(3)), (None, None));
}

#[test]
fn results_are_read_with_their_flags() {
    assert_eq!(payload(-1, 10, ReceiveFlags(0)), ReceivedPayload::None);
    assert_eq!(payload(0, 10, ReceiveFlags(0)), ReceivedPayload::None);
    assert_eq!(payload(7, 10, ReceiveFlags(0)), ReceivedPayload::Received(7));
    assert_eq!(payload(70, 10, ReceiveFlags(0)), ReceivedPayload::Received(10));
    assert_eq!(payload(7, 10, ReceiveFlags(0x2)), ReceivedPayload::Peeked(7));
    assert_eq!(payload(7, 10, ReceiveFlags(0x22)), ReceivedPayload::None);
    assert_eq!(payload(7, 10, ReceiveFlags(0x2000)), ReceivedPayload::None);
    assert_eq!(payload(70, 10, ReceiveFlags(0x20)), ReceivedPayload::Discarded(70));
    assert_eq!(payload(7, 10, ReceiveFlags(0x40)), ReceivedPayload::Received(7));
}

#[test]
fn settings_are_read_strictly() {
    for (name, mode) in ["off", "forward", "track", "scan", "log", "block", "upstream", "delay"]
        .iter()
        .zip([
            Mode::Off,
            Mode::Forward,
            Mode::Track,
            Mode::Scan,
            Mode::Log,
            Mode::Block,
            Mode::Upstream,
            Mode::Delay,
        ])
    {
        assert_eq!(Mode::parse(Some(name.as_bytes())), Ok(mode));
    }
    assert_eq!(Mode::parse(None), Ok(Mode::Off));
    assert!(Mode::parse(Some(b"")).is_err() && Mode::parse(Some(b"Scan")).is_err());
    assert_eq!(parse_count(b"5000"), Some(5000));
    assert_eq!(parse_count(b"18446744073709551615"), Some(u64::MAX));
    for bad in ["", "-1", "5us", " 5", "18446744073709551616"] {
        assert_eq!(parse_count(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn every_nth_is_selected() {
    let every = Every::new(3);
    assert_eq!(
        (0..7).map(|_| every.selects()).collect::<Vec<_>>(),
        [false, false, true, false, false, true, false]
    );
    assert!(Every::new(0).selects() && Every::new(1).selects());
}

#[test]
fn a_log_line_fits_and_says_all() {
    assert_eq!(
        Line::hit("read", 7, 133, b".git").as_bytes(),
        b"read fd=7 bytes=133 word=.git\n"
    );
    let list = list();
    let longest = list.iter().max_by_key(|word| word.len()).unwrap();
    assert!(
        Line::hit("__recvfrom_chk", i32::MAX, usize::MAX, longest.as_bytes())
            .as_bytes()
            .ends_with(b"\n")
    );
}
