//! The algorithm of the 2023 study (doi:10.48550/arXiv.2310.12702), to measure its cost beside the other modes. Each
//! call looks up the function that it replaces, each payload is searched for one word after the other, and each hit
//! opens the log, appends to it and closes it. Unlike the original it reads only received bytes, preserves errno, and
//! finds sockets by the same table as the other modes. Like the original it stops at a zero byte and does not find a
//! word that is split between two payloads.
#![expect(unsafe_code, reason = "calls into libc")]

use core::ffi::CStr;
use core::mem::MaybeUninit;

use readhook_core::{Line, Outcome, State, Words};
use readhook_telemetry::{FUNCTIONS, Function};

use crate::{errno, next};

/// Bytes that are searched at a time, with the terminating zero.
const CHUNK: usize = 4096;
/// Longest path of a log in bytes, with the terminating zero.
const PATH: usize = 4096;

/// The path of the log, which is opened at each hit.
pub(crate) struct Upstream {
    path: [u8; PATH],
}

impl Upstream {
    /// Keeps the path. Without a path, or with one that is too long, hits are dropped.
    pub(crate) fn new(path: Option<&CStr>) -> Self {
        let mut kept = [0; PATH];
        let bytes = path
            .map(CStr::to_bytes)
            .filter(|bytes| bytes.len() < PATH)
            .unwrap_or_default();
        kept[..bytes.len()].copy_from_slice(bytes);
        Self { path: kept }
    }

    /// Opens the log, appends a line and closes the log. Returns whether that succeeded.
    pub(crate) fn append(&self, line: &Line) -> bool {
        errno::preserved(|| {
            let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NONBLOCK;
            // SAFETY: the path ends with a zero, and O_CREAT gets its mode.
            let fd = unsafe { libc::open(self.path.as_ptr().cast(), flags, 0o644) };
            if fd < 0 {
                return false;
            }
            let bytes = line.as_bytes();
            // SAFETY: the buffer is live and has this length.
            let written = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
            if let Some(close) = next::close() {
                // SAFETY: the descriptor was just opened here.
                unsafe { close(fd) };
            }
            written == bytes.len().cast_signed()
        })
    }
}

/// Looks up the definition that follows this library's. The address is already known; the look-up is made for its cost.
#[cold]
#[inline(never)]
pub(crate) fn look_up(function: Function) {
    let name = FUNCTIONS[function as usize].as_bytes();
    let mut buffer = [0; 16];
    if let Some(place) = buffer.get_mut(..name.len()) {
        place.copy_from_slice(name);
    }
    let name = CStr::from_bytes_until_nul(&buffer).unwrap_or(c"");
    core::hint::black_box(errno::preserved(|| next::definition(name)));
}

/// Searches the bytes for one word after the other.
pub(crate) fn search(words: &Words<'_>, bytes: &[u8]) -> Outcome {
    let mut from = 0;
    loop {
        let rest = &bytes[from..];
        let len = rest.len().min(CHUNK - 1);
        if let Some(word) = search_chunk(words, &rest[..len]) {
            return Outcome::Hit(word);
        }
        if len == rest.len() {
            return Outcome::Clean(State::START);
        }
        // The next chunk overlaps this one, because a word may lie across their border.
        from += len - (words.longest() - 1);
    }
}

fn search_chunk(words: &Words<'_>, bytes: &[u8]) -> Option<u16> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); CHUNK];
    let (text, rest) = buffer.split_at_mut(bytes.len());
    text.write_copy_of_slice(bytes);
    rest.first_mut()?.write(0);
    let found = |word: usize| {
        let Some(word) = words.with_zero(word) else {
            return false;
        };
        // SAFETY: both strings end with a zero: the buffer's was just written, the word's was written by the compiler
        // of words.
        let place = unsafe { libc::strstr(buffer.as_ptr().cast(), word.as_ptr().cast()) };
        !place.is_null()
    };
    (0..words.len()).find(|word| found(*word)).map(|word| word as u16)
}
