//! The variables of a sealed object, which lie masked in the object's own file.
#![expect(
    unsafe_code,
    reason = "reads a block that changes after the build, and keeps the unmasked variables"
)]

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use readhook_seal::{ROOM, SealedBlock};

/// The block. The driver of the blind trials replaces it in a copy of the built file.
#[used]
static BLOCK: SealedBlock = SealedBlock::EMPTY;

/// The unmasked variables.
struct OpenedBlock {
    is_open: AtomicBool,
    variables: UnsafeCell<[u8; ROOM]>,
}

// SAFETY: only the one thread that sets the hook up calls `variable`, which alone uses the cell.
unsafe impl Sync for OpenedBlock {}

static OPENED: OpenedBlock = OpenedBlock {
    is_open: AtomicBool::new(false),
    variables: UnsafeCell::new([0; ROOM]),
};

/// Returns the value of a variable, `None` if the block does not hold it.
pub(crate) fn variable(name: &CStr) -> Option<&'static CStr> {
    if !OPENED.is_open.swap(true, Relaxed) {
        // A volatile reading, because the compiler would use the block of the build.
        // SAFETY: the block is a static of this type.
        let block = unsafe { (&raw const BLOCK).read_volatile() };
        // SAFETY: this happens once, before the first reference to the content is made below.
        unsafe { *OPENED.variables.get() = block.open() };
    }
    // SAFETY: the content was written above and is not written again.
    readhook_seal::variable(unsafe { &*OPENED.variables.get() }, name)
}
