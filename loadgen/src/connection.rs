//! The connections to one arm: they begin requests, wait for responses, and take stamps.

use std::hint::spin_loop;
use std::io::{self, ErrorKind, Write as _};
use std::net::TcpStream;
use std::num::NonZeroI64;
use std::time::Duration;

use dataset::RequestOutcome;
use model::{ConnectionPolicy, LaunchPlan, Target, WaitMethod};

use crate::clock::monotonic_ns;
use crate::response_reader::{RequestFailure, ResponseFraming, ResponseReader};
use crate::socket;

const BUFFER_BYTES: usize = 64 * 1024;
/// Number of receive calls between two readings of the clock while spinning. A reading before each receive call would
/// delay the receive call.
pub(crate) const RECEIVES_PER_CLOCK: u32 = 64;

/// The connections to one arm.
pub(crate) struct ArmConnections {
    target: Target,
    /// Bytes of each message of the plan.
    messages: Vec<Vec<u8>>,
    framing: ResponseFraming,
    wait: WaitMethod,
    policy: ConnectionPolicy,
    kernel_stamps: bool,
    timeout: Duration,
    timeout_ns: i64,
    slots: Vec<ConnectionSlot>,
    /// Number of requests that were sent, at least in part.
    pub(crate) sent: u32,
    /// Number of connections that were made again, without those of [`ConnectionPolicy::New`].
    pub(crate) reconnections: u64,
    /// The reason for which the kernel gives no stamps.
    pub(crate) no_stamps: Option<String>,
}

/// A connection with its buffer and its request in progress.
struct ConnectionSlot {
    connection: Option<OpenConnection>,
    buffer: Vec<u8>,
    in_progress: Option<RequestInProgress>,
}

/// An open connection.
struct OpenConnection {
    stream: TcpStream,
    /// Offset of the next byte to send. The kernel numbers its stamps by this offset.
    next_byte: u32,
    /// Whether no request has used the connection yet.
    fresh: bool,
}

/// A request that was sent and has no outcome yet.
struct RequestInProgress {
    outcome: RequestResult,
    /// Offset of the request's last byte.
    last_byte: u32,
    deadline_ns: i64,
    response: ResponseReader,
    close: bool,
}

/// Outcome of a request: its status and its stamps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestResult {
    pub(crate) status: RequestOutcome,
    /// HTTP status code; 0 without one.
    pub(crate) http_status: u16,
    /// Number of bytes of the response.
    pub(crate) bytes: u32,
    pub(crate) intended_arrival_ns: i64,
    pub(crate) user_send_ns: i64,
    pub(crate) user_receive_ns: i64,
    pub(crate) kernel_tx_ns: Option<NonZeroI64>,
    pub(crate) kernel_rx_ns: Option<NonZeroI64>,
    /// Whether the request was the first one of its connection.
    pub(crate) fresh: bool,
    /// The reason for which the request failed.
    pub(crate) failure_reason: Option<&'static str>,
}

const TIMED_OUT: RequestFailure = (RequestOutcome::TimedOut, "no complete response within timeout_ms");

impl ArmConnections {
    /// Makes all connections of one thread to an arm.
    ///
    /// # Errors
    /// When a connection cannot be made.
    pub(crate) fn connect(plan: &LaunchPlan, target: &Target) -> io::Result<Self> {
        let messages = plan.messages();
        let mut arm = Self {
            messages: messages.iter().map(|message| message.bytes(target.address)).collect(),
            framing: ResponseFraming::of(&plan.request),
            target: target.clone(),
            wait: plan.wait,
            policy: plan.connection,
            kernel_stamps: plan.kernel_stamps,
            timeout: Duration::from_millis(plan.timeout_ms),
            timeout_ns: i64::try_from(plan.timeout_ms)
                .unwrap_or(i64::MAX / 1_000_000)
                .saturating_mul(1_000_000),
            slots: Vec::new(),
            sent: 0,
            reconnections: 0,
            no_stamps: (!plan.kernel_stamps).then(|| "the plan asks for none".to_owned()),
        };
        for _ in 0..plan.connections {
            let connection = arm.open()?;
            arm.slots.push(ConnectionSlot {
                // If each request has a new connection, this one only shows that a server listens.
                connection: Some(connection).filter(|_| arm.policy == ConnectionPolicy::KeepAlive),
                buffer: vec![0; BUFFER_BYTES],
                in_progress: None,
            });
        }
        Ok(arm)
    }

