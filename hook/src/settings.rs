//! The settings, which are read once at load.
#![expect(unsafe_code, reason = "calls into libc")]

use core::ffi::CStr;

use readhook_core::{Filter, Mode, parse_count};

use crate::environment::variable;

/// The settings.
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    pub(crate) log: Option<&'static CStr>,
    pub(crate) words: Option<&'static CStr>,
    /// The filter of the search; `None` for the best one.
    pub(crate) filter: Option<Filter>,
    pub(crate) telemetry: Option<&'static CStr>,
    pub(crate) delay_ns: u64,
    pub(crate) delay_every: u64,
}

impl Settings {
    /// Reads the variables. An error is a line for standard error.
    pub(crate) fn read() -> Result<Self, &'static [u8]> {
        let off = Self {
            mode: Mode::Off,
            log: None,
            words: None,
            filter: None,
            telemetry: None,
            delay_ns: 0,
            delay_every: 1,
        };
        if is_secure_execution() {
            return Ok(off);
        }
        let mode = Mode::parse(variable(c"READHOOK_MODE").map(CStr::to_bytes)).map_err(|_| {
            &b"readhook: inert: READHOOK_MODE: expected off, forward, track, scan, log, block, upstream or delay\n"[..]
        })?;
        let mut settings = Self {
            mode,
            log: variable(c"READHOOK_LOG"),
            words: variable(c"READHOOK_WORDS"),
            telemetry: variable(c"READHOOK_TELEMETRY"),
            ..off
        };
        if mode.scans()
            && let Some(name) = variable(c"READHOOK_FILTER")
        {
            let filter = Filter::named(name.to_bytes()).ok_or(
                &b"readhook: inert: READHOOK_FILTER: expected none, ssse3, avx2, avx512 or neon, and a processor that has it\n"[..],
            )?;
            settings.filter = Some(filter);
        }
        if mode == Mode::Delay {
            settings.delay_ns = variable(c"READHOOK_DELAY_NS")
                .and_then(|value| parse_count(value.to_bytes()))
                .ok_or(&b"readhook: inert: READHOOK_DELAY_NS: expected a number of nanoseconds\n"[..])?;
            if let Some(value) = variable(c"READHOOK_DELAY_EVERY") {
                settings.delay_every = parse_count(value.to_bytes())
                    .filter(|every| *every > 0)
                    .ok_or(&b"readhook: inert: READHOOK_DELAY_EVERY: expected a number from 1 on\n"[..])?;
            }
        }
        Ok(settings)
    }
}

/// Prints one line on standard error.
pub(crate) fn complain(line: &[u8]) {
    // SAFETY: the buffer is live and has this length.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
}

fn is_secure_execution() -> bool {
    // SAFETY: getauxval has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}
