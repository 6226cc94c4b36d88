//! Finds `dlsym` in any libc, so that one file loads everywhere.
//!
//! glibc 2.34 and later have `dlsym` in libc, under a new symbol version and under the first one. Earlier versions have
//! it in libdl, under the first one, and a program may not have loaded libdl. So the reference names the first version
//! and is weak. If it resolves to null, glibc's private loader functions load libdl. Other libcs ignore symbol
//! versions.
#![expect(unsafe_code, reason = "weak symbols can be named in assembly only")]

use core::arch::global_asm;
use core::ffi::{c_char, c_int, c_void};
use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// Signature of libc's `dlsym`.
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

// The libc crate leaves linking to std if another crate of the workspace enables its feature std.
#[link(name = "c")]
unsafe extern "C" {
    /// Addresses of dlsym and of glibc's private dlsym and dlopen; null for a function that this libc does not have.
    #[link_name = "readhook_weak_symbols"]
    static WEAK_SYMBOLS: [*mut c_void; 3];
}

/// Flag that tells the private dlopen that it acts for a program.
const ON_BEHALF: c_int = c_int::MIN;

/// Returns the function, `None` if this libc has none.
pub(crate) fn get() -> Option<DlSymFn> {
    static FOUND: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    // SAFETY: the loader writes the array before any code of this library runs, and nobody writes it later.
    let [own, ..] = unsafe { WEAK_SYMBOLS };
    let mut address = if own.is_null() { FOUND.load(Relaxed) } else { own };
    if address.is_null() {
        address = from_libdl();
        FOUND.store(address, Relaxed);
    }
    // SAFETY: the address is null or that of dlsym.
    unsafe { transmute::<*mut c_void, Option<DlSymFn>>(address) }
}

#[cold]
fn from_libdl() -> *mut c_void {
    // SAFETY: the loader wrote the array before any code of this library ran.
    let [_, private_dlsym, private_dlopen] = unsafe { WEAK_SYMBOLS };
    if private_dlsym.is_null() || private_dlopen.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: glibc's private dlsym has the signature of the public one.
    let dlsym = unsafe { transmute::<*mut c_void, DlSymFn>(private_dlsym) };
    // SAFETY: glibc's private dlopen has the signature of the public one.
    let dlopen = unsafe { transmute::<*mut c_void, DlOpenFn>(private_dlopen) };
    // SAFETY: the name is a C string, and the flags are flags of dlopen.
    let libdl = unsafe { dlopen(c"libdl.so.2".as_ptr(), libc::RTLD_NOW | ON_BEHALF) };
    if libdl.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the handle was just opened and stays open.
    unsafe { dlsym(libdl, c"dlsym".as_ptr()) }
}
