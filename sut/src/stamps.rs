//! When a request was received and answered, by the server's own clock, in a file that others read.
//!
//! The layout is that of the hook's telemetry, a record for each request: `start_ns` before the first receive call, `real_ns`
//! in the receive calls, `own_ns` from `start_ns` until the answer was sent, `bytes` and `fd` as they are.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use readhook_telemetry::{Call, Function, SearchVerdict};

use crate::sys::{self, ReceiveStyle, Records};

/// Where stamps are left.
pub(crate) struct StampWriter(Records);

/// What has been stamped of a request that is not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Stamped {
    /// Before its first receive call.
    start_ns: Option<u64>,
    call_ns: u64,
    bytes: i64,
}

impl StampWriter {
    /// In a file that was laid out beforehand, so that nothing is allocated while requests come.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Records::open(path)?))
    }

    /// Receives, once there is something to receive: waiting is no part of the call.
    pub(crate) fn receive(
        &self,
        stream: &TcpStream,
        buffer: &mut [u8],
        function: ReceiveStyle,
        stamped: &mut Stamped,
    ) -> io::Result<usize> {
        sys::wait_readable(stream)?;
        let before_ns = sys::now_ns();
        let received = sys::receive(stream, buffer, function)?;
        stamped.call_ns += sys::now_ns().saturating_sub(before_ns);
        stamped.start_ns.get_or_insert(before_ns);
        stamped.bytes = stamped.bytes.saturating_add_unsigned(received as u64);
        Ok(received)
    }

    /// Leaves the stamps of a request whose answer was sent just now.
    pub(crate) fn leave(&self, stream: &TcpStream, function: ReceiveStyle, stamped: &Stamped) {
        // What came together with the request before it had no receive call of its own.
        let Some(start_ns) = stamped.start_ns else { return };
        self.0.writer().record(&Call {
            start_ns,
            real_ns: stamped.call_ns,
            own_ns: sys::now_ns().saturating_sub(start_ns),
            spun_ns: 0,
            bytes: stamped.bytes,
            fd: stream.as_raw_fd(),
            thread: 0,
            function: match function {
                ReceiveStyle::Read => Function::Read,
                ReceiveStyle::Recv => Function::Recv,
            },
            verdict: SearchVerdict::None,
        });
    }
}
