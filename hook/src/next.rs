//! The functions that this library replaces, and their types.
//!
//! They are looked up at load. An earlier call, from a constructor of a library that is initialised before this one,
//! looks up its own function.
#![expect(unsafe_code, reason = "dlsym gives untyped addresses")]

use core::ffi::{CStr, c_void};
use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use libc::{c_int, c_long, c_uint, iovec, mmsghdr, msghdr, size_t, sockaddr, socklen_t, ssize_t, timespec};

use crate::{dlsym, errno};

/// Returns the address of the definition that follows this library's, null if there is none.
pub(crate) fn definition(name: &CStr) -> *mut c_void {
    dlsym::get().map_or(ptr::null_mut(), |dlsym| {
        // SAFETY: the name is a C string, and RTLD_NEXT is a valid handle.
        unsafe { dlsym(libc::RTLD_NEXT, name.as_ptr()) }
    })
}

/// The address of one function after its look-up.
struct FunctionSlot {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

impl FunctionSlot {
    const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            address: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline]
    fn get(&self) -> *mut c_void {
        let address = self.address.load(Relaxed);
        if address.is_null() { self.look_up() } else { address }
    }

    #[cold]
    fn look_up(&self) -> *mut c_void {
        let address = errno::preserved(|| definition(self.name));
        self.address.store(address, Relaxed);
        address
    }
}

macro_rules! next {
    ($($function:ident $name:literal $type:ident = $signature:ty;)*) => {
        $(
            pub(crate) type $type = $signature;

            /// Returns the next definition, `None` if this libc has no such function.
            #[inline]
            pub(crate) fn $function() -> Option<$type> {
                static SLOT: FunctionSlot = FunctionSlot::new($name);
                // SAFETY: the address is null or that of the function. The signature is libc's: the compiler checks it
                // where the function is exported, and the ABI specifies it for the `_chk` functions.
                unsafe { transmute::<*mut c_void, Option<$type>>(SLOT.get()) }
            }
        )*

        /// Looks up all functions.
        pub(crate) fn resolve() {
            $($function();)*
        }
    };
}

next! {
    accept c"accept" AcceptFn = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;
    accept4 c"accept4" Accept4Fn = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t, c_int) -> c_int;
    read c"read" ReadFn = unsafe extern "C" fn(c_int, *mut c_void, size_t) -> ssize_t;
    recv c"recv" RecvFn = unsafe extern "C" fn(c_int, *mut c_void, size_t, c_int) -> ssize_t;
    recvfrom c"recvfrom" RecvFromFn =
        unsafe extern "C" fn(c_int, *mut c_void, size_t, c_int, *mut sockaddr, *mut socklen_t) -> ssize_t;
    readv c"readv" ReadVFn = unsafe extern "C" fn(c_int, *const iovec, c_int) -> ssize_t;
    recvmsg c"recvmsg" RecvMsgFn = unsafe extern "C" fn(c_int, *mut msghdr, c_int) -> ssize_t;
    recvmmsg c"recvmmsg" RecvMMsgFn =
        unsafe extern "C" fn(c_int, *mut mmsghdr, c_uint, c_int, *mut timespec) -> c_int;
    read_chk c"__read_chk" ReadChkFn = unsafe extern "C" fn(c_int, *mut c_void, size_t, size_t) -> ssize_t;
    recv_chk c"__recv_chk" RecvChkFn = unsafe extern "C" fn(c_int, *mut c_void, size_t, size_t, c_int) -> ssize_t;
    recvfrom_chk c"__recvfrom_chk" RecvFromChkFn =
        unsafe extern "C" fn(c_int, *mut c_void, size_t, size_t, c_int, *mut sockaddr, *mut socklen_t) -> ssize_t;
    close c"close" CloseFn = unsafe extern "C" fn(c_int) -> c_int;
    close_range c"close_range" CloseRangeFn = unsafe extern "C" fn(c_uint, c_uint, c_int) -> c_int;
    dup c"dup" DupFn = unsafe extern "C" fn(c_int) -> c_int;
    dup2 c"dup2" Dup2Fn = unsafe extern "C" fn(c_int, c_int) -> c_int;
    dup3 c"dup3" Dup3Fn = unsafe extern "C" fn(c_int, c_int, c_int) -> c_int;
    fcntl c"fcntl" FcntlFn = unsafe extern "C" fn(c_int, c_int, ...) -> c_int;
    fcntl64 c"fcntl64" Fcntl64Fn = unsafe extern "C" fn(c_int, c_int, ...) -> c_int;
    syscall c"syscall" SyscallFn = unsafe extern "C" fn(c_long, ...) -> c_long;
}
