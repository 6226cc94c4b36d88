//! Compiles a list of words to a word file, whose format `readhook-words` describes.
#![forbid(unsafe_code)]

mod automaton;
mod error;
mod filter;

use automaton::Automaton;
pub use error::CompileError;
use filter::FilterTable;
use readhook_words::layout::{BUCKETS, BUCKETS_LEN, HEADER_LEN, LONGEST_WORD, MAGIC, VERSION};

/// A list with more words gets no filters, because nearly every place would pass.
const FILTERED_WORDS: usize = 1_000;

/// Returns the words of a list, one on each line. A line may end with `\r\n`; the last line may have no end.
///
/// # Errors
/// [`CompileError`] if a line is not a word, or if there is no word.
pub fn words(list: &[u8]) -> Result<Vec<&[u8]>, CompileError> {
    let list = list.strip_suffix(b"\n").unwrap_or(list);
    if list.is_empty() {
        return Err(CompileError::Empty);
    }
    let lines = list
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines
        .enumerate()
        .map(|(index, word)| {
            let sound = (1..=LONGEST_WORD).contains(&word.len()) && !word.contains(&0);
            if sound {
                Ok(word)
            } else {
                Err(CompileError::Line { line: index + 1 })
            }
        })
        .collect()
}

/// Compiles a list, one word on each line, to a word file.
///
/// # Errors
/// [`CompileError`] with the reason why the list is refused.
pub fn compile(list: &[u8]) -> Result<Vec<u8>, CompileError> {
    let words = words(list)?;
    let kept = without_the_implied(&words);
    let automaton = automaton::build(&kept, words.len())?;
    let filter = if kept.len() <= FILTERED_WORDS {
        filter::build(&kept)
    } else {
        FilterTable::default()
    };
    Ok(file(&words, &automaton, &filter))
}

/// Removes words that contain another word, and repetitions of a word. Returns the others with their indices.
fn without_the_implied<'a>(words: &[&'a [u8]]) -> Vec<(usize, &'a [u8])> {
    let mut seen = std::collections::HashSet::new();
    let distinct: Vec<(usize, &[u8])> = words
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, word)| seen.insert(*word))
        .collect();
    let implied = |word: &[u8]| {
        let parts = (0..word.len()).flat_map(|from| (from + 1..=word.len()).map(move |to| (from, to)));
        parts
            .filter(|(from, to)| to - from < word.len())
            .any(|(from, to)| seen.contains(&word[from..to]))
    };
    distinct.into_iter().filter(|(_, word)| !implied(word)).collect()
}

fn file(words: &[&[u8]], automaton: &Automaton, filter: &FilterTable) -> Vec<u8> {
    let mut spans = vec![0_u32];
    let mut text = Vec::new();
    for word in words {
        text.extend_from_slice(word);
        text.push(0);
        spans.push(text.len() as u32);
    }
    let mut sections = Vec::new();
    sections.extend(automaton.classes);
    sections.extend(filter.parts.as_flattened());
    sections.extend(filter.exact);
    sections.extend(filter.starts);
    let from = sections.len();
    sections.extend(filter.buckets.iter().flat_map(|start| start.to_ne_bytes()));
    sections.resize(from + BUCKETS_LEN, 0);
    sections.extend(filter.candidates.iter().flat_map(|candidate| candidate.packed()));
    sections.extend(spans.iter().flat_map(|span| span.to_ne_bytes()));
    sections.extend(automaton.next.iter().flat_map(|state| state.to_ne_bytes()));
    sections.resize(sections.len().next_multiple_of(4), 0);
    sections.extend(&text);
    sections.resize(sections.len().next_multiple_of(4), 0);
    let longest = words.iter().map(|word| word.len()).max().unwrap_or(0);
    let numbers = [
        MAGIC,
        VERSION,
        (HEADER_LEN + sections.len()) as u32,
        automaton.class_count as u32,
        automaton.states as u32,
        filter.candidates.len() as u32,
        words.len() as u32,
        text.len() as u32,
        longest as u32,
    ];
    let mut file: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
    file.resize(HEADER_LEN, 0);
    file.extend(sections);
    file
}

const _: () = assert!(BUCKETS == 16, "the filters have two sets of eight");
