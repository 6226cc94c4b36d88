//! Sockets: connections from another network namespace, kernel time stamps, and waiting for several sockets.
#![expect(
    unsafe_code,
    reason = "nix needs 400 more instructions a request for control messages, half of them inside the measured RTT"
)]

use std::fs::File;
use std::io;
use std::mem::{size_of, zeroed};
use std::net::TcpStream;
use std::num::NonZeroI64;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;

use model::Target;
use nix::libc;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{TimestampingFlag, setsockopt, sockopt};
use nix::sys::time::{TimeSpec, TimeValLike as _};
use smallvec::SmallVec;

/// Longest sleep of [`wait_for_any`], ns. The callers look for timeouts between two sleeps.
pub(crate) const LONGEST_WAIT_NS: i64 = 10_000_000;

/// Buffer for the control messages of one receive call: a stamp (64 bytes) and an extended error with an IPv6 address (64
/// bytes). Control messages need the alignment of their header.
#[repr(align(8))]
struct ControlBuffer([u8; 128]);

/// Result of one receive call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Number of bytes; 0 at the end of the stream.
    pub(crate) bytes: usize,
    /// Time at which the last of the received segments entered the kernel, ns of the kernel's clock.
    pub(crate) kernel_rx_ns: Option<NonZeroI64>,
}

/// Connects to a server, from the server's network namespace if it has one. A socket belongs to the namespace in which it
/// was made, also after its thread has left the namespace.
///
/// # Errors
/// When there is no such namespace, this process may not enter it, or no server listens.
pub(crate) fn connect(target: &Target, timeout: Duration) -> io::Result<TcpStream> {
    let Some(namespace) = &target.namespace else {
        return TcpStream::connect_timeout(&target.address, timeout);
    };
    let home = File::open("/proc/thread-self/ns/net")?;
    setns(File::open(namespace)?, CloneFlags::CLONE_NEWNET)?;
    let stream = TcpStream::connect_timeout(&target.address, timeout);
    setns(home, CloneFlags::CLONE_NEWNET)?;
    stream
}

/// Makes the kernel stamp sent and received segments in software. The kernel numbers stamps of sent segments by byte from
/// here on.
///
/// # Errors
/// When the kernel has no such stamps.
pub(crate) fn enable_kernel_stamps(stream: &TcpStream) -> io::Result<()> {
    let flags = TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_ID
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY;
    Ok(setsockopt(stream, sockopt::Timestamping, &flags)?)
}

/// Receives once, with the kernel's stamp. With `nonblocking`, returns `WouldBlock` if nothing has arrived.
///
/// # Errors
/// The errors of `recvmsg(2)`, and `WouldBlock` after the socket's read timeout.
pub(crate) fn receive(stream: &TcpStream, buffer: &mut [u8], nonblocking: bool) -> io::Result<Received> {
    let mut control = ControlBuffer([0; 128]);
    let flags = if nonblocking { libc::MSG_DONTWAIT } else { 0 };
    let (bytes, messages) = receive_message(stream, buffer, &mut control, flags)?;
    let mut kernel_rx_ns = None;
    for message in messages {
        if (message.level, message.kind) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) {
            kernel_rx_ns = software_stamp_ns(message.data);
        }
    }
    Ok(Received { bytes, kernel_rx_ns })
}

/// Empties the error queue and returns the stamp of the segment that ended with byte `last_byte`, if the queue had it.
pub(crate) fn take_sent_stamp(stream: &TcpStream, last_byte: u32) -> Option<NonZeroI64> {
    let mut found = None;
    loop {
        let mut control = ControlBuffer([0; 128]);
        // An error other than an empty queue comes up again in the next send or receive call.
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        let Ok((_, messages)) = receive_message(stream, &mut [], &mut control, flags) else {
            return found;
        };
        let (mut stamp, mut byte) = (None, None);
        for message in messages {
            match (message.level, message.kind) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => stamp = software_stamp_ns(message.data),
                (libc::SOL_IP, libc::IP_RECVERR) | (libc::SOL_IPV6, libc::IPV6_RECVERR) => {
                    byte = stamped_byte(message.data);
                }
                _ => {}
            }
        }
        if byte == Some(last_byte) {
            found = stamp;
        }
    }
}