    fn open(&mut self) -> io::Result<OpenConnection> {
        let stream = socket::connect(&self.target, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        if self.kernel_stamps
            && let Err(error) = socket::enable_kernel_stamps(&stream)
        {
            self.no_stamps = Some(error.to_string());
        }
        Ok(OpenConnection {
            stream,
            next_byte: 0,
            fresh: true,
        })
    }

    /// Returns the number of a connection without a request in progress.
    pub(crate) fn idle_connection(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.in_progress.is_none())
    }

    /// Returns the sockets with a request in progress.
    pub(crate) fn sockets_in_use(&self) -> impl Iterator<Item = &TcpStream> {
        let in_use = self.slots.iter().filter(|slot| slot.in_progress.is_some());
        in_use.filter_map(|slot| slot.connection.as_ref().map(|connection| &connection.stream))
    }

    /// Sends message number `message`. Returns the outcome if the message could not be sent.
    pub(crate) fn begin(
        &mut self,
        connection: usize,
        message: u16,
        intended_arrival_ns: Option<i64>,
    ) -> Option<RequestResult> {
        let now_ns = monotonic_ns();
        let mut outcome = RequestResult {
            status: RequestOutcome::Refused,
            http_status: 0,
            bytes: 0,
            intended_arrival_ns: intended_arrival_ns.unwrap_or(now_ns),
            user_send_ns: now_ns,
            user_receive_ns: 0,
            kernel_tx_ns: None,
            kernel_rx_ns: None,
            fresh: false,
            failure_reason: None,
        };
        if self.slots[connection].connection.is_none() {
            match self.open() {
                Ok(opened) => self.slots[connection].connection = Some(opened),
                Err(error) => {
                    outcome.fresh = true;
                    outcome.user_receive_ns = monotonic_ns();
                    outcome.status = failed_outcome(error.kind());
                    outcome.failure_reason = Some("a connection could not be made");
                    return Some(outcome);
                }
            }
            self.reconnections += u64::from(self.policy == ConnectionPolicy::KeepAlive);
        }
        let slot = &mut self.slots[connection];
        let open = slot.connection.as_mut()?;
        let bytes = &self.messages[usize::from(message)];
        // If each request has a new connection, every request is the first on its connection, and none is marked as
        // fresh.
        outcome.fresh = std::mem::take(&mut open.fresh) && self.policy == ConnectionPolicy::KeepAlive;
        open.next_byte = open.next_byte.wrapping_add(bytes.len() as u32);
        self.sent += 1;
        outcome.user_send_ns = monotonic_ns();
        if intended_arrival_ns.is_none() && self.policy == ConnectionPolicy::KeepAlive {
            // In a closed loop the intended send time is the actual one.
            outcome.intended_arrival_ns = outcome.user_send_ns;
        }
        let sent = (&open.stream).write_all(bytes);
        slot.in_progress = Some(RequestInProgress {
            last_byte: open.next_byte.wrapping_sub(1),
            deadline_ns: outcome.user_send_ns.saturating_add(self.timeout_ns),
            outcome,
            response: ResponseReader::new(&self.framing),
            close: self.policy == ConnectionPolicy::New,
        });
        match sent {
            Ok(()) => None,
            Err(error) => self.finish(connection, Err(failure(&error))),
        }
    }

    /// Receives once without waiting, and returns the outcome if the request has one. With `read_clock`, also
    /// checks for a timeout.
    pub(crate) fn poll(&mut self, connection: usize, read_clock: bool) -> Option<RequestResult> {
        self.receive(connection, true, read_clock)
    }

    /// Waits for the outcome of the request in progress.
    pub(crate) fn wait(&mut self, connection: usize) -> Option<RequestResult> {
        let spin = self.wait == WaitMethod::Spin;
        let mut receives = 0_u32;
        while self.slots[connection].in_progress.is_some() {
            receives = receives.wrapping_add(1);
            let read_clock = !spin || receives.is_multiple_of(RECEIVES_PER_CLOCK);
            // The thread sleeps in the receive call. It does not sleep in poll(2), which would return at once because of
            // the stamp on the error queue.
            if let Some(outcome) = self.receive(connection, spin, read_clock) {
                return Some(outcome);
            }
            spin_loop();
        }
        None
    }

