//! The variables of the environment.
#![expect(unsafe_code, reason = "calls into libc")]

use core::ffi::CStr;

/// Returns the value of a variable, `None` if the environment does not have it.
pub(crate) fn variable(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: the name is a C string.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: it is a C string of the environment, used only during load, before the program can change it.
    Some(unsafe { CStr::from_ptr(value) })
}
