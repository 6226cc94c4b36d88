//! The modes of the hook and the numbers in its settings.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Mode of the hook. Each mode from `Forward` to `Block` does everything that its predecessor does, and one thing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Pass calls on, without telemetry.
    Off = 0,
    /// Pass calls on.
    Forward = 1,
    /// Keep track of accepted sockets.
    Track = 2,
    /// Search each payload that arrives on an accepted socket.
    Scan = 3,
    /// Log each hit.
    Log = 4,
    /// After a hit, deliver neither this payload nor later ones of the connection to the program.
    Block = 5,
    /// The algorithm of the 2023 study: it looks up the replaced function at each call, searches for one word after the
    /// other, and opens and closes the log file for each hit. It exists to be measured.
    Upstream = 6,
    /// Keep track of sockets, and wait for a set time after each payload receive. Do not search. The calibration uses
    /// this mode.
    Delay = 7,
}

/// The value of `READHOOK_MODE` is not the name of a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMode;

impl Mode {
    /// Parses the value of `READHOOK_MODE`. A missing value is [`Mode::Off`].
    ///
    /// # Errors
    /// [`UnknownMode`] if the value is not the name of a mode.
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

    /// Returns whether payloads are searched.
    #[must_use]
    pub const fn scans(self) -> bool {
        matches!(self, Self::Scan | Self::Log | Self::Block | Self::Upstream)
    }

    /// Returns whether hits are logged.
    #[must_use]
    pub const fn logs(self) -> bool {
        matches!(self, Self::Log | Self::Block | Self::Upstream)
    }
}

/// Parses a decimal number. Returns `None` for any other text and for a number beyond 64 bits.
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

/// Selects every nth event of a series. Events may come from any thread.
#[derive(Debug)]
pub struct Every {
    period: u64,
    seen: AtomicU64,
}

impl Every {
    /// Creates a selector of every `period`th event. 0 and 1 select all events.
    #[must_use]
    pub const fn new(period: u64) -> Self {
        Self {
            period,
            seen: AtomicU64::new(0),
        }
    }

    /// Counts an event and returns whether it is selected.
    #[inline]
    pub fn selects(&self) -> bool {
        self.period <= 1 || (self.seen.fetch_add(1, Relaxed) + 1).is_multiple_of(self.period)
    }
}
