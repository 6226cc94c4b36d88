//! `libreadhook.so`: replaces the libc functions through which requests arrive, looks at the data, and passes it on.
//!
//! Load it with `LD_PRELOAD`. The environment says what it does:
//!
//! | variable | meaning |
//! |---|---|
//! | `READHOOK_MODE` | `off` (or unset), `forward`, `track`, `scan`, `log`, `block`, `upstream`, `delay`; anything else is off, with one line on standard error |
//! | `READHOOK_LOG` | file to which hits are appended, opened once at load; a regular file or a character device, or a ring made by `readhook_telemetry`, which takes no system call |
//! | `READHOOK_WORDS` | a file made by `words`, to be searched for instead of the words that this library carries |
//! | `READHOOK_TELEMETRY` | a file made by `readhook_telemetry`, which counts calls and holds a record per payload receive; in every mode but `off` |
//! | `READHOOK_DELAY_NS` | the busy wait of mode `delay`, nanoseconds, counted from the real call's return |
//! | `READHOOK_DELAY_EVERY` | wait in every nth payload receive only; default 1 |
//!
//! All decisions are in `readhook_core`. Here are the exported symbols, the look-up of the definitions that they
//! replace, and the set-up at load, after which nothing is allocated, locked or opened. In secure-execution mode
//! (set-user-id programs) it is off, since the environment is then not the owner's.
//!
//! In mode `block`, a receive in which a word ends returns 0 with its buffer wiped, as if the client had closed the
//! connection in good order; so does every later receive on that connection, and the kernel is told (`shutdown` for
//! reading), so that `poll` and `epoll` say so too. What was delivered before, such as the first part of a word that was
//! split, stays delivered. What the program sends still arrives.
//!
//! Known limits: a descriptor closed by something else than a replaced function (`fclose`, a raw system call) stays
//! tracked until its number is accepted or closed again; a `vfork` child that closes its parent's sockets, as they
//! share memory, makes the parent lose track of them; a descriptor that was duplicated before a word came is not blocked
//! with the other; the log's file has a descriptor of its own, 1000 or the next free one, which the program cannot close
//! and could find if it looked; descriptors that came with a blocked message over a Unix socket stay open.
//!
//! The library has no standard library where panics abort, as in its own profile. The profile of tests unwinds, which would
//! need a personality routine; there it is only checked and never loaded.
#![cfg_attr(panic = "abort", no_std)]

mod clock;
mod dlsym;
mod errno;
mod exports;
mod log;
mod mapping;
mod next;
mod settings;
mod state;
mod upstream;
mod watch;

/// No path leads here by intention; ending the process beats returning into undefined behaviour.
#[cfg(panic = "abort")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    errno::abort()
}
