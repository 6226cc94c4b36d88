//! `dlsym`, wherever this libc has it, so that one file loads everywhere.
//!
//! Since glibc 2.34 it is in libc, under a new version and still under its first one; before, it was in libdl, under the
//! first one, and a program need not have loaded libdl. So the reference is to the first version, and weak: where it
//! comes out as null, libc's own private loader brings libdl in. Other libcs ignore versions.
#![expect(unsafe_code, reason = "weak symbols can be named in assembly only")]

use core::arch::global_asm;
use core::ffi::{c_char, c_int, c_void};
use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// As libc's.
pub(crate) type DlSymFn = unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void;
type DlOpenFn = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;

#[cfg(target_arch = "x86_64")]
global_asm!(".symver dlsym, dlsym@GLIBC_2.2.5");
#[cfg(target_arch = "aarch64")]
global_asm!(".symver dlsym, dlsym@GLIBC_2.17");
global_asm!(
    ".weak dlsym",
    ".weak __libc_dlsym",
    ".weak __libc_dlopen_mode",
    ".hidden readhook_weak_symbols",
    ".globl readhook_weak_symbols",
    ".pushsection .data.rel.ro.readhook, \"aw\"",
    ".balign 8",
    "readhook_weak_symbols:",
    ".quad dlsym",
    ".quad __libc_dlsym",
    ".quad __libc_dlopen_mode",
    ".popsection",
);

// Said here, since the libc crate leaves it to std where another crate of the workspace asks for std.
#[link(name = "c")]
unsafe extern "C" {
    /// dlsym, and glibc's private dlsym and dlopen; null where there is none.
    #[link_name = "readhook_weak_symbols"]
    static WEAK_SYMBOLS: [*mut c_void; 3];
}

/// The flag by which the private dlopen knows that it is called on a program's behalf.
const ON_BEHALF: c_int = c_int::MIN;

/// The function; `None` where this libc has none.
pub(crate) fn get() -> Option<DlSymFn> {
    static FOUND: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    // SAFETY: written by the loader before any code of this library runs.
    let [own, ..] = unsafe { WEAK_SYMBOLS };
    let mut address = if own.is_null() { FOUND.load(Relaxed) } else { own };
    if address.is_null() {
        address = from_libdl();
        FOUND.store(address, Relaxed);
    }
    // SAFETY: null or dlsym's address.
    unsafe { transmute::<*mut c_void, Option<DlSymFn>>(address) }
}

#[cold]
fn from_libdl() -> *mut c_void {
    // SAFETY: as in `get`.
    let [_, private_dlsym, private_dlopen] = unsafe { WEAK_SYMBOLS };
    if private_dlsym.is_null() || private_dlopen.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: glibc's private function has the signature of the public one.
    let dlsym = unsafe { transmute::<*mut c_void, DlSymFn>(private_dlsym) };
    // SAFETY: as above.
    let dlopen = unsafe { transmute::<*mut c_void, DlOpenFn>(private_dlopen) };
    // SAFETY: a C string; the flags are dlopen's.
    let libdl = unsafe { dlopen(c"libdl.so.2".as_ptr(), libc::RTLD_NOW | ON_BEHALF) };
    if libdl.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the handle was opened just now and stays open.
    unsafe { dlsym(libdl, c"dlsym".as_ptr()) }
}