    /// Takes the stamp of the sent request from the error queue, so that the stamp no longer ends a wait.
    pub(crate) fn take_sent_stamp(&mut self, connection: usize) {
        if !self.kernel_stamps {
            return;
        }
        let slot = &mut self.slots[connection];
        if let (Some(open), Some(request)) = (&slot.connection, &mut slot.in_progress)
            && let Some(stamp_ns) = socket::take_sent_stamp(&open.stream, request.last_byte)
        {
            request.outcome.kernel_tx_ns = Some(stamp_ns);
        }
    }

    /// Receives once and processes the result.
    fn receive(&mut self, connection: usize, nonblocking: bool, read_clock: bool) -> Option<RequestResult> {
        let slot = &mut self.slots[connection];
        let (open, request) = (slot.connection.as_ref()?, slot.in_progress.as_mut()?);
        let buffer = &mut slot.buffer;
        let from = request.response.buffer_offset();
        if from == buffer.len() {
            let too_long = (RequestOutcome::Invalid, "the response's head is longer than 64 KiB");
            return self.finish(connection, Err(too_long));
        }
        let end = match socket::receive(&open.stream, &mut buffer[from..], nonblocking) {
            Ok(received) => {
                request.outcome.user_receive_ns = monotonic_ns();
                request.outcome.kernel_rx_ns = received.kernel_rx_ns.or(request.outcome.kernel_rx_ns);
                request.process(&self.framing, &buffer[..from + received.bytes], received.bytes)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                if !read_clock {
                    return None;
                }
                request.outcome.user_receive_ns = monotonic_ns();
                let overdue = request.outcome.user_receive_ns >= request.deadline_ns;
                // A blocking call returns WouldBlock when the socket's read timeout has passed.
                let read_timeout = !nonblocking && error.kind() == ErrorKind::WouldBlock;
                (overdue || read_timeout).then_some(Err(TIMED_OUT))
            }
            Err(error) => {
                request.outcome.user_receive_ns = monotonic_ns();
                Some(Err(failure(&error)))
            }
        };
        end.and_then(|result| self.finish(connection, result))
    }

    /// Ends the request in progress and returns its outcome.
    fn finish(&mut self, connection: usize, result: Result<(), RequestFailure>) -> Option<RequestResult> {
        self.take_sent_stamp(connection);
        let slot = &mut self.slots[connection];
        let RequestInProgress {
            mut outcome,
            response,
            close,
            ..
        } = slot.in_progress.take()?;
        if outcome.user_receive_ns == 0 {
            outcome.user_receive_ns = monotonic_ns();
        }
        outcome.http_status = response.http_status;
        outcome.bytes = u32::try_from(response.received).unwrap_or(u32::MAX);
        match result {
            Ok(()) => {
                outcome.failure_reason = response.failure_reason(&self.framing);
                outcome.status = outcome
                    .failure_reason
                    .map_or(RequestOutcome::Answered, |_| RequestOutcome::WrongStatus);
            }
            Err((status, reason)) => {
                outcome.status = status;
                outcome.failure_reason = Some(reason);
            }
        }
        if close || response.close || result.is_err() {
            // On the same connection, a late or surplus response would count as the response to the next request.
            slot.connection = None;
        }
        Some(outcome)
    }
}

impl RequestInProgress {
    /// Processes `new` bytes, which are the last of `buffer`. Returns the result of the request if it is complete.
    fn process(&mut self, framing: &ResponseFraming, buffer: &[u8], new: usize) -> Option<Result<(), RequestFailure>> {
        if self.outcome.user_receive_ns > self.deadline_ns {
            return Some(Err(TIMED_OUT));
        }
        if new == 0 {
            return Some(self.response.end_of_stream());
        }
        self.response.process(framing, buffer, new)
    }
}

fn failure(error: &io::Error) -> RequestFailure {
    let outcome = failed_outcome(error.kind());
    let reason = match outcome {
        RequestOutcome::TimedOut => "the request could not be sent in time",
        RequestOutcome::Reset => "the server reset the connection",
        _ => "the operating system reported an error of the connection",
    };
    (outcome, reason)
}

/// Returns the outcome of a request that an error of the operating system ends.
pub(crate) fn failed_outcome(error: ErrorKind) -> RequestOutcome {
    match error {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => RequestOutcome::TimedOut,
        ErrorKind::ConnectionRefused => RequestOutcome::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => RequestOutcome::Reset,
        _ => RequestOutcome::Failed,
    }
}
