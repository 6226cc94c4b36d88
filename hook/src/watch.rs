//! What happens around a real call: counting before it, and after it whatever the mode asks for.

use libc::c_int;
use readhook_core::{Flags, Line, Mode, Outcome, Payload, State, WORDS, payload, scan};
use readhook_telemetry::{Call, Counter, FUNCTIONS, Function, Verdict};

use crate::clock;
use crate::state::{Hook, active};

/// A call that is counted and, unless the hook only passes on, followed by a note of its result.
pub(crate) fn begin(function: Function) -> Option<&'static Hook> {
    let hook = active()?;
    if let Some(telemetry) = &hook.telemetry {
        telemetry.count_call(function);
    }
    Some(hook)
}

impl Hook {
    fn add(&self, counter: Counter, amount: u64) {
        if let Some(telemetry) = &self.telemetry {
            telemetry.add(counter, amount);
        }
    }

    /// Notes what an accept returned.
    #[inline]
    pub(crate) fn accepted(&self, fd: c_int) {
        if !self.table.accepted(fd) {
            self.add(Counter::SocketsUntracked, 1);
        } else if fd >= 0 {
            self.add(Counter::SocketsAccepted, 1);
        }
    }

    /// Notes what a dup of `old` returned.
    #[inline]
    pub(crate) fn duplicated(&self, old: c_int, new: c_int) {
        if old != new {
            self.log.taken(new, new);
        }
        self.table.duplicated(old, new);
    }
}

/// A receive call on an accepted socket.
pub(crate) struct Receive {
    hook: &'static Hook,
    function: Function,
    fd: c_int,
    start_ns: u64,
}

impl Receive {
    /// Counts the call; `None` when its result does not matter.
    #[inline]
    pub(crate) fn begin(function: Function, fd: c_int) -> Option<Self> {
        let hook = begin(function)?;
        hook.table.state(fd)?;
        let start_ns = if hook.records { clock::now_ns() } else { 0 };
        Some(Self {
            hook,
            function,
            fd,
            start_ns,
        })
    }

    /// Takes note of what the real call returned. `search` is given the number of bytes received into the buffer.
    #[inline]
    pub(crate) fn end(&self, result: isize, room: usize, flags: Flags, search: impl FnOnce(State, usize) -> Outcome) {
        let payload = payload(result, room, flags);
        let bytes = match payload {
            Payload::None => return,
            Payload::Discarded(bytes) | Payload::Received(bytes) => bytes,
        };
        let hook = self.hook;
        let waits = hook.mode == Mode::Delay && hook.delay_every.selects();
        let returned_ns = if hook.records || waits { clock::now_ns() } else { 0 };
        let spun_ns = if waits {
            clock::spin_from(returned_ns, hook.delay_ns)
        } else {
            0
        };
        let verdict = match payload {
            Payload::Received(bytes) if hook.mode.scans() => self.judge(bytes, search),
            Payload::Discarded(_) if hook.mode.scans() => self.skip(),
            _ => Verdict::None,
        };
        if hook.telemetry.is_some() {
            self.report(bytes, verdict, returned_ns, spun_ns);
        }
    }

    fn judge(&self, bytes: usize, search: impl FnOnce(State, usize) -> Outcome) -> Verdict {
        let table = &self.hook.table;
        // Closed by another thread while this one was receiving: the payload is searched by itself.
        let state = table.state(self.fd).unwrap_or(State::START);
        match search(state, bytes) {
            Outcome::Clean(next) => {
                table.advance(self.fd, state, next);
                Verdict::Clean
            }
            Outcome::Hit(word) => {
                table.advance(self.fd, state, State::START);
                self.hit(bytes, word);
                Verdict::Hit
            }
        }
    }

    /// Bytes of the stream went by unseen: what comes next does not continue what came before.
    #[cold]
    fn skip(&self) -> Verdict {
        let table = &self.hook.table;
        if let Some(state) = table.state(self.fd) {
            table.advance(self.fd, state, State::START);
        }
        Verdict::None
    }

    #[cold]
    fn hit(&self, bytes: usize, word: u16) {
        self.hook.add(Counter::Hits, 1);
        if self.hook.mode == Mode::Log {
            let word = WORDS.get(usize::from(word)).copied().unwrap_or_default();
            let line = Line::hit(FUNCTIONS[self.function as usize], self.fd, bytes, word);
            let counter = if self.hook.log.append(&line) {
                Counter::LogWritten
            } else {
                Counter::LogDropped
            };
            self.hook.add(counter, 1);
        }
    }

    fn report(&self, bytes: usize, verdict: Verdict, returned_ns: u64, spun_ns: u64) {
        let Some(telemetry) = &self.hook.telemetry else { return };
        telemetry.add(Counter::PayloadReceives, 1);
        telemetry.add(Counter::PayloadBytes, bytes as u64);
        if spun_ns > 0 {
            telemetry.add(Counter::SpunNs, spun_ns);
        }
        if self.hook.records {
            telemetry.record(&Call {
                start_ns: self.start_ns,
                real_ns: returned_ns.saturating_sub(self.start_ns),
                own_ns: clock::now_ns().saturating_sub(returned_ns + spun_ns),
                spun_ns,
                bytes: bytes as i64,
                fd: self.fd,
                thread: clock::thread_number(),
                function: self.function,
                verdict,
            });
        }
    }
}

/// Searches one buffer.
///
/// # Safety
/// `buffer` must be readable for `len` bytes.
#[expect(unsafe_code, reason = "the program's buffer is known by its address only")]
pub(crate) unsafe fn search(state: State, buffer: *const u8, len: usize) -> Outcome {
    // SAFETY: the caller's promise. The kernel has written these bytes just now; a program that lets another thread
    // change them meanwhile has a race of its own.
    scan(state, unsafe { core::slice::from_raw_parts(buffer, len) })
}
