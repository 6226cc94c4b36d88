//! `libreadhook.so`: replaces the libc functions through which requests arrive, looks at the data, and passes it on.
//!
//! Load it with `LD_PRELOAD`. The environment says what it does:
//!
//! | variable | meaning |
//! |---|---|
//! | `READHOOK_MODE` | `off` (or unset), `forward`, `track`, `scan`, `log`, `delay`; anything else is off, with one line on standard error |
//! | `READHOOK_LOG` | file to which hits are appended, opened once at load; a regular file or a character device |
//! | `READHOOK_TELEMETRY` | a file made by `readhook_telemetry`, which counts calls and holds a record per payload receive; in every mode but `off` |
//! | `READHOOK_DELAY_NS` | the busy wait of mode `delay`, nanoseconds, counted from the real call's return |
//! | `READHOOK_DELAY_EVERY` | wait in every nth payload receive only; default 1 |
//!
//! All decisions are in `readhook_core`. Here are the exported symbols, the look-up of the definitions that they
//! replace, and the set-up at load, after which nothing is allocated, locked or opened. In secure-execution mode
//! (set-user-id programs) it is off, since the environment is then not the owner's.
//!
//! Known limits: a descriptor closed by something else than a replaced function (`fclose`, a raw system call) stays
//! tracked until its number is accepted or closed again; a `vfork` child that closes its parent's sockets, as they
//! share memory, makes the parent lose track of them.
#![no_std]

mod clock;
mod errno;
mod exports;
mod log;
mod mapping;
mod next;
mod settings;
mod state;
mod watch;

use core::panic::PanicInfo;

/// No path leads here by intention; ending the process beats returning into undefined behaviour.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    errno::abort()
}
