//! Builds an Aho-Corasick automaton (doi:10.1145/360825.360855) that is complete and has byte classes.
//!
//! A found word ends the search, so a state that ends a word needs no row. Its number is the number of rows plus the
//! index of the word. A word that contains another word is not in the automaton, because the shorter word is found
//! first.

use std::collections::VecDeque;

use crate::error::CompileError;

/// The automaton.
pub(crate) struct Automaton {
    pub(crate) classes: [u8; 256],
    pub(crate) class_count: usize,
    pub(crate) states: usize,
    /// Successors of all states: for each state, one successor for each class.
    pub(crate) next: Vec<u16>,
}

/// A state during the construction: successors by class, fallback state, and the word that ends here.
struct Node {
    children: Vec<Option<usize>>,
    fail: usize,
    word: Option<usize>,
}

/// Builds the automaton of the words, with their indices in a list of `count` words. No word may contain another one.
pub(crate) fn build(kept: &[(usize, &[u8])], count: usize) -> Result<Automaton, CompileError> {
    let (classes, class_count) = classes(kept)?;
    let mut nodes = trie(kept, &classes, class_count);
    complete(&mut nodes, class_count);
    let rows: Vec<usize> = (0..nodes.len()).filter(|node| nodes[*node].word.is_none()).collect();
    let states = rows.len();
    if states + count > usize::from(u16::MAX) {
        return Err(CompileError::TooMany { states: states + count });
    }
    let mut numbers = vec![0_u16; nodes.len()];
    for (number, row) in (0..).zip(&rows) {
        numbers[*row] = number;
    }
    for (node, number) in nodes.iter().zip(&mut numbers) {
        if let Some(word) = node.word {
            *number = (states + word) as u16;
        }
    }
    let next = rows
        .iter()
        .flat_map(|row| nodes[*row].children.iter().map(|child| numbers[child.unwrap_or(0)]));
    Ok(Automaton {
        classes,
        class_count,
        states,
        next: next.collect(),
    })
}

/// Returns the class of each byte value and the number of classes. Each byte value that occurs in a word has a class
/// of its own. All others have class 0.
fn classes(words: &[(usize, &[u8])]) -> Result<([u8; 256], usize), CompileError> {
    let mut classes = [0_u8; 256];
    let mut count = 1_usize;
    for byte in words.iter().flat_map(|(_, word)| *word) {
        let class = &mut classes[usize::from(*byte)];
        if *class == 0 {
            *class = u8::try_from(count).map_err(|_| CompileError::EveryByte)?;
            count += 1;
        }
    }
    Ok((classes, count))
}

fn trie(words: &[(usize, &[u8])], classes: &[u8; 256], class_count: usize) -> Vec<Node> {
    let new = || Node {
        children: vec![None; class_count],
        fail: 0,
        word: None,
    };
    let mut nodes = vec![new()];
    for (index, word) in words {
        let mut at = 0;
        for byte in *word {
            let class = usize::from(classes[usize::from(*byte)]);
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

/// Fills in every missing successor, breadth first. It is the successor of the longest proper suffix. A suffix that is
/// a word also ends the search. No kept word contains another, so this happens only at the last byte of a mismatch.
fn complete(nodes: &mut [Node], class_count: usize) {
    let mut queue = VecDeque::from([0]);
    while let Some(at) = queue.pop_front() {
        let fail = nodes[at].fail;
        if nodes[at].word.is_none() {
            nodes[at].word = nodes[fail].word;
        }
        for class in 0..class_count {
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
