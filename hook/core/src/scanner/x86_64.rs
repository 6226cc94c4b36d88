//! The filters with SSSE3, AVX2 and AVX-512 instructions.
#![expect(unsafe_code, reason = "vector loads, and functions that need a processor's features")]

use core::arch::x86_64::{
    __cpuid, __cpuid_count, __m512i, _mm_and_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128,
    _mm_set1_epi8, _mm_setzero_si128, _mm_shuffle_epi8, _mm_srli_epi16, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm512_and_si512, _mm512_loadu_si512,
    _mm512_maskz_loadu_epi8, _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_setzero_si512, _mm512_storeu_si512,
    _mm512_test_epi8_mask, _xgetbv,
};

use readhook_words::layout::LOOK_UPS;
use readhook_words::{WINDOW, Words};

/// The filters that processor and kernel support.
pub(super) struct Supported {
    pub(super) ssse3: bool,
    pub(super) avx2: bool,
    pub(super) avx512: bool,
}

impl Supported {
    /// Asks the processor. In a virtual machine each question costs a switch to the hypervisor, so each is asked once.
    pub(super) fn detect() -> Self {
        const SSSE3: u32 = 1 << 9;
        const OSXSAVE: u32 = 1 << 27;
        const BMI1_AND_AVX2: u32 = 1 << 3 | 1 << 5;
        const F_AND_BW: u32 = 1 << 16 | 1 << 30;
        const VBMI: u32 = 1 << 1;
        let basic = __cpuid(1).ecx;
        let (ebx, ecx) = if __cpuid(0).eax < 7 {
            (0, 0)
        } else {
            let leaf = __cpuid_count(7, 0);
            (leaf.ebx, leaf.ecx)
        };
        let kept = if basic & OSXSAVE == 0 {
            0
        } else {
            // SAFETY: OSXSAVE shows that the instruction exists; register 0 always exists.
            unsafe { _xgetbv(0) }
        };
        // The sets of registers that the kernel saves when it switches tasks. It always saves those of SSSE3.
        let keeps = |sets: u64| kept & sets == sets;
        Self {
            ssse3: basic & SSSE3 != 0,
            avx2: keeps(0b110) && ebx & BMI1_AND_AVX2 == BMI1_AND_AVX2,
            avx512: keeps(0b1110_0110) && ebx & F_AND_BW == F_AND_BW && ecx & VBMI != 0,
        }
    }
}

/// Compares the words at those places of a block that passed the filter. Returns the first place with a word.
#[cold]
fn first_of(words: &Words<'_>, bytes: &[u8], from: usize, passed: u64) -> Option<usize> {
    let mut left = passed;
    while left != 0 {
        let at = from + left.trailing_zeros() as usize;
        left &= left - 1;
        if words.stands(bytes, at) {
            return Some(at);
        }
    }
    None
}

/// Defines a search with vectors of `$lanes` bytes. It returns the first place at which the window of a complete word
/// is. The names are those of the instructions.
macro_rules! search_by_parts {
    (
        $name:ident, $features:literal, $lanes:literal, load $load:ident, repeat $repeat:expr, all $all:ident,
        and $and:ident, or $or:ident, shift $shift:ident, look_up $look_up:ident, equal $equal:ident, zero $zero:ident,
        mask $mask:ident
    ) => {
        #[target_feature(enable = $features)]
        pub(super) fn $name(words: &Words<'_>, bytes: &[u8]) -> Option<usize> {
            /// Number of places of a block. Two vectors use each table that is in a register.
            const PLACES: usize = 2 * $lanes;
            const NEEDED: usize = PLACES + WINDOW - 1;
            let tables = words.parts();
            let low_bits = $all(15);
            let passed = |text: &[u8; NEEDED]| {
                let mut sets = [[$all(-1); 2]; 2];
                for look_up in 0..LOOK_UPS {
                    let parts: [_; 2] = core::array::from_fn(|half| {
                        let text: *const u8 = &raw const text[half * $lanes + look_up / 2];
                        // SAFETY: `look_up / 2` is at most 3, so the bytes of both halves are within the block.
                        let text = unsafe { $load(text.cast()) };
                        let text = if look_up.is_multiple_of(2) {
                            text
                        } else {
                            $shift::<3>(text)
                        };
                        $and(text, low_bits)
                    });
                    for (set, passed) in sets.iter_mut().enumerate() {
                        let table: *const u8 = tables[set * LOOK_UPS + look_up].as_ptr();
                        // SAFETY: a table has 16 bytes.
                        let table = $repeat(unsafe { _mm_loadu_si128(table.cast()) });
                        for (passed, part) in passed.iter_mut().zip(parts) {
                            *passed = $and(*passed, $look_up(table, part));
                        }
                    }
                }
                let none = |half: usize| {
                    let any = $or(sets[0][half], sets[1][half]);
                    u64::from($mask($equal(any, $zero())).cast_unsigned())
                };
                !(none(0) | none(1) << $lanes) & (u64::MAX >> (64 - PLACES))
            };
            // Most blocks have at most two places that pass. They are tested without a branch on their number, which a
            // processor could not predict.
            let check = |text: &[u8; NEEDED], from: usize, passed: u64| {
                let mut left = passed;
                let mut doubtful = false;
                for _ in 0..2 {
                    let place = (left | 1 << (PLACES - 1)).trailing_zeros() as usize;
                    let window = core::array::from_fn(|byte| text[place % PLACES + byte]);
                    doubtful |= (left != 0) & words.may_have(u32::from_le_bytes(window));
                    left &= left.wrapping_sub(1);
                }
                if doubtful | (left != 0) {
                    first_of(words, bytes, from, passed)
                } else {
                    None
                }
            };
            let mut padded = [0; NEEDED];
            let text = if bytes.len() < NEEDED {
                padded[..bytes.len()].copy_from_slice(bytes);
                &padded
            } else {
                bytes
            };
            let last = text.len() - NEEDED;
            let mut from = 0;
            while from < last + PLACES {
                // The last block overlaps the one before, so its first places are known.
                let at = from.min(last);
                if let Some(block) = text[at..].first_chunk()
                    && let Some(place) = check(block, at, passed(block) & u64::MAX << (from - at))
                {
                    return Some(place);
                }
                from += PLACES;
            }
            // A word of fewer than four bytes may be at the places after the last block.
            (last + PLACES..bytes.len()).find(|at| words.stands(bytes, *at))
        }
    };
}

