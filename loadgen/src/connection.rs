//! One arm's connection: sends a request, waits for the answer, takes the stamps.

use std::hint::spin_loop;
use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::num::NonZeroI64;
use std::time::Duration;

use dataset::Status;

use crate::plan::{Plan, Target, Wait};
use crate::response::{self, Head};
use crate::sys;

const BUFFER_BYTES: usize = 64 * 1024;
/// Spins between two looks at the clock, so that the look does not delay every receive call.
const SPINS_PER_CLOCK: u32 = 64;

/// One arm as the prober sees it.
pub(crate) struct Arm {
    target: Target,
    request: Vec<u8>,
    wait: Wait,
    timeout: Duration,
    timeout_ns: i64,
    buffer: Vec<u8>,
    link: Option<Link>,
    /// Requests sent, at least in part.
    pub(crate) sent: u32,
    /// Connections made after the first.
    pub(crate) reopened: u64,
    /// Why the kernel gives no stamps.
    pub(crate) no_stamps: Option<String>,
}

struct Link {
    stream: TcpStream,
    /// Offset of the next byte, as the kernel numbers its stamps.
    next_byte: u32,
    fresh: bool,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) http_status: u16,
    pub(crate) bytes: u32,
    pub(crate) user_send_ns: i64,
    pub(crate) user_receive_ns: i64,
    pub(crate) kernel_tx_ns: Option<NonZeroI64>,
    pub(crate) kernel_rx_ns: Option<NonZeroI64>,
    /// The first request of its connection.
    pub(crate) fresh: bool,
    /// What was wrong.
    pub(crate) why: Option<&'static str>,
}

impl Arm {
    pub(crate) fn new(plan: &Plan, target: &Target) -> Self {
        Self {
            request: plan.request.bytes(target.address),
            target: target.clone(),
            wait: plan.wait,
            timeout: Duration::from_millis(plan.timeout_ms),
            timeout_ns: i64::try_from(plan.timeout_ms)
                .unwrap_or(i64::MAX / 1_000_000)
                .saturating_mul(1_000_000),
            buffer: vec![0; BUFFER_BYTES],
            link: None,
            sent: 0,
            reopened: 0,
            no_stamps: None,
        }
    }

