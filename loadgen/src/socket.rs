//! Sockets: connections from another network namespace, kernel time stamps, and waiting for several sockets.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::net::TcpStream;
use std::num::NonZeroI64;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;

use model::Target;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, TimestampingFlag, recvmsg, setsockopt, sockopt};
use nix::sys::time::{TimeSpec, TimeValLike as _};

use crate::clock::nanoseconds;

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
/// As `recvmsg(2)`; also `WouldBlock` after the socket's read timeout.
pub(crate) fn receive(stream: &TcpStream, buffer: &mut [u8], nonblocking: bool) -> io::Result<Received> {
    let mut control = ControlBuffer([0; 128]);
    let flags = if nonblocking {
        MsgFlags::MSG_DONTWAIT
    } else {
        MsgFlags::empty()
    };
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(&mut control.0), flags)?;
    let mut kernel_rx_ns = None;
    for control in message.cmsgs().into_iter().flatten() {
        if let ControlMessageOwned::ScmTimestampsns(stamps) = control {
            kernel_rx_ns = NonZeroI64::new(nanoseconds(stamps.system));
        }
    }
    Ok(Received {
        bytes: message.bytes,
        kernel_rx_ns,
    })
}

/// Empties the error queue and returns the stamp of the segment that ended with byte `last_byte`, if the queue had it.
pub(crate) fn take_sent_stamp(stream: &TcpStream, last_byte: u32) -> Option<NonZeroI64> {
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let mut control = ControlBuffer([0; 128]);
    let mut found = None;
    // An error other than an empty queue comes up again in the next send or receive call.
    while let Ok(message) = recvmsg::<()>(stream.as_raw_fd(), &mut [], Some(&mut control.0), flags) {
        let (mut stamp, mut byte) = (None, None);
        for control in message.cmsgs().into_iter().flatten() {
            match control {
                ControlMessageOwned::ScmTimestampsns(stamps) => stamp = NonZeroI64::new(nanoseconds(stamps.system)),
                ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                    byte = (error.ee_origin == nix::libc::SO_EE_ORIGIN_TIMESTAMPING).then_some(error.ee_data);
                }
                _ => {}
            }
        }
        if byte == Some(last_byte) {
            found = stamp;
        }
    }
    found
}

/// Sleeps until bytes or stamps have arrived on one of the sockets, or `longest_ns` have passed.
pub(crate) fn wait_for_any<'a>(streams: impl Iterator<Item = &'a TcpStream>, longest_ns: i64) {
    let mut sockets: Vec<_> = streams
        .map(|stream| PollFd::new(stream.as_fd(), PollFlags::POLLIN))
        .collect();
    // The result is not needed, because the caller looks at every socket.
    _ = ppoll(&mut sockets, Some(TimeSpec::nanoseconds(longest_ns)), None);
}
