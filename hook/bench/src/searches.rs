//! Measures the search for the hook's 200 words, by the hook's scanner and by other searches.
#![expect(unsafe_code, reason = "calls strstr")]

use std::ffi::CString;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::{Result, ensure};
use memchr::memmem::Finder;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use readhook_core::{DEFAULT_WORDS, Filter, Outcome, Scanner, State, Words};

use crate::case_times::{CaseTimes, table as lines};
use crate::hyperscan::Hyperscan;
use crate::request::{REQUEST, REQUESTS};

/// Approximate duration of the measurement of one search in a round, ns.
const BATCH_NS: f64 = 2e6;

type Search<'a> = (String, Box<dyn Fn(&[u8]) -> bool + 'a>);

/// Returns the searches that are compared. Their text must end with a zero byte, because strstr needs one.
fn searches<'a>(words: Words<'a>, list: &'a [&'a [u8]], notes: &mut String) -> Result<Vec<Search<'a>>> {
    let mut all: Vec<Search<'a>> = Vec::new();
    for filter in Filter::available() {
        let scanner = Scanner::with(words, filter);
        all.push((
            format!("this hook, {}", filter.name()),
            Box::new(move |text| matches!(scanner.scan(State::START, text), Outcome::Hit(_))),
        ));
    }
    for filter in Filter::available() {
        let name = format!("Hyperscan, {}", filter.name());
        match Hyperscan::new(list, filter) {
            Ok(Some(hyperscan)) => all.push((name, Box::new(move |text| hyperscan.finds(text)))),
            Ok(None) => {}
            Err(error) => _ = writeln!(notes, "  not compared: {name}: {error:#}"),
        }
    }
    for (name, kind) in [
        ("aho-corasick, DFA", AhoCorasickKind::DFA),
        ("aho-corasick, NFA", AhoCorasickKind::ContiguousNFA),
    ] {
        let search = AhoCorasick::builder().kind(Some(kind)).build(list)?;
        all.push((name.to_owned(), Box::new(move |text| search.is_match(text))));
    }
    let finders: Vec<Finder<'a>> = list.iter().map(|word| Finder::new(*word)).collect();
    all.push((
        "200 x memmem".to_owned(),
        Box::new(move |text| finders.iter().any(|finder| finder.find(text).is_some())),
    ));
    let needles = list
        .iter()
        .map(|word| CString::new(*word))
        .collect::<Result<Vec<_>, _>>()?;
    all.push((
        "200 x strstr".to_owned(),
        Box::new(move |text| {
            // SAFETY: text and needles end with a zero byte.
            needles
                .iter()
                .any(|needle| !unsafe { libc::strstr(text.as_ptr().cast(), needle.as_ptr()) }.is_null())
        }),
    ));
    Ok(all)
}

/// Measures the searches of one short request, of 8 KiB of this request, and of 8 KiB of different requests, without a
/// word. Returns the tables.
pub(crate) fn table(rounds: u32) -> Result<String> {
    let words = Words::parse(DEFAULT_WORDS)?;
    let list: Vec<&[u8]> = (0..words.len()).filter_map(|index| words.word(index)).collect();
    let mut text = String::new();
    let all = searches(words, &list, &mut text)?;
    let long = |requests: &str| requests.chars().cycle().take(8_192).collect();
    let payloads: [(&str, String); 3] = [
        ("one request", REQUEST.to_owned()),
        ("a repeated request", long(REQUEST)),
        ("different requests", long(&REQUESTS.replace('\n', "\r\n"))),
    ];
    let base = &all[Filter::available().count() - 1].0;
    for (content, payload) in payloads {
        let with_zero = CString::new(payload)?;
        let payload = with_zero.as_bytes();
        let mut measured: Vec<CaseTimes> = all
            .iter()
            .map(|(name, _)| CaseTimes {
                name: name.clone(),
                values_ns: Vec::new(),
            })
            .collect();
        let mut counts = Vec::new();
        for (name, search) in &all {
            ensure!(!search(payload), "{name} finds a word where there is none");
            ensure!(search(c"GET /webmail".to_bytes()), "{name} does not find a word");
            let count = (BATCH_NS / time_ns(search, payload, 100)).clamp(1.0, 1e6);
            #[expect(clippy::cast_sign_loss, reason = "at least 1")]
            counts.push(count as u64);
        }
        let mut random = Pcg64::seed_from_u64(2);
        let mut order: Vec<usize> = (0..all.len()).collect();
        for _ in 0..rounds {
            order.shuffle(&mut random);
            for &index in &order {
                measured[index]
                    .values_ns
                    .push(time_ns(&all[index].1, payload, counts[index]));
            }
        }
        let title = format!(
            "A search of {} bytes, {content}, for {} words, none there",
            payload.len(),
            list.len()
        );
        text = lines(&title, &measured, base) + "\n" + &text;
    }
    Ok(text)
}

fn time_ns(search: &dyn Fn(&[u8]) -> bool, payload: &[u8], count: u64) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        black_box(search(black_box(payload)));
    }
    start.elapsed().as_nanos() as f64 / count as f64
}
