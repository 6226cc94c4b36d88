//! The layout of a word file, in the byte order of the machine. Its sections follow each other; the length of each is a
//! multiple of four bytes.
//!
//! | section | content |
//! |---|---|
//! | header | 16 numbers of 32 bits: [`MAGIC`], [`VERSION`], length of the file, number of classes, of states, of candidates and of words, bytes of text, length of the longest word; the others are 0 |
//! | classes | the class of each byte; 0 for bytes that are in no word |
//! | nibbles | the filter by halves of bytes: for each set of 8 buckets and each byte of the window, 16 masks for the low half and 16 for the high half |
//! | exact | the filter by the low 7 bits of bytes: for each set and each byte of the window, 128 masks |
//! | buckets | index of the first candidate of each bucket, and the number of candidates; 16 bits each, padded |
//! | candidates | for each word: the bytes of its window, their mask, and offset, length and index packed |
//! | spans | start of each word's text, and end of the last one |
//! | next | the automaton: the next state for each state and class. A number that is not below the number of states is a hit of a word |
//! | text | the words, each with a terminating zero |

/// First number of a word file.
pub const MAGIC: u32 = u32::from_ne_bytes(*b"rhwd");
/// Version of the layout.
pub const VERSION: u32 = 1;
/// Length of the header in bytes.
pub const HEADER_LEN: usize = 64;
/// Number of bytes of a word that the filters test.
pub const WINDOW: usize = 4;
/// Number of buckets into which words are sorted. A mask of the filters has one bit for each bucket.
pub const BUCKETS: usize = 16;
/// Length of the longest allowed word in bytes. It bounds the bytes that are searched again at the border of a piece.
pub const LONGEST_WORD: usize = 64;

/// Length of the section `classes` in bytes.
pub const CLASSES_LEN: usize = 256;
/// Length of the section `nibbles` in bytes.
pub const NIBBLES_LEN: usize = 2 * WINDOW * 2 * 16;
/// Length of the section `exact` in bytes.
pub const EXACT_LEN: usize = 2 * WINDOW * 128;
/// Length of the section `buckets` in bytes.
pub const BUCKETS_LEN: usize = (2 * (BUCKETS + 1)).next_multiple_of(4);
