//! Searches with Hyperscan, the fastest known search for many words, if its library is installed.
#![expect(unsafe_code, reason = "calls into a C library that is found at run time")]

use std::ffi::{CString, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr;

use anyhow::{Context, Result, ensure};
use libloading::{Library, Symbol};
use readhook_core::Filter;

const FILE: &str = "libhs.so.5";
const BLOCK_MODE: c_uint = 1;

type Event = extern "C" fn(c_uint, c_ulonglong, c_ulonglong, c_uint, *mut c_void) -> c_int;
type Compile = unsafe extern "C" fn(
    *const *const c_char,
    *const c_uint,
    *const c_uint,
    *const usize,
    c_uint,
    c_uint,
    *const c_void,
    *mut *mut c_void,
    *mut *mut c_void,
) -> c_int;
type AllocScratch = unsafe extern "C" fn(*const c_void, *mut *mut c_void) -> c_int;
type Scan =
    unsafe extern "C" fn(*const c_void, *const c_char, c_uint, c_uint, *mut c_void, Event, *mut c_void) -> c_int;

/// The processor for which a database is compiled: `hs_platform_info` of `hs_compile.h`.
#[repr(C)]
struct Platform {
    tune: c_uint,
    features: c_ulonglong,
    reserved: [c_ulonglong; 2],
}

/// Returns the features of the processor that a database may use, for the name of one of the hook's filters. `None` if
/// the library has nothing that corresponds to the filter.
const fn features(filter: Filter) -> Option<c_ulonglong> {
    match filter.name().as_bytes() {
        // Every database may use SSSE3.
        b"ssse3" => Some(0),
        b"avx2" => Some(1 << 2),
        b"avx512" => Some(1 << 2 | 1 << 3 | 1 << 4),
        _ => None,
    }
}

/// A compiled list of words.
pub(crate) struct Hyperscan {
    scan: Scan,
    database: *mut c_void,
    scratch: *mut c_void,
    // `scan` is a function of this library, so the library must live as long.
    _library: Library,
}

extern "C" fn stop(_: c_uint, _: c_ulonglong, _: c_ulonglong, _: c_uint, _: *mut c_void) -> c_int {
    1
}

impl Hyperscan {
    /// Compiles words as literals, for processors with the vector instructions of a filter. The library searches with the
    /// best instructions of this processor that the database permits. `None` if the library has no such database.
    ///
    /// # Errors
    /// If the library is not installed or refuses the words.
    pub(crate) fn new(words: &[&[u8]], filter: Filter) -> Result<Option<Self>> {
        let Some(features) = features(filter) else {
            return Ok(None);
        };
        // SAFETY: the library's initialisers have no preconditions.
        let library = unsafe { Library::new(FILE) }.context("apt-get install libhyperscan5")?;
        // SAFETY: the signature is that of hs_compile.h of version 5.
        let compile: Symbol<'_, Compile> = unsafe { library.get(b"hs_compile_lit_multi\0") }?;
        // SAFETY: the signature is that of hs_runtime.h of version 5.
        let alloc: Symbol<'_, AllocScratch> = unsafe { library.get(b"hs_alloc_scratch\0") }?;
        // SAFETY: the signature is that of hs_runtime.h of version 5.
        let scan: Scan = *unsafe { library.get::<Scan>(b"hs_scan\0") }?;
        let texts = words
            .iter()
            .map(|word| CString::new(*word))
            .collect::<Result<Vec<_>, _>>()?;
        let pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        let (flags, ids): (Vec<c_uint>, Vec<c_uint>) = (0..).take(words.len()).map(|id| (0, id)).unzip();
        let lengths: Vec<usize> = words.iter().map(|word| word.len()).collect();
        let (mut database, mut scratch, mut error) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let platform = Platform {
            tune: 0,
            features,
            reserved: [0; 2],
        };
        // SAFETY: each list has one entry for each word.
        let compiled = unsafe {
            compile(
                pointers.as_ptr(),
                flags.as_ptr(),
                ids.as_ptr(),
                lengths.as_ptr(),
                c_uint::try_from(words.len())?,
                BLOCK_MODE,
                (&raw const platform).cast(),
                &raw mut database,
                &raw mut error,
            )
        };
        ensure!(compiled == 0, "hs_compile_lit_multi: {compiled}");
        // SAFETY: the database was just compiled.
        let allocated = unsafe { alloc(database, &raw mut scratch) };
        ensure!(allocated == 0, "hs_alloc_scratch: {allocated}");
        Ok(Some(Self {
            scan,
            database,
            scratch,
            _library: library,
        }))
    }

    /// Returns whether `bytes` contain a word. The search ends at the first one.
    pub(crate) fn finds(&self, bytes: &[u8]) -> bool {
        const TERMINATED: c_int = -3;
        // SAFETY: database and scratch belong together, and the buffer has the given length.
        let result = unsafe {
            (self.scan)(
                self.database,
                bytes.as_ptr().cast(),
                bytes.len() as c_uint,
                0,
                self.scratch,
                stop,
                ptr::null_mut(),
            )
        };
        result == TERMINATED
    }
}
