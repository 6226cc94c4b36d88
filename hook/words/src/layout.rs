//! The layout of a word file, in the byte order of the machine. Its sections follow each other; the length of each is a
//! multiple of four bytes.
//!
//! | section | content |
//! |---|---|
//! | header | 16 numbers of 32 bits: [`MAGIC`], [`VERSION`], length of the file, number of classes, of states, of candidates and of words, bytes of text, length of the longest word; the others are 0 |
//! | classes | the class of each byte; 0 for bytes that are in no word |
//! | parts | the filter by parts of bytes: for each set of 8 buckets and each look-up, 16 masks |
//! | exact | the filter by the low 7 bits of bytes: for each set and each byte of the window, 128 masks |
//! | starts | for each hash of the first two bytes of a window, one bit for each value of the lowest three bits of the third byte; the bit is set if a word has such a window |
//! | buckets | index of the first candidate of each bucket, and the number of candidates; 16 bits each, padded |
//! | candidates | for each word: the bytes of its window, their mask, and offset, length and index packed |
//! | spans | start of each word's text, and end of the last one |
//! | next | the automaton: the next state for each state and class. A number that is not below the number of states is a hit of a word |
//! | text | the words, each with a terminating zero |

/// First number of a word file.
pub const MAGIC: u32 = u32::from_ne_bytes(*b"rhwd");
/// Version of the layout.
pub const VERSION: u32 = 2;
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
/// Number of look-ups of the filter by parts at a place. Look-up 2 n sees bits 0 to 3 of byte n of the window, look-up
/// 2 n + 1 sees its bits 3 to 6. The last byte has one look-up: the other one would reject few places.
pub const LOOK_UPS: usize = 2 * WINDOW - 1;
/// Number of tables of the section `parts`, 16 bytes each.
pub const PARTS: usize = 2 * LOOK_UPS;
/// Length of the section `exact` in bytes.
pub const EXACT_LEN: usize = 2 * WINDOW * 128;
/// Number of bits of the hash of two bytes.
const HASH_BITS: u32 = 9;
/// Length of the section `starts` in bytes.
pub const STARTS_LEN: usize = 1 << HASH_BITS;
/// Length of the section `buckets` in bytes.
pub const BUCKETS_LEN: usize = (2 * (BUCKETS + 1)).next_multiple_of(4);

/// Returns the four bits of a byte that a look-up sees. Bit 7 is not seen, because words and payloads are mostly ASCII.
#[must_use]
pub const fn part(look_up: usize, byte: u8) -> usize {
    (if look_up.is_multiple_of(2) { byte } else { byte >> 3 } & 15) as usize
}

/// Returns the place of a window's bit in the section `starts`: the byte of the section and the number of the bit. The
/// lowest bits of `window` are its first byte.
#[inline]
#[must_use]
pub const fn start(window: u32) -> (usize, u32) {
    // The factor is 2^32 divided by the golden ratio. It spreads pairs that differ in a few bits (Knuth, The Art of
    // Computer Programming, volume 3, section 6.4).
    const FACTOR: u32 = 0x9e37_79b1;
    let hash = (window & 0xffff).wrapping_mul(FACTOR) >> (u32::BITS - HASH_BITS);
    (hash as usize, window >> 16 & 7)
}
