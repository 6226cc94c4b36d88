//! The hook's work around a call of the real function: it counts before the call, and does the work of its mode after
//! it.

use libc::c_int;
use readhook_core::{Line, Mode, Outcome, ReceiveFlags, ReceivedPayload, State, Stream, payload};
use readhook_telemetry::{Call, Counter, FUNCTIONS, Function, SearchVerdict};

use crate::state::{Hook, active};
use crate::{clock, errno, upstream};

/// Counts a call. Returns the hook if the result of the call is to be noted.
pub(crate) fn begin(function: Function) -> Option<&'static Hook> {
    let hook = active()?;
    hook.count(function);
    Some(hook)
}

impl Hook {
    #[inline]
    fn count(&self, function: Function) {
        if let Some(telemetry) = &self.telemetry {
            telemetry.count_call(function);
        }
        if self.mode == Mode::Upstream {
            upstream::look_up(function);
        }
    }

    fn add(&self, counter: Counter, amount: u64) {
        if let Some(telemetry) = &self.telemetry {
            telemetry.add(counter, amount);
        }
    }

    /// Notes the result of an accept call.
    #[inline]
    pub(crate) fn accepted(&self, fd: c_int) {
        if !self.table.accepted(fd) {
            self.add(Counter::SocketsUntracked, 1);
        } else if fd >= 0 {
            self.add(Counter::SocketsAccepted, 1);
        }
    }

    /// Notes the result of a dup call on `old`.
    #[inline]
    pub(crate) fn duplicated(&self, old: c_int, new: c_int) {
        if old != new {
            self.log.taken(new, new);
        }
        self.table.duplicated(old, new);
    }
}

/// The treatment of a receive call.
pub(crate) enum Before {
    /// The hook passes the call on.
    Pass,
    /// The hook passes the call on and evaluates its result.
    Watch(ReceiveCall),
    /// The hook does not pass the call on. It returns the end of the stream, as if the client had closed the
    /// connection.
    Blocked,
}

/// A receive call on an accepted socket.
pub(crate) struct ReceiveCall {
    hook: &'static Hook,
    function: Function,
    fd: c_int,
    start_ns: u64,
}

/// The part of a payload that the program receives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The whole payload.
    Pass,
    /// Nothing: the caller wipes the buffer and returns the end of the stream.
    Block,
}

impl ReceiveCall {
    /// Counts the call and decides by its descriptor how it is treated.
    #[inline(always)]
    pub(crate) fn begin(hook: &'static Hook, function: Function, fd: c_int, flags: ReceiveFlags) -> Before {
        hook.count(function);
        match hook.table.stream(fd) {
            Some(Stream::Open(_)) => {}
            Some(Stream::Blocked) if !flags.asks_for_errors() => {
                hook.add(Counter::Blocked, 1);
                return Before::Blocked;
            }
            None | Some(Stream::Blocked) => return Before::Pass,
        }
        let start_ns = if hook.records { clock::now_ns() } else { 0 };
        Before::Watch(Self {
            hook,
            function,
            fd,
            start_ns,
        })
    }

    /// Evaluates the result of the real call. `search` gets the number of bytes that were received into the buffer.
    #[inline(always)]
    pub(crate) fn end(
        &self,
        result: isize,
        room: usize,
        flags: ReceiveFlags,
        search: impl FnOnce(&Hook, State, usize) -> Outcome,
    ) -> After {
        if self.hook.looks {
            self.look(result, room, flags, search)
        } else {
            After::Pass
        }
    }

