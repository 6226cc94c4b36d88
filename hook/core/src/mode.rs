//! What the environment asks the hook to do.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The ladder of treatments, each doing what the one before does and one thing more; and the calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Pass on and keep nothing, not even telemetry.
    Off = 0,
    /// Pass on.
    Forward = 1,
    /// Know which descriptors are accepted sockets.
    Track = 2,
    /// Search what is received from them.
    Scan = 3,
    /// Log what was found.
    Log = 4,
    /// Log, and keep from the program what was found and all that follows it on that connection.
    Block = 5,
    /// The algorithm of the 2023 study, step by step: a look-up of the replaced function at each call, a search for each
    /// word by itself, and a log file that is opened and closed for each hit. For measuring, not for use.
    Upstream = 6,
    /// Track, and wait for a set time after a payload receive: the instrument's calibration. Does not search.
    Delay = 7,
}

/// `READHOOK_MODE` has a value that is no mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMode;

impl Mode {
    /// Reads the value of `READHOOK_MODE`; unset is off.
    ///
    /// # Errors
    /// [`UnknownMode`] for anything but a mode's name.
    pub fn parse(value: Option<&[u8]>) -> Result<Self, UnknownMode> {
        match value {
            None | Some(b"off") => Ok(Self::Off),
            Some(b"forward") => Ok(Self::Forward),
            Some(b"track") => Ok(Self::Track),
            Some(b"scan") => Ok(Self::Scan),
            Some(b"log") => Ok(Self::Log),
            Some(b"block") => Ok(Self::Block),
            Some(b"upstream") => Ok(Self::Upstream),
            Some(b"delay") => Ok(Self::Delay),
            Some(_) => Err(UnknownMode),
        }
    }

    /// Whether received payloads are searched.
    #[must_use]
    pub const fn scans(self) -> bool {
        matches!(self, Self::Scan | Self::Log | Self::Block | Self::Upstream)
    }

    /// Whether what is found is logged.
    #[must_use]
    pub const fn logs(self) -> bool {
        matches!(self, Self::Log | Self::Block | Self::Upstream)
    }
}

/// A decimal number from the environment, `None` for anything else or beyond 64 bits.
#[must_use]
pub fn parse_count(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Selects every nth of a series of events that come from any thread.
#[derive(Debug)]
pub struct Every {
    period: u64,
    seen: AtomicU64,
}

impl Every {
    /// Selects each `period`th event; 0 and 1 select all.
    #[must_use]
    pub const fn new(period: u64) -> Self {
        Self {
            period,
            seen: AtomicU64::new(0),
        }
    }

    /// Counts an event and says whether it is selected.
    #[inline]
    pub fn selects(&self) -> bool {
        self.period <= 1 || (self.seen.fetch_add(1, Relaxed) + 1).is_multiple_of(self.period)
    }
}
