//! The layout of a telemetry file, which writer and reader share.

use core::fmt;
use core::mem::{offset_of, size_of};
use core::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64};

/// Version of the layout. Writer and reader refuse a file of another version.
pub const VERSION: u32 = 2;

/// Names of the hooked functions. [`Function`] and [`Counters::calls`](crate::Counters::calls) are indices of this
/// list.
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

/// A hooked function. The discriminant is its index in [`FUNCTIONS`].
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

/// The decision of the hook about a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SearchVerdict {
    /// Not searched, because the mode does not search.
    None = 0,
    /// Searched; no word was found.
    Clean = 1,
    /// Searched; a word was found.
    Hit = 2,
    /// Not delivered to the program, because a word was found in this payload or in an earlier one.
    Blocked = 3,
}

/// First eight bytes of the file. On a machine with the other byte order they do not match.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"readhook");

/// Header of the file. The counters are atomics, because every thread of every hooked process adds to them.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) magic: u64,
    pub(crate) version: u32,
    pub(crate) capacity: u32,
    pub(crate) attached: AtomicU32,
    pub(crate) mode: AtomicU8,
    pub(crate) padding: [u8; 3],
    /// Number of records that were requested. Records beyond `capacity` were dropped.
    pub(crate) claimed: AtomicU64,
    pub(crate) counters: [AtomicU64; COUNTERS],
    pub(crate) calls: [AtomicU64; FUNCTIONS.len()],
}

/// Number of single counters ([`crate::Counter`]).
pub(crate) const COUNTERS: usize = 9;

/// A record in the file. `published` is the sequence number plus one and is stored last: zero marks an unfinished
/// record.
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

/// Length of the header in bytes; the first record follows it.
pub const HEADER_LEN: usize = 256;
/// Length of a record in bytes.
pub const RECORD_LEN: usize = size_of::<Slot>();

const _: () = assert!(size_of::<Header>() <= HEADER_LEN);
const _: () = assert!(RECORD_LEN == 48 && HEADER_LEN.is_multiple_of(align_of::<Slot>()));
const _: () = assert!(Function::Syscall as usize + 1 == FUNCTIONS.len());

/// The reason why a file is not a telemetry file of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// The file or buffer is too short.
    Length {
        /// Needed length, bytes.
        needed: u64,
        /// Actual length, bytes.
        found: u64,
    },
    /// The first eight bytes are not those of a telemetry file.
    Foreign,
    /// The file has another version of the layout.
    Version {
        /// Version of the file.
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

/// Returns the length in bytes of a telemetry file with room for `capacity` records.
#[must_use]
pub const fn file_len(capacity: u32) -> u64 {
    HEADER_LEN as u64 + capacity as u64 * RECORD_LEN as u64
}

/// Returns the first [`HEADER_LEN`] bytes of an empty file with room for `capacity` records. All other bytes are zero
/// (`File::set_len`).
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

/// Overwrites `bytes` with an empty telemetry file with room for `capacity` records.
///
/// # Errors
/// [`LayoutError::Length`] if there are fewer than [`file_len`] bytes.
pub fn initialise(bytes: &mut [u8], capacity: u32) -> Result<(), LayoutError> {
    let (needed, found) = (file_len(capacity), bytes.len() as u64);
    if found < needed {
        return Err(LayoutError::Length { needed, found });
    }
    bytes.fill(0);
    bytes[..HEADER_LEN].copy_from_slice(&header(capacity));
    Ok(())
}

/// Checks magic number, version and length. Returns the capacity in records.
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