    pub(crate) fn connect(&mut self) -> io::Result<()> {
        let stream = TcpStream::connect_timeout(&self.target.address, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        if let Err(error) = sys::enable_kernel_stamps(&stream) {
            self.no_stamps = Some(error.to_string());
        }
        self.link = Some(Link {
            stream,
            next_byte: 0,
            fresh: true,
        });
        Ok(())
    }

    /// One request, on the connection that is there or on a new one.
    pub(crate) fn exchange(&mut self) -> Outcome {
        let mut outcome = Outcome {
            status: Status::Refused,
            http_status: 0,
            bytes: 0,
            user_send_ns: sys::monotonic_ns(),
            user_receive_ns: 0,
            kernel_tx_ns: None,
            kernel_rx_ns: None,
            fresh: false,
            why: None,
        };
        if self.link.is_none() {
            outcome.fresh = true;
            if let Err(error) = self.connect() {
                outcome.user_receive_ns = sys::monotonic_ns();
                if error.kind() == ErrorKind::TimedOut {
                    outcome.status = Status::Timeout;
                }
                outcome.why = Some("a broken connection could not be made again");
                return outcome;
            }
            self.reopened += 1;
        }
        let Some(link) = self.link.as_mut() else { return outcome };
        outcome.fresh = std::mem::take(&mut link.fresh);
        link.next_byte = link.next_byte.wrapping_add(self.request.len() as u32);
        let last_byte = link.next_byte.wrapping_sub(1);
        self.sent += 1;

        outcome.user_send_ns = sys::monotonic_ns();
        let result = match (&link.stream).write_all(&self.request) {
            Ok(()) => receive(&link.stream, &mut self.buffer, self.wait, self.timeout_ns, &mut outcome),
            Err(error) => {
                outcome.user_receive_ns = sys::monotonic_ns();
                Err(failure(&error))
            }
        };
        // Outside of the measured time.
        outcome.kernel_tx_ns = sys::take_sent_stamp(&link.stream, last_byte);
        let keep = match result {
            Ok(keep) => {
                outcome.status = if outcome.http_status == 200 {
                    Status::Ok
                } else {
                    Status::BadStatus
                };
                if outcome.status == Status::BadStatus {
                    outcome.why = Some("the status code is not 200");
                }
                keep
            }
            Err((status, why)) => {
                outcome.status = status;
                outcome.why = Some(why);
                false
            }
        };
        if !keep {
            // A late or surplus answer must not be taken for the answer to the next request.
            self.link = None;
        }
        outcome
    }
}

type Failure = (Status, &'static str);

/// Waits for all of an answer; whether the connection can be used again.
fn receive(
    stream: &TcpStream,
    buffer: &mut [u8],
    wait: Wait,
    timeout_ns: i64,
    outcome: &mut Outcome,
) -> Result<bool, Failure> {
    let deadline_ns = outcome.user_send_ns.saturating_add(timeout_ns);
    let mut received: u64 = 0;
    let mut expected = None;
    loop {
        // The body is counted, not kept: once the head is known its bytes may be overwritten.
        let from = if expected.is_some() {
            0
        } else {
            usize::try_from(received).unwrap_or(0)
        };
        if from == buffer.len() {
            return Err((Status::Malformed, "the response's head is longer than 64 KiB"));
        }
        let part = wait_for_bytes(stream, &mut buffer[from..], wait, deadline_ns, outcome)?;
        received += part as u64;
        outcome.bytes = u32::try_from(received).unwrap_or(u32::MAX);
        if expected.is_none() {
            match response::parse(&buffer[..from + part]) {
                Head::Incomplete => continue,
                Head::Malformed(why) => return Err((Status::Malformed, why)),
                Head::Complete {
                    http_status,
                    total_bytes,
                    close,
                } => {
                    outcome.http_status = http_status;
                    expected = Some((total_bytes, close));
                }
            }
        }
        match expected {
            Some((total_bytes, close)) if received == total_bytes => return Ok(!close),
            Some((total_bytes, _)) if received > total_bytes => {
                return Err((Status::Malformed, "there are bytes after the end of the response"));
            }
            _ => {}
        }
    }
}

/// Waits for some bytes; stamps the moment of their arrival.
fn wait_for_bytes(
    stream: &TcpStream,
    buffer: &mut [u8],
    wait: Wait,
    deadline_ns: i64,
    outcome: &mut Outcome,
) -> Result<usize, Failure> {
    const LATE: Failure = (Status::Timeout, "no complete response within timeout_ms");
    let mut spins = 0_u32;
    loop {
        // To sleep is to block in the receive call: poll would return at once, for the stamp on the error queue.
        let result = sys::receive(stream, buffer, wait == Wait::Spin);
        match result {
            Ok(part) => {
                outcome.user_receive_ns = sys::monotonic_ns();
                outcome.kernel_rx_ns = part.kernel_rx_ns;
                if part.bytes == 0 {
                    return Err((
                        Status::Reset,
                        "the server closed the connection before the response was complete",
                    ));
                }
                if outcome.user_receive_ns > deadline_ns {
                    return Err(LATE);
                }
                return Ok(part.bytes);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                spins = spins.wrapping_add(1);
                if wait == Wait::Sleep || spins.is_multiple_of(SPINS_PER_CLOCK) {
                    outcome.user_receive_ns = sys::monotonic_ns();
                    let overdue = outcome.user_receive_ns >= deadline_ns;
                    // A blocking call that gave up has waited for the whole timeout.
                    if overdue || (wait == Wait::Sleep && error.kind() == ErrorKind::WouldBlock) {
                        return Err(LATE);
                    }
                }
                spin_loop();
            }
            Err(error) => {
                outcome.user_receive_ns = sys::monotonic_ns();
                return Err(failure(&error));
            }
        }
    }
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => (Status::Timeout, "the request could not be sent in time"),
        _ => (Status::Reset, "the server reset the connection"),
    }
}
