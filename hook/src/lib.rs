//! `libreadhook.so` replaces the libc functions by which a server receives requests, inspects the data, and passes it
//! on.
//!
//! Load it with `LD_PRELOAD`. The environment configures it:
//!
//! | variable | meaning |
//! |---|---|
//! | `READHOOK_MODE` | `off` (default), `forward`, `track`, `scan`, `log`, `block`, `upstream`, `delay`; another value switches the hook off and prints one line on standard error |
//! | `READHOOK_LOG` | file to which hits are appended, opened once at load: a regular file, a character device, or a ring that `readhook_telemetry` created, which needs no system call for a hit |
//! | `READHOOK_WORDS` | word file that the program `words` wrote; replaces the words that this library carries |
//! | `READHOOK_TELEMETRY` | telemetry file that `readhook_telemetry` created; gets counters of calls and a record of each payload receive, in every mode except `off` |
//! | `READHOOK_DELAY_NS` | duration of the busy wait in mode `delay`, ns, from the return of the real call |
//! | `READHOOK_DELAY_EVERY` | mode `delay` waits in every nth payload receive; default 1 |
//!
//! With the feature `sealed`, which only the package `readhook-sealed` has, these variables come from a block in the
//! library's own file (`readhook_seal`) instead of the environment.
//!
//! `readhook_core` makes all decisions. This crate contains the exported symbols, the look-up of the definitions that
//! they replace, and the set-up at load. After the set-up nothing is allocated, locked or opened. The hook is off in
//! secure-execution mode (set-user-id programs), because then the environment belongs to another user.
//!
//! In mode `block`, a receive call in which a word ends returns 0 and wipes its buffer, as if the client had closed the
//! connection. Every later receive on that connection returns 0 too. The hook calls `shutdown` for reading, so that
//! `poll` and `epoll` report the end of the stream. Bytes that the program received earlier, such as the first part of
//! a split word, stay with the program. Bytes that the program sends still arrive.
//!
//! Known limits: a descriptor that is closed by a function that is not replaced (`fclose`, a raw system call) stays
//! tracked until its number is accepted or closed again. A `vfork` child shares its parent's memory; if it closes the
//! parent's sockets, the parent no longer tracks them. A duplicate that was made before a word arrived is not blocked.
//! The log file has a descriptor of its own, 1000 or the next free one; the program cannot close it and could find it.
//! Descriptors that arrive with a blocked message over a Unix socket stay open.
//!
//! Without unwinding (`panic = "abort"`, as in the profile `hook`) the library uses no standard library. The profile of
//! tests unwinds, which would need a personality routine. With that profile the library is only checked and never
//! loaded.
#![cfg_attr(panic = "abort", no_std)]

mod clock;
mod dlsym;
#[cfg_attr(feature = "sealed", path = "sealed.rs")]
mod environment;
mod errno;
mod exports;
mod log;
mod mapping;
mod next;
mod settings;
mod state;
mod upstream;
mod watch;

/// Aborts the process. No code panics by intention, and a return from here would be undefined behaviour.
#[cfg(panic = "abort")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    errno::abort()
}
