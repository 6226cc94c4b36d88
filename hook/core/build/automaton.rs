//! Aho-Corasick (doi:10.1145/360825.360855) as a complete automaton with byte classes.
//!
//! A state is the offset of its row in `next`, so that a step is one addition and one load. A found word ends the
//! search, so states that end a word need no row: they are the numbers from `first_hit` on, `first_hit` plus the word's
//! index. Words that contain another word need not be in the automaton, since the shorter one is found in them.

use std::collections::VecDeque;

/// The scanner's tables.
pub(crate) struct Tables {
    pub(crate) classes: [u8; 256],
    pub(crate) stride: u16,
    pub(crate) first_hit: u16,
    pub(crate) next: Vec<u16>,
}

/// A state while building: successors by class, fallback, and the word that ends here.
struct Node {
    children: Vec<Option<usize>>,
    fail: usize,
    word: Option<usize>,
}

pub(crate) fn compile(words: &[&str]) -> Result<Tables, String> {
    let needed = |word: &str| !words.iter().any(|other| *other != word && word.contains(other));
    let kept: Vec<(usize, &str)> = words
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, word)| needed(word))
        .collect();
    let (classes, stride) = classes(&kept);
    let mut nodes = trie(&kept, &classes, stride);
    complete(&mut nodes, stride);
    let rows: Vec<usize> = (0..nodes.len()).filter(|node| nodes[*node].word.is_none()).collect();
    let first_hit = rows.len() * stride;
    let target = |node: usize| match nodes[node].word {
        Some(word) => first_hit + word,
        None => rows.binary_search(&node).unwrap_or_default() * stride,
    };
    let next: Result<Vec<u16>, _> = rows
        .iter()
        .flat_map(|row| {
            nodes[*row]
                .children
                .iter()
                .map(|child| u16::try_from(target(child.unwrap_or(0))))
        })
        .collect();
    let too_many = |_| {
        format!(
            "hook/words.txt: {} words need more than 65,536 table entries; shorten the list",
            words.len()
        )
    };
    Ok(Tables {
        classes,
        stride: u16::try_from(stride).map_err(too_many)?,
        first_hit: u16::try_from(first_hit).map_err(too_many)?,
        next: next.map_err(too_many)?,
    })
}

/// One class per byte that stands in a word, and class 0 for all others.
fn classes(words: &[(usize, &str)]) -> ([u8; 256], usize) {
    let mut classes = [0_u8; 256];
    let mut count = 1;
    for byte in words.iter().flat_map(|(_, word)| word.bytes()) {
        let class = &mut classes[usize::from(byte)];
        if *class == 0 {
            *class = count;
            count += 1;
        }
    }
    (classes, usize::from(count))
}

fn trie(words: &[(usize, &str)], classes: &[u8; 256], stride: usize) -> Vec<Node> {
    let new = || Node {
        children: vec![None; stride],
        fail: 0,
        word: None,
    };
    let mut nodes = vec![new()];
    for (index, word) in words {
        let mut at = 0;
        for byte in word.bytes() {
            let class = usize::from(classes[usize::from(byte)]);
            at = match nodes[at].children[class] {
                Some(child) => child,
                None => {
                    nodes.push(new());
                    let child = nodes.len() - 1;
                    nodes[at].children[class] = Some(child);
                    child
                }
            };
        }
        nodes[at].word = Some(*index);
    }
    nodes
}

/// Fills in every missing successor from the longest proper suffix, breadth first. A suffix that is a word ends the
/// search too, but no kept word contains another, so that happens only at the last byte of a mismatch.
fn complete(nodes: &mut [Node], stride: usize) {
    let mut queue = VecDeque::from([0]);
    while let Some(at) = queue.pop_front() {
        let fail = nodes[at].fail;
        if nodes[at].word.is_none() {
            nodes[at].word = nodes[fail].word;
        }
        for class in 0..stride {
            let fallback = if at == 0 {
                0
            } else {
                nodes[fail].children[class].unwrap_or(0)
            };
            match nodes[at].children[class] {
                Some(child) => {
                    nodes[child].fail = fallback;
                    queue.push_back(child);
                }
                None => nodes[at].children[class] = Some(fallback),
            }
        }
    }
}
