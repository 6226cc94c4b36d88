//! The layout itself: what stands where, shared by writer and reader.

use core::fmt;
use core::mem::{offset_of, size_of};
use core::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64};

/// Version of the layout. A file of another version is refused by both sides.
pub const VERSION: u32 = 2;

/// The hooked functions by name; [`Function`] and [`Counters::calls`](crate::Counters::calls) index this list.
pub const FUNCTIONS: [&str; 19] = [
    "accept",
    "accept4",
    "read",
    "recv",
    "recvfrom",
    "close",
    "readv",
    "recvmsg",
    "recvmmsg",
    "__read_chk",
    "__recv_chk",
    "__recvfrom_chk",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "fcntl64",
    "syscall",
];

/// A hooked function; the discriminant is its index in [`FUNCTIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "each variant is the function of that name")]
pub enum Function {
    Accept,
    Accept4,
    Read,
    Recv,
    RecvFrom,
    Close,
    ReadV,
    RecvMsg,
    RecvMMsg,
    ReadChk,
    RecvChk,
    RecvFromChk,
    CloseRange,
    Dup,
    Dup2,
    Dup3,
    Fcntl,
    Fcntl64,
    Syscall,
}

/// What the hook decided about a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Not searched: the mode does not search.
    None = 0,
    /// Searched, no word found.
    Clean = 1,
    /// Searched, a word found.
    Hit = 2,
    /// Kept from the program: a word was found, in this payload or in an earlier one.
    Blocked = 3,
}

/// First eight bytes of the file. Read on a machine of the other byte order it does not match.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"readhook");

/// The start of the file. Counters are atomics because every thread of every hooked process adds to them.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) magic: u64,
    pub(crate) version: u32,
    pub(crate) capacity: u32,
    pub(crate) attached: AtomicU32,
    pub(crate) mode: AtomicU8,
    pub(crate) padding: [u8; 3],
    /// Records claimed so far; beyond `capacity` they were dropped.
    pub(crate) claimed: AtomicU64,
    pub(crate) counters: [AtomicU64; COUNTERS],
    pub(crate) calls: [AtomicU64; FUNCTIONS.len()],
}

/// How many single counters there are, see [`crate::Counter`].
pub(crate) const COUNTERS: usize = 9;

/// One record in the file. `published` is the sequence number plus one, stored last, so that zero means unfinished.
#[repr(C)]
pub(crate) struct Slot {
    pub(crate) published: AtomicU64,
    pub(crate) start_ns: AtomicU64,
    pub(crate) bytes: AtomicI64,
    pub(crate) real_ns: AtomicU32,
    pub(crate) own_ns: AtomicU32,
    pub(crate) spun_ns: AtomicU32,
    pub(crate) fd: AtomicI32,
    pub(crate) thread: AtomicU32,
    pub(crate) function: AtomicU8,
    pub(crate) verdict: AtomicU8,
    pub(crate) padding: [u8; 2],
}

/// Bytes before the first record.
pub const HEADER_LEN: usize = 256;
/// Bytes of one record.
pub const RECORD_LEN: usize = size_of::<Slot>();

const _: () = assert!(size_of::<Header>() <= HEADER_LEN);
const _: () = assert!(RECORD_LEN == 48 && HEADER_LEN.is_multiple_of(align_of::<Slot>()));
const _: () = assert!(Function::Syscall as usize + 1 == FUNCTIONS.len());

/// Why a file is not a telemetry file of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// The file or buffer has `found` bytes where `needed` are needed.
    Length {
        /// Bytes needed.
        needed: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The first eight bytes are not a telemetry file's.
    Foreign,
    /// The file was made for another version of the layout.
    Version {
        /// The file's version.
        found: u32,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { needed, found } => write!(
                f,
                "telemetry file has {found} bytes, expected at least {needed}; create it again with its full length"
            ),
            Self::Foreign => f.write_str(
                "not a telemetry file: it does not begin with `readhook` in this machine's byte order; \
                 create it with readhook_telemetry::initialise",
            ),
            Self::Version { found } => write!(
                f,
                "telemetry file has layout version {found}, expected {VERSION}; build the hook and its reader from one revision"
            ),
        }
    }
}

impl core::error::Error for LayoutError {}

/// Bytes of a telemetry file that holds `capacity` records.
#[must_use]
pub const fn file_len(capacity: u32) -> u64 {
    HEADER_LEN as u64 + capacity as u64 * RECORD_LEN as u64
}

/// The first [`HEADER_LEN`] bytes of an empty file of `capacity` records; the rest is zeros (`File::set_len`).
#[must_use]
pub fn header(capacity: u32) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    put(&mut bytes, offset_of!(Header, magic), &MAGIC.to_ne_bytes());
    put(&mut bytes, offset_of!(Header, version), &VERSION.to_ne_bytes());
    put(&mut bytes, offset_of!(Header, capacity), &capacity.to_ne_bytes());
    bytes
}

fn put(bytes: &mut [u8; HEADER_LEN], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

/// Turns `bytes` into an empty telemetry file of `capacity` records; what stood there is overwritten.
///
/// # Errors
/// [`LayoutError::Length`] when there are fewer than [`file_len`] bytes.
pub fn initialise(bytes: &mut [u8], capacity: u32) -> Result<(), LayoutError> {
    let (needed, found) = (file_len(capacity), bytes.len() as u64);
    if found < needed {
        return Err(LayoutError::Length { needed, found });
    }
    bytes.fill(0);
    bytes[..HEADER_LEN].copy_from_slice(&header(capacity));
    Ok(())
}

/// Checks magic, version and length; gives the capacity in records.
pub(crate) fn check(start: &[u8; HEADER_LEN], len: u64) -> Result<u32, LayoutError> {
    let word =
        |offset: usize| u32::from_ne_bytes([start[offset], start[offset + 1], start[offset + 2], start[offset + 3]]);
    if start[..8] != MAGIC.to_ne_bytes() {
        return Err(LayoutError::Foreign);
    }
    let found = word(offset_of!(Header, version));
    if found != VERSION {
        return Err(LayoutError::Version { found });
    }
    let capacity = word(offset_of!(Header, capacity));
    let needed = file_len(capacity);
    if len < needed {
        return Err(LayoutError::Length { needed, found: len });
    }
    Ok(capacity)
}
