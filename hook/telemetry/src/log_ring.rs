//! A log in shared memory. One addition reserves the place of a line, so a hit costs no system call. When all places
//! are taken, further lines are dropped, and their writer counts them.
#![expect(unsafe_code, reason = "the file is mapped memory, known by its address only")]

use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Relaxed, Release};
use core::sync::atomic::{AtomicU32, AtomicU64};

/// First eight bytes of a log ring.
const MAGIC: u64 = u64::from_le_bytes(*b"hooklogs");
const HEADER_LEN: usize = 64;
const SLOT_LEN: usize = 192;
const TEXT_LEN: usize = SLOT_LEN - size_of::<AtomicU32>();

#[repr(C)]
struct RingHeader {
    magic: u64,
    lines: u32,
    padding: u32,
    claimed: AtomicU64,
}

/// The place of a line. Its length is stored last: zero marks an unfinished line.
#[repr(C)]
struct RingSlot {
    len: AtomicU32,
    text: [u8; TEXT_LEN],
}

const _: () = assert!(size_of::<RingHeader>() <= HEADER_LEN && size_of::<RingSlot>() == SLOT_LEN);

/// Returns the length in bytes of a file with room for `lines` lines.
#[must_use]
pub const fn log_ring_len(lines: u32) -> u64 {
    HEADER_LEN as u64 + lines as u64 * SLOT_LEN as u64
}

/// Returns the first bytes of an empty file. All other bytes are zero (`File::set_len`).
#[must_use]
pub fn log_ring_header(lines: u32) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(&MAGIC.to_ne_bytes());
    let at = offset_of!(RingHeader, lines);
    bytes[at..at + 4].copy_from_slice(&lines.to_ne_bytes());
    bytes
}

/// Checks the first bytes and the length of a file. Returns the number of its places, `None` if it is not a log ring.
#[must_use]
pub fn log_ring_lines(start: &[u8; HEADER_LEN], len: u64) -> Option<u32> {
    let at = offset_of!(RingHeader, lines);
    let lines = u32::from_ne_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]]);
    (start[..8] == MAGIC.to_ne_bytes() && len >= log_ring_len(lines)).then_some(lines)
}

/// Returns the finished lines of a file, in the order in which their places were taken.
pub fn log_ring_texts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slots = bytes.get(HEADER_LEN..).unwrap_or_default().as_chunks::<SLOT_LEN>().0;
    slots.iter().filter_map(|slot| {
        let len = u32::from_ne_bytes([slot[0], slot[1], slot[2], slot[3]]) as usize;
        slot[4..].get(..len).filter(|text| !text.is_empty())
    })
}

/// Writes to a mapped log ring.
#[derive(Clone, Copy, Debug)]
pub struct LogRing {
    base: NonNull<u8>,
    lines: u32,
}

impl LogRing {
    /// Uses a mapping of `len` bytes at `base`. Returns `None` if it is not a log ring.
    ///
    /// # Safety
    /// `base` must be aligned to 8 bytes. The mapping must be readable and writable for `len` bytes as long as the ring
    /// or a copy of it is used. Only rings may write to it.
    #[must_use]
    pub unsafe fn new(base: NonNull<u8>, len: usize) -> Option<Self> {
        if len < HEADER_LEN {
            return None;
        }
        // SAFETY: `len` covers the header, and the caller promises that it is readable. The copy keeps no reference.
        let start = unsafe { base.cast::<[u8; HEADER_LEN]>().read() };
        let lines = log_ring_lines(&start, len as u64)?;
        Some(Self { base, lines })
    }

    /// Writes a line. Returns false if no place is left or the line is too long.
    #[inline]
    #[must_use]
    pub fn append(&self, line: &[u8]) -> bool {
        // SAFETY: the caller of `new` promised an aligned mapping that outlives self, and `new` checked its header.
        let header = unsafe { self.base.cast::<RingHeader>().as_ref() };
        if line.len() > TEXT_LEN || header.claimed.load(Relaxed) >= self.lines.into() {
            return false;
        }
        let place = header.claimed.fetch_add(1, Relaxed);
        if place >= self.lines.into() {
            return false;
        }
        // SAFETY: the place is below the number of places, and `new` checked that the mapping has room for them.
        let slot = unsafe { self.base.add(HEADER_LEN + place as usize * SLOT_LEN) };
        // SAFETY: the slot is within the mapping, and nobody else has taken this place.
        let text = unsafe { slot.add(offset_of!(RingSlot, text)) };
        // SAFETY: the line fits into the slot and does not overlap the file.
        unsafe { text.copy_from_nonoverlapping(NonNull::from_ref(line).cast(), line.len()) };
        // SAFETY: the slot starts with its length, and the slot is aligned.
        let len = unsafe { slot.cast::<AtomicU32>().as_ref() };
        len.store(line.len() as u32, Release);
        true
    }
}
