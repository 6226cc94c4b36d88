//! The filter with NEON instructions.
#![expect(unsafe_code, reason = "vector loads and stores")]

use core::arch::aarch64::{
    uint8x16_t, uint8x16x2_t, vandq_u8, vdupq_n_u8, vget_lane_u64, vld1q_u8, vorrq_u8, vqtbl1q_u8, vreinterpret_u64_u8,
    vreinterpretq_u16_u8, vshrn_n_u16, vshrq_n_u8, vst2q_u8, vtstq_u8,
};

use readhook_words::{WINDOW, Words};

/// Number of places that are tested at once.
const PLACES: usize = 16;
/// Number of bytes that the windows at these places cover.
const NEEDED: usize = PLACES + WINDOW - 1;

/// For each set of buckets and each byte of the window, the masks by the low half and by the high half of a byte.
type NeonTables = [[[uint8x16_t; 2]; WINDOW]; 2];

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
    let tables: NeonTables = core::array::from_fn(|set| {
        core::array::from_fn(|byte| {
            let masks = words.nibbles(set, byte);
            [load(masks, 0), load(masks, PLACES)]
        })
    });
    let mut from = 0;
    while let Some(block) = bytes[from..].first_chunk() {
        if let Some(place) = check(words, bytes, from, buckets(&tables, block)) {
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
        if let Some(place) = check(words, bytes, from, buckets(&tables, &block)) {
            return Some(place);
        }
        from += PLACES;
    }
    None
}

/// Returns the buckets that pass at each place of a block, for each set of buckets.
#[inline]
#[target_feature(enable = "neon")]
fn buckets(tables: &NeonTables, block: &[u8; NEEDED]) -> uint8x16x2_t {
    let mut sets = [vdupq_n_u8(u8::MAX); 2];
    for byte in 0..WINDOW {
        let text = load(block, byte);
        let low = vandq_u8(text, vdupq_n_u8(15));
        let high = vshrq_n_u8::<4>(text);
        for (set, masks) in sets.iter_mut().zip(tables) {
            let [of_low, of_high] = masks[byte];
            let both = vandq_u8(vqtbl1q_u8(of_low, low), vqtbl1q_u8(of_high, high));
            *set = vandq_u8(*set, both);
        }
    }
    uint8x16x2_t(sets[0], sets[1])
}

/// Compares the words of the buckets at those places of a block that passed the filter.
#[inline]
#[target_feature(enable = "neon")]
fn check(words: &Words<'_>, bytes: &[u8], from: usize, sets: uint8x16x2_t) -> Option<usize> {
    /// The lowest of the four bits that the narrowing shift leaves of each place.
    const ONE_BIT_OF_FOUR: u64 = 0x1111_1111_1111_1111;
    let any = vorrq_u8(sets.0, sets.1);
    let passed = vshrn_n_u16::<4>(vreinterpretq_u16_u8(vtstq_u8(any, any)));
    let mut left = vget_lane_u64::<0>(vreinterpret_u64_u8(passed)) & ONE_BIT_OF_FOUR;
    if left == 0 {
        return None;
    }
    let mut masks = [[0_u8; 2]; PLACES];
    // SAFETY: the array has 32 bytes, two for each place.
    unsafe { vst2q_u8(masks.as_flattened_mut().as_mut_ptr(), sets) };
    while left != 0 {
        let place = (left.trailing_zeros() / 4) as usize;
        left &= left - 1;
        if words.stands_at(bytes, from + place, u16::from_le_bytes(masks[place])) {
            return Some(from + place);
        }
    }
    None
}