    #[inline]
    fn look(
        &self,
        result: isize,
        room: usize,
        flags: ReceiveFlags,
        search: impl FnOnce(&Hook, State, usize) -> Outcome,
    ) -> After {
        let payload = payload(result, room, flags);
        let hook = self.hook;
        let bytes = match payload {
            ReceivedPayload::None => return After::Pass,
            ReceivedPayload::Peeked(_) if hook.mode != Mode::Block => return After::Pass,
            ReceivedPayload::Peeked(bytes) | ReceivedPayload::Discarded(bytes) | ReceivedPayload::Received(bytes) => {
                bytes
            }
        };
        let waits = hook.mode == Mode::Delay && hook.delay_every.selects();
        let returned_ns = if hook.records || waits { clock::now_ns() } else { 0 };
        let spun_ns = if waits {
            clock::spin_from(returned_ns, hook.delay_ns)
        } else {
            0
        };
        let verdict = match payload {
            ReceivedPayload::Received(bytes) if hook.mode.scans() => self.judge(bytes, search),
            ReceivedPayload::Discarded(_) if hook.mode.scans() => self.skip(),
            ReceivedPayload::Peeked(bytes) => match search(hook, self.stream_state(), bytes) {
                // Peeked bytes are searched at each peek, and are counted when they are received.
                Outcome::Clean(_) => return After::Pass,
                Outcome::Hit(word) => self.hit(bytes, word),
            },
            _ => SearchVerdict::None,
        };
        if hook.telemetry.is_some() {
            self.report(bytes, verdict, returned_ns, spun_ns);
        }
        if verdict == SearchVerdict::Blocked {
            After::Block
        } else {
            After::Pass
        }
    }

    /// Returns the current state of the search. Another thread may have received in the meantime.
    fn stream_state(&self) -> State {
        match self.hook.table.stream(self.fd) {
            Some(Stream::Open(state)) => state,
            // Another thread closed or blocked the socket during this call: these bytes are searched alone.
            None | Some(Stream::Blocked) => State::START,
        }
    }

    fn judge(&self, bytes: usize, search: impl FnOnce(&Hook, State, usize) -> Outcome) -> SearchVerdict {
        let state = self.stream_state();
        match search(self.hook, state, bytes) {
            Outcome::Clean(next) => {
                self.hook.table.advance(self.fd, state, next);
                SearchVerdict::Clean
            }
            Outcome::Hit(word) => {
                self.hook.table.advance(self.fd, state, State::START);
                self.hit(bytes, word)
            }
        }
    }

    /// Resets the search, because bytes of the stream were discarded unseen: later bytes do not continue earlier ones.
    #[cold]
    fn skip(&self) -> SearchVerdict {
        self.hook.table.advance(self.fd, self.stream_state(), State::START);
        SearchVerdict::None
    }

    #[cold]
    fn hit(&self, bytes: usize, word: u16) -> SearchVerdict {
        let hook = self.hook;
        hook.add(Counter::Hits, 1);
        if hook.mode.logs() {
            let word = hook.scanner.words().word(word.into()).unwrap_or_default();
            let line = Line::hit(FUNCTIONS[self.function as usize], self.fd, bytes, word);
            let written = match &hook.upstream {
                Some(upstream) => upstream.append(&line),
                None => hook.log.append(&line),
            };
            hook.add(
                if written {
                    Counter::LogWritten
                } else {
                    Counter::LogDropped
                },
                1,
            );
        }
        if hook.mode != Mode::Block {
            return SearchVerdict::Hit;
        }
        hook.table.block(self.fd);
        hook.add(Counter::Blocked, 1);
        // From now on the kernel reports the end of the stream to everyone who waits for the descriptor.
        errno::preserved(|| shut(self.fd));
        SearchVerdict::Blocked
    }

    fn report(&self, bytes: usize, verdict: SearchVerdict, returned_ns: u64, spun_ns: u64) {
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

#[expect(unsafe_code, reason = "calls into libc")]
fn shut(fd: c_int) {
    // SAFETY: shutdown has no preconditions.
    unsafe { libc::shutdown(fd, libc::SHUT_RD) };
}

/// Searches one buffer.
///
/// # Safety
/// `buffer` must be readable for `len` bytes.
#[expect(unsafe_code, reason = "the program's buffer is known by its address only")]
pub(crate) unsafe fn search(hook: &Hook, state: State, buffer: *const u8, len: usize) -> Outcome {
    // SAFETY: the caller promises that the bytes are readable. The kernel has just written them; a program whose other
    // thread changes them now has a data race without the hook too.
    let bytes = unsafe { core::slice::from_raw_parts(buffer, len) };
    if hook.mode == Mode::Upstream {
        upstream::search(hook.scanner.words(), bytes)
    } else {
        hook.scanner.scan(state, bytes)
    }
}
