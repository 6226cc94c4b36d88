//! The filter with NEON instructions.
#![expect(unsafe_code, reason = "vector loads")]

use core::arch::aarch64::{
    uint8x16_t, vandq_u8, vdupq_n_u8, vget_lane_u64, vld1q_u8, vorrq_u8, vqtbl1q_u8, vreinterpret_u64_u8,
    vreinterpretq_u16_u8, vshrn_n_u16, vshrq_n_u8, vtstq_u8,
};

use readhook_words::layout::LOOK_UPS;
use readhook_words::{WINDOW, Words};

/// Number of places that are tested at once.
const PLACES: usize = 16;
/// Number of bytes that the windows at these places cover.
const NEEDED: usize = PLACES + WINDOW - 1;

/// For each set of buckets and each look-up, the masks by the value that the look-up sees.
type NeonTables = [[uint8x16_t; LOOK_UPS]; 2];

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8], at: usize) -> uint8x16_t {
    let bytes: &[u8; PLACES] = bytes[at..].first_chunk().unwrap_or(&[0; PLACES]);
    // SAFETY: the array has 16 bytes.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// Returns the first place at which the window of a complete word is.
#[target_feature(enable = "neon")]
pub(super) fn first_place(words: &Words<'_>, bytes: &[u8]) -> Option<usize> {
    let parts = words.parts();
    let tables: NeonTables =
        core::array::from_fn(|set| core::array::from_fn(|look_up| load(&parts[set * LOOK_UPS + look_up], 0)));
    let mut from = 0;
    while let Some(block) = bytes[from..].first_chunk() {
        if let Some(place) = check(words, bytes, from, passed(&tables, block)) {
            return Some(place);
        }
        from += PLACES;
    }
    // The rest is shorter than a block and is padded with zeros; the comparison rejects places that pass because of the
    // zeros. This loop runs at most twice, because up to 18 bytes may be left.
    while from < bytes.len() {
        let rest = &bytes[from..];
        let mut block = [0; NEEDED];
        let len = rest.len().min(NEEDED);
        block[..len].copy_from_slice(&rest[..len]);
        if let Some(place) = check(words, bytes, from, passed(&tables, &block)) {
            return Some(place);
        }
        from += PLACES;
    }
    None
}

/// Returns four bits for each place of a block. Place 0 has the lowest ones. They are set if the place passes.
#[inline]
#[target_feature(enable = "neon")]
fn passed(tables: &NeonTables, block: &[u8; NEEDED]) -> u64 {
    let mut sets = [vdupq_n_u8(u8::MAX); 2];
    for look_up in 0..LOOK_UPS {
        let text = load(block, look_up / 2);
        let text = if look_up.is_multiple_of(2) {
            text
        } else {
            vshrq_n_u8::<3>(text)
        };
        let part = vandq_u8(text, vdupq_n_u8(15));
        for (set, tables) in sets.iter_mut().zip(tables) {
            *set = vandq_u8(*set, vqtbl1q_u8(tables[look_up], part));
        }
    }
    let any = vorrq_u8(sets[0], sets[1]);
    let passed = vshrn_n_u16::<4>(vreinterpretq_u16_u8(vtstq_u8(any, any)));
    vget_lane_u64::<0>(vreinterpret_u64_u8(passed))
}

/// Compares the words at those places of a block that passed the filter. Returns the first place with a word.
#[inline]
fn check(words: &Words<'_>, bytes: &[u8], from: usize, passed: u64) -> Option<usize> {
    /// The lowest of the four bits of each place.
    const ONE_BIT_OF_FOUR: u64 = 0x1111_1111_1111_1111;
    let mut left = passed & ONE_BIT_OF_FOUR;
    while left != 0 {
        let at = from + (left.trailing_zeros() / 4) as usize;
        left &= left - 1;
        if words.stands(bytes, at) {
            return Some(at);
        }
    }
    None
}
