//! One arm's connections: requests are begun, answers waited for, stamps taken.

use std::hint::spin_loop;
use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::num::NonZeroI64;
use std::time::Duration;

use dataset::RequestOutcome;
use model::{ConnectionPolicy, LaunchPlan, Target, WaitMethod};

use crate::answer::{Answer, Ending, Failure};
use crate::sys;

const BUFFER_BYTES: usize = 64 * 1024;
/// Looks at a socket between two looks at the clock, so that the latter do not delay every receive call.
pub(crate) const LOOKS_PER_CLOCK: u32 = 64;

/// One arm as the prober sees it.
pub(crate) struct Arm {
    target: Target,
    /// The bytes of each request of the plan.
    requests: Vec<Vec<u8>>,
    ending: Ending,
    wait: WaitMethod,
    connection: ConnectionPolicy,
    stamps: bool,
    timeout: Duration,
    timeout_ns: i64,
    links: Vec<Link>,
    /// Requests sent, at least in part.
    pub(crate) sent: u32,
    /// Connections made after the first, but for those that each request was to have.
    pub(crate) reopened: u64,
    /// Why the kernel gives no stamps.
    pub(crate) no_stamps: Option<String>,
}

/// One connection, or the place for one.
struct Link {
    stream: Option<Stream>,
    buffer: Vec<u8>,
    pending: Option<Pending>,
}

struct Stream {
    tcp: TcpStream,
    /// Offset of the next byte, as the kernel numbers its stamps.
    next_byte: u32,
    fresh: bool,
}

/// A request that is on its way.
struct Pending {
    outcome: Outcome,
    /// Offset of the request's last byte.
    last_byte: u32,
    deadline_ns: i64,
    answer: Answer,
    close: bool,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: RequestOutcome,
    pub(crate) http_status: u16,
    pub(crate) bytes: u32,
    pub(crate) intended_arrival_ns: i64,
    pub(crate) user_send_ns: i64,
    pub(crate) user_receive_ns: i64,
    pub(crate) kernel_tx_ns: Option<NonZeroI64>,
    pub(crate) kernel_rx_ns: Option<NonZeroI64>,
    /// The first request of its connection.
    pub(crate) fresh: bool,
    /// What was wrong.
    pub(crate) why: Option<&'static str>,
}

const LATE: Failure = (RequestOutcome::TimedOut, "no complete response within timeout_ms");

impl Arm {
    pub(crate) fn new(plan: &LaunchPlan, target: &Target) -> Self {
        let link = |_| Link {
            stream: None,
            buffer: vec![0; BUFFER_BYTES],
            pending: None,
        };
        Self {
            requests: plan
                .messages()
                .iter()
                .map(|request| request.bytes(target.address))
                .collect(),
            ending: Ending::of(&plan.request),
            target: target.clone(),
            wait: plan.wait,
            connection: plan.connection,
            stamps: plan.kernel_stamps,
            timeout: Duration::from_millis(plan.timeout_ms),
            timeout_ns: i64::try_from(plan.timeout_ms)
                .unwrap_or(i64::MAX / 1_000_000)
                .saturating_mul(1_000_000),
            links: (0..plan.connections).map(link).collect(),
            sent: 0,
            reopened: 0,
            no_stamps: (!plan.kernel_stamps).then(|| "the plan asks for none".to_owned()),
        }
    }

    /// Makes all connections.
    pub(crate) fn connect(&mut self) -> io::Result<()> {
        for index in 0..self.links.len() {
            let stream = self.open()?;
            // Where each request has a connection of its own, this one has shown that there is a server.
            self.links[index].stream = Some(stream).filter(|_| self.connection == ConnectionPolicy::KeepAlive);
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<Stream> {
        let tcp = sys::connect(&self.target, self.timeout)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(self.timeout))?;
        tcp.set_write_timeout(Some(self.timeout))?;
        if self.stamps
            && let Err(error) = sys::enable_kernel_stamps(&tcp)
        {
            self.no_stamps = Some(error.to_string());
        }
        Ok(Stream {
            tcp,
            next_byte: 0,
            fresh: true,
        })
    }

    /// A connection on which nothing is on its way.
    pub(crate) fn idle(&self) -> Option<usize> {
        self.links.iter().position(|link| link.pending.is_none())
    }

    /// The sockets of requests that are on their way.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &TcpStream> {
        let pending = self.links.iter().filter(|link| link.pending.is_some());
        pending.filter_map(|link| link.stream.as_ref().map(|stream| &stream.tcp))
    }

    /// Sends a request; gives its end at once where it could not be sent.
    pub(crate) fn begin(
        &mut self,
        connection: usize,
        request: u16,
        intended_arrival_ns: Option<i64>,
    ) -> Option<Outcome> {
        let now_ns = sys::monotonic_ns();
        let mut outcome = Outcome {
            status: RequestOutcome::Refused,
            http_status: 0,
            bytes: 0,
            intended_arrival_ns: intended_arrival_ns.unwrap_or(now_ns),
            user_send_ns: now_ns,
            user_receive_ns: 0,
            kernel_tx_ns: None,
            kernel_rx_ns: None,
            fresh: false,
            why: None,
        };
        if self.links[connection].stream.is_none() {
            match self.open() {
                Ok(stream) => self.links[connection].stream = Some(stream),
                Err(error) => {
                    outcome.fresh = true;
                    outcome.user_receive_ns = sys::monotonic_ns();
                    if error.kind() == ErrorKind::TimedOut {
                        outcome.status = RequestOutcome::TimedOut;
                    }
                    outcome.why = Some("a connection could not be made");
                    return Some(outcome);
                }
            }
            self.reopened += u64::from(self.connection == ConnectionPolicy::KeepAlive);
        }
        let link = &mut self.links[connection];
        let stream = link.stream.as_mut()?;
        let bytes = &self.requests[usize::from(request)];
        // Where each request has a connection of its own, the first one is what is measured.
        outcome.fresh = std::mem::take(&mut stream.fresh) && self.connection == ConnectionPolicy::KeepAlive;
        stream.next_byte = stream.next_byte.wrapping_add(bytes.len() as u32);
        self.sent += 1;
        outcome.user_send_ns = sys::monotonic_ns();
        if intended_arrival_ns.is_none() && self.connection == ConnectionPolicy::KeepAlive {
            // A closed loop intends to send when it does.
            outcome.intended_arrival_ns = outcome.user_send_ns;
        }
        let sent = (&stream.tcp).write_all(bytes);
        link.pending = Some(Pending {
            last_byte: stream.next_byte.wrapping_sub(1),
            deadline_ns: outcome.user_send_ns.saturating_add(self.timeout_ns),
            outcome,
            answer: Answer::new(&self.ending),
            close: self.connection == ConnectionPolicy::New,
        });
        match sent {
            Ok(()) => None,
            Err(error) => self.finish(connection, Err(failure(&error))),
        }
    }