search_by_parts!(
    first_place_ssse3, "ssse3", 16, load _mm_loadu_si128, repeat core::convert::identity, all _mm_set1_epi8,
    and _mm_and_si128, or _mm_or_si128, shift _mm_srli_epi16, look_up _mm_shuffle_epi8, equal _mm_cmpeq_epi8,
    zero _mm_setzero_si128, mask _mm_movemask_epi8
);
search_by_parts!(
    first_place_avx2, "avx2,bmi1", 32, load _mm256_loadu_si256, repeat _mm256_broadcastsi128_si256, all _mm256_set1_epi8,
    and _mm256_and_si256, or _mm256_or_si256, shift _mm256_srli_epi16, look_up _mm256_shuffle_epi8,
    equal _mm256_cmpeq_epi8, zero _mm256_setzero_si256, mask _mm256_movemask_epi8
);

/// Compares the words at those places of a block that passed the filter, in their buckets.
fn check<const N: usize>(
    words: &Words<'_>,
    bytes: &[u8],
    from: usize,
    passed: u64,
    sets: [&[u8; N]; 2],
) -> Option<usize> {
    let mut left = passed;
    while left != 0 {
        let place = left.trailing_zeros() as usize;
        left &= left - 1;
        let buckets = u16::from_le_bytes([sets[0][place], sets[1][place]]);
        if words.stands_at(bytes, from + place, buckets) {
            return Some(from + place);
        }
    }
    None
}

/// Returns the first place at which the window of a complete word is.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) fn first_place_avx512(words: &Words<'_>, bytes: &[u8]) -> Option<usize> {
    const PLACES: usize = 64;
    let half = |table: &[u8]| {
        let table: &[u8; PLACES] = table.try_into().unwrap_or(&[0; PLACES]);
        // SAFETY: the half has 64 bytes.
        unsafe { _mm512_loadu_si512(table.as_ptr().cast()) }
    };
    let tables: [[[__m512i; 2]; WINDOW]; 2] = core::array::from_fn(|set| {
        core::array::from_fn(|byte| {
            let (first, last) = words.exact(set, byte).split_at(PLACES);
            [half(first), half(last)]
        })
    });
    let mut from = 0;
    while from < bytes.len() {
        let left = bytes.len() - from;
        let mut sets = [_mm512_setzero_si512(); 2];
        for byte in 0..WINDOW {
            let len = left.saturating_sub(byte).min(PLACES);
            let present = if len == PLACES { u64::MAX } else { (1 << len) - 1 };
            // SAFETY: `present` selects only bytes within the slice.
            let text = unsafe { _mm512_maskz_loadu_epi8(present, bytes.as_ptr().wrapping_add(from + byte).cast()) };
            for (set, masks) in sets.iter_mut().zip(&tables) {
                let [of_first, of_last] = masks[byte];
                let found = _mm512_permutex2var_epi8(of_first, text, of_last);
                *set = if byte == 0 {
                    found
                } else {
                    _mm512_and_si512(*set, found)
                };
            }
        }
        let any = _mm512_or_si512(sets[0], sets[1]);
        let passed = _mm512_test_epi8_mask(any, any);
        if passed != 0 {
            let mut masks = [[0_u8; PLACES]; 2];
            for (set, mask) in sets.into_iter().zip(&mut masks) {
                // SAFETY: the array has 64 bytes.
                unsafe { _mm512_storeu_si512(mask.as_mut_ptr().cast(), set) };
            }
            if let Some(place) = check(words, bytes, from, passed, [&masks[0], &masks[1]]) {
                return Some(place);
            }
        }
        from += PLACES;
    }
    None
}
