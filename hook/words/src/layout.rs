//! The layout of a word file, in the byte order of the machine: sections one after the other, each a multiple of four
//! bytes long.
//!
//! | section | holds |
//! |---|---|
//! | header | 16 numbers of 32 bits: [`MAGIC`], [`VERSION`], length of the file, classes, states, candidates, words, bytes of text, longest word; the rest 0 |
//! | classes | for each byte its class; 0 for bytes that stand in no word |
//! | nibbles | the filter by halves of bytes: for each set of 8 buckets, each byte of the window, 16 masks for the low and 16 for the high half |
//! | exact | the filter by the low 7 bits of bytes: for each set, each byte of the window, 128 masks |
//! | buckets | where each bucket's candidates begin, and where the last one's end; 16 bits each, padded |
//! | candidates | for each word: the window's bytes, their mask, and offset, length and index packed |
//! | spans | where each word's text begins, and where the last one's ends |
//! | next | the automaton: for each state and class the next state; states from their count on are hits of words |
//! | text | the words, each followed by a zero |

/// First number of a word file.
pub const MAGIC: u32 = u32::from_ne_bytes(*b"rhwd");
/// Version of the layout.
pub const VERSION: u32 = 1;
/// Bytes of the header.
pub const HEADER_LEN: usize = 64;
/// Bytes of a word that the filters look at.
pub const WINDOW: usize = 4;
/// Buckets into which words are sorted; a mask of the filters has a bit for each.
pub const BUCKETS: usize = 16;
/// Longest word allowed, which bounds what must be searched again after a cut.
pub const LONGEST_WORD: usize = 64;

/// Bytes of the section `classes`.
pub const CLASSES_LEN: usize = 256;
/// Bytes of the section `nibbles`.
pub const NIBBLES_LEN: usize = 2 * WINDOW * 2 * 16;
/// Bytes of the section `exact`.
pub const EXACT_LEN: usize = 2 * WINDOW * 128;
/// Bytes of the section `buckets`.
pub const BUCKETS_LEN: usize = (2 * (BUCKETS + 1)).next_multiple_of(4);