/// Receives once, and returns the number of bytes and the control messages.
fn receive_message<'a>(
    stream: &TcpStream,
    buffer: &mut [u8],
    control: &'a mut ControlBuffer,
    flags: i32,
) -> io::Result<(usize, ControlMessages<'a>)> {
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: an all-zero msghdr is a valid value of that plain C struct.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len() as _;
    // SAFETY: `message` names `part`, `buffer` and `control` with their lengths, and all outlive the call.
    let received = unsafe { libc::recvmsg(stream.as_raw_fd(), &raw mut message, flags) };
    let bytes = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    let filled = control.0.len().min(message.msg_controllen as usize);
    Ok((bytes, ControlMessages(&control.0[..filled])))
}

/// The control messages of one receive call, as the kernel wrote them: a header (length of header and data, level, type),
/// the data, and a gap up to the next multiple of the header's alignment.
struct ControlMessages<'a>(&'a [u8]);

/// One control message.
struct ControlMessage<'a> {
    level: i32,
    kind: i32,
    data: &'a [u8],
}

impl<'a> Iterator for ControlMessages<'a> {
    type Item = ControlMessage<'a>;

    fn next(&mut self) -> Option<ControlMessage<'a>> {
        const HEADER_BYTES: usize = size_of::<usize>() + 2 * size_of::<i32>();
        let (length, rest) = self.0.split_first_chunk()?;
        let (level, rest) = rest.split_first_chunk()?;
        let (kind, _) = rest.split_first_chunk()?;
        let length = usize::from_ne_bytes(*length);
        let data = self.0.get(HEADER_BYTES..length)?;
        self.0 = self
            .0
            .get(length.next_multiple_of(size_of::<usize>())..)
            .unwrap_or_default();
        Some(ControlMessage {
            level: i32::from_ne_bytes(*level),
            kind: i32::from_ne_bytes(*kind),
            data,
        })
    }
}

/// Returns the first of the three times of a `scm_timestamping`, which is the software stamp, ns.
fn software_stamp_ns(data: &[u8]) -> Option<NonZeroI64> {
    let (seconds, rest) = data.split_first_chunk()?;
    let (nanoseconds, _) = rest.split_first_chunk()?;
    NonZeroI64::new(i64::from_ne_bytes(*seconds) * 1_000_000_000 + i64::from_ne_bytes(*nanoseconds))
}

/// Returns the offset of the byte that a stamp of a sent segment belongs to, from a `sock_extended_err`: 4 bytes of error
/// number, 1 of origin, 3 others, 4 of further information, 4 of data.
fn stamped_byte(data: &[u8]) -> Option<u32> {
    let of_stamp = *data.get(4)? == libc::SO_EE_ORIGIN_TIMESTAMPING;
    let (byte, _) = data.get(12..)?.split_first_chunk()?;
    of_stamp.then_some(u32::from_ne_bytes(*byte))
}

/// Sleeps until bytes or stamps have arrived on one of the sockets, or `longest_ns` have passed. Allocates nothing for up to 64
/// sockets, because it runs between the requests of an open loop.
pub(crate) fn wait_for_any<'a>(streams: impl Iterator<Item = &'a TcpStream>, longest_ns: i64) {
    let mut sockets: SmallVec<[PollFd<'_>; 64]> = streams
        .map(|stream| PollFd::new(stream.as_fd(), PollFlags::POLLIN))
        .collect();
    // The result is not needed, because the caller looks at every socket.
    _ = ppoll(&mut sockets, Some(TimeSpec::nanoseconds(longest_ns)), None);
}