    /// Takes what has arrived, without waiting; the request's end, if this was it. `look_at_clock` costs time.
    pub(crate) fn poll(&mut self, connection: usize, look_at_clock: bool) -> Option<Outcome> {
        self.take(connection, true, look_at_clock)
    }

    /// Waits for the request's end.
    pub(crate) fn wait(&mut self, connection: usize) -> Option<Outcome> {
        let spin = self.wait == WaitMethod::Spin;
        let mut spins = 0_u32;
        while self.links[connection].pending.is_some() {
            spins = spins.wrapping_add(1);
            // To sleep is to block in the receive call: poll would return at once, for the stamp on the error queue.
            if let Some(outcome) = self.take(connection, spin, !spin || spins.is_multiple_of(LOOKS_PER_CLOCK)) {
                return Some(outcome);
            }
            spin_loop();
        }
        None
    }

    /// Takes the stamp of what was sent, so that it wakes nobody any more.
    pub(crate) fn take_stamp(&mut self, connection: usize) {
        if !self.stamps {
            return;
        }
        let Link { stream, pending, .. } = &mut self.links[connection];
        if let (Some(stream), Some(pending)) = (stream, pending)
            && let Some(stamp) = sys::take_sent_stamp(&stream.tcp, pending.last_byte)
        {
            pending.outcome.kernel_tx_ns = Some(stamp);
        }
    }

    /// One receive call and what follows from it.
    fn take(&mut self, connection: usize, at_once: bool, look_at_clock: bool) -> Option<Outcome> {
        let Link {
            stream,
            buffer,
            pending,
        } = &mut self.links[connection];
        let (stream, pending) = (stream.as_ref()?, pending.as_mut()?);
        let from = pending.answer.place();
        if from == buffer.len() {
            let why = (RequestOutcome::Invalid, "the response's head is longer than 64 KiB");
            return self.finish(connection, Err(why));
        }
        let end = match sys::receive(&stream.tcp, &mut buffer[from..], at_once) {
            Ok(part) => {
                pending.outcome.user_receive_ns = sys::monotonic_ns();
                pending.outcome.kernel_rx_ns = part.kernel_rx_ns.or(pending.outcome.kernel_rx_ns);
                pending.arrived(&self.ending, &buffer[..from + part.bytes], part.bytes)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                if !look_at_clock {
                    return None;
                }
                pending.outcome.user_receive_ns = sys::monotonic_ns();
                let overdue = pending.outcome.user_receive_ns >= pending.deadline_ns;
                // A blocking call that gave up has waited for the whole timeout.
                let gave_up = !at_once && error.kind() == ErrorKind::WouldBlock;
                (overdue || gave_up).then_some(Err(LATE))
            }
            Err(error) => {
                pending.outcome.user_receive_ns = sys::monotonic_ns();
                Some(Err(failure(&error)))
            }
        };
        end.and_then(|result| self.finish(connection, result))
    }

    /// Ends a request.
    fn finish(&mut self, connection: usize, result: Result<(), Failure>) -> Option<Outcome> {
        self.take_stamp(connection);
        let link = &mut self.links[connection];
        let Pending {
            mut outcome,
            answer,
            close,
            ..
        } = link.pending.take()?;
        if outcome.user_receive_ns == 0 {
            outcome.user_receive_ns = sys::monotonic_ns();
        }
        outcome.http_status = answer.http_status;
        outcome.bytes = u32::try_from(answer.received).unwrap_or(u32::MAX);
        match result {
            Ok(()) => {
                outcome.why = answer.refused(&self.ending);
                outcome.status = outcome
                    .why
                    .map_or(RequestOutcome::Answered, |_| RequestOutcome::WrongStatus);
            }
            Err((status, why)) => {
                outcome.status = status;
                outcome.why = Some(why);
            }
        }
        if close || answer.close || result.is_err() {
            // A late or surplus answer must not be taken for the answer to the next request.
            link.stream = None;
        }
        Some(outcome)
    }
}

impl Pending {
    /// Takes note of `new` bytes, the last of `buffer`; the end, where this was it.
    fn arrived(&mut self, ending: &Ending, buffer: &[u8], new: usize) -> Option<Result<(), Failure>> {
        if self.outcome.user_receive_ns > self.deadline_ns {
            return Some(Err(LATE));
        }
        if new == 0 {
            return Some(self.answer.closed());
        }
        self.answer.arrived(ending, buffer, new)
    }
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            (RequestOutcome::TimedOut, "the request could not be sent in time")
        }
        _ => (RequestOutcome::Reset, "the server reset the connection"),
    }
}
