//! Stamps of each request's receive calls and answer, by the server's clock, in a file.
//!
//! The file has the layout of the hook's telemetry and a record for each request: `start_ns` is the time before the first
//! receive call, `real_ns` the time in the receive calls, and `own_ns` the time from `start_ns` until the answer is sent.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use readhook_telemetry::{Call, Function, SearchVerdict};

use crate::sys::{self, ReceiveStyle, Records};

/// Writes stamps to the file.
pub(crate) struct StampWriter(Records);

/// The stamps of a request that is not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Stamped {
    /// The time before its first receive call.
    start_ns: Option<u64>,
    call_ns: u64,
    bytes: i64,
}

impl StampWriter {
    /// Opens a file with the layout of the telemetry. No memory is allocated while requests arrive.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Records::open(path)?))
    }

    /// Waits until bytes have arrived, then receives them. The time of the call excludes the wait.
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

    /// Writes the stamps of a request after its answer was sent.
    pub(crate) fn write(&self, stream: &TcpStream, function: ReceiveStyle, stamped: &Stamped) {
        // A request that arrived together with the previous one has no receive call of its own.
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
