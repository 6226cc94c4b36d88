//! The filters with AVX2 and AVX-512 instructions.
#![expect(unsafe_code, reason = "vector loads, and functions that need a processor's features")]

use core::arch::x86_64::{
    __cpuid, __cpuid_count, __m256i, __m512i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_storeu_si256, _mm512_and_si512,
    _mm512_loadu_si512, _mm512_maskz_loadu_epi8, _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_setzero_si512,
    _mm512_storeu_si512, _mm512_test_epi8_mask, _xgetbv,
};

use readhook_words::{WINDOW, Words};

/// Returns whether the processor has AVX2 and the kernel saves its registers.
pub(super) fn has_avx2() -> bool {
    const AVX2: u32 = 1 << 5;
    kernel_keeps(0b110) && leaf_7().0 & AVX2 != 0
}

/// Returns whether the processor has AVX-512 F, BW and VBMI, and the kernel saves its registers.
pub(super) fn has_avx512() -> bool {
    const F_AND_BW: u32 = 1 << 16 | 1 << 30;
    const VBMI: u32 = 1 << 1;
    let (ebx, ecx) = leaf_7();
    kernel_keeps(0b1110_0110) && ebx & F_AND_BW == F_AND_BW && ecx & VBMI != 0
}

fn leaf_7() -> (u32, u32) {
    if __cpuid(0).eax < 7 {
        return (0, 0);
    }
    let leaf = __cpuid_count(7, 0);
    (leaf.ebx, leaf.ecx)
}

/// Returns whether the kernel saves these sets of registers when it switches tasks.
fn kernel_keeps(sets: u64) -> bool {
    const OSXSAVE: u32 = 1 << 27;
    if __cpuid(1).ecx & OSXSAVE == 0 {
        return false;
    }
    // SAFETY: OSXSAVE shows that the instruction exists; register 0 always exists.
    let kept = unsafe { _xgetbv(0) };
    kept & sets == sets
}

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
#[target_feature(enable = "avx2")]
pub(super) fn first_place_avx2(words: &Words<'_>, bytes: &[u8]) -> Option<usize> {
    const PLACES: usize = 32;
    const NEEDED: usize = PLACES + WINDOW - 1;
    let table = |set: usize, byte: usize, half: usize| {
        let table = &words.nibbles(set, byte)[half * 16..half * 16 + 16];
        // SAFETY: the slice has 16 bytes.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
    };
    let tables: [[[__m256i; 2]; WINDOW]; 2] =
        core::array::from_fn(|set| core::array::from_fn(|byte| [table(set, byte, 0), table(set, byte, 1)]));
    let low_half = _mm256_set1_epi8(15);
    let block = |window: &[u8; NEEDED]| {
        let mut sets = [_mm256_set1_epi8(-1); 2];
        for byte in 0..WINDOW {
            let text: *const u8 = &raw const window[byte];
            // SAFETY: `byte` is at most 3, so its 32 bytes are within the 35 bytes of the block.
            let text = unsafe { _mm256_loadu_si256(text.cast()) };
            let low = _mm256_and_si256(text, low_half);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(text), low_half);
            for (set, masks) in sets.iter_mut().zip(&tables) {
                let [of_low, of_high] = masks[byte];
                let both = _mm256_and_si256(_mm256_shuffle_epi8(of_low, low), _mm256_shuffle_epi8(of_high, high));
                *set = _mm256_and_si256(*set, both);
            }
        }
        sets
    };
    let judge = |sets: [__m256i; 2], from: usize| {
        let any = _mm256_or_si256(sets[0], sets[1]);
        let none = _mm256_movemask_epi8(_mm256_cmpeq_epi8(any, _mm256_setzero_si256())).cast_unsigned();
        if none == u32::MAX {
            return None;
        }
        let mut masks = [[0; PLACES]; 2];
        for (set, mask) in sets.into_iter().zip(&mut masks) {
            // SAFETY: the array has 32 bytes.
            unsafe { _mm256_storeu_si256(mask.as_mut_ptr().cast(), set) };
        }
        check(words, bytes, from, u64::from(!none), [&masks[0], &masks[1]])
    };
    let mut from = 0;
    while let Some(window) = bytes[from..].first_chunk() {
        if let Some(place) = judge(block(window), from) {
            return Some(place);
        }
        from += PLACES;
    }
    // The rest is shorter than a block and is padded with zeros; the comparison rejects places that pass because of the
    // zeros. This loop runs at most twice, because up to 34 bytes may be left.
    while from < bytes.len() {
        let rest = &bytes[from..];
        let mut window = [0; NEEDED];
        let len = rest.len().min(NEEDED);
        window[..len].copy_from_slice(&rest[..len]);
        if let Some(place) = judge(block(&window), from) {
            return Some(place);
        }
        from += PLACES;
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
