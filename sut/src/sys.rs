//! The libc functions that a hook can see, called by their symbol names; the clock; the mapped file of stamps.
//!
//! The standard library chooses its functions itself (`accept4`, `recv`, `send`). The server calls libc directly, because
//! the function that receives the payload is a parameter of an experiment.
#![expect(unsafe_code, reason = "the experiment measures calls of libc symbols")]

use std::fs::OpenOptions;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::ptr::{self, NonNull};

use readhook_telemetry::Writer;

/// The function that accepts a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Accept {
    /// `accept(2)`.
    Accept,
    /// `accept4(2)`.
    Accept4,
}

/// The function that receives the bytes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReceiveStyle {
    /// `read(2)`.
    Read,
    /// `recv(2)`.
    Recv,
}

/// Waits for a connection and returns it. Repeats an interrupted call.
///
/// # Errors
/// The errors of `accept(2)`, without interruptions.
pub(crate) fn accept(listener: &TcpListener, function: Accept) -> io::Result<TcpStream> {
    loop {
        // SAFETY: an all-zero sockaddr_storage is a valid value of that plain C struct.
        let mut address: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
        let mut length = libc::socklen_t::try_from(size_of_val(&address)).map_err(io::Error::other)?;
        let pointer = (&raw mut address).cast::<libc::sockaddr>();
        let fd = match function {
            // SAFETY: `pointer` and `length` describe `address`, which outlives the call.
            Accept::Accept => unsafe { libc::accept(listener.as_raw_fd(), pointer, &raw mut length) },
            // SAFETY: as above.
            Accept::Accept4 => unsafe {
                libc::accept4(listener.as_raw_fd(), pointer, &raw mut length, libc::SOCK_CLOEXEC)
            },
        };
        if fd >= 0 {
            // SAFETY: the descriptor is new, and no other value owns it.
            return Ok(TcpStream::from(unsafe { OwnedFd::from_raw_fd(fd) }));
        }
        retry_if_interrupted()?;
    }
}

/// Receives at most `buffer.len()` bytes and returns their number; 0 at the end of the stream. Repeats an interrupted call.
///
/// # Errors
/// The errors of `read(2)`, without interruptions.
pub(crate) fn receive(stream: &TcpStream, buffer: &mut [u8], function: ReceiveStyle) -> io::Result<usize> {
    loop {
        let pointer = buffer.as_mut_ptr().cast();
        let received = match function {
            // SAFETY: `pointer` is valid for writes of `buffer.len()` bytes.
            ReceiveStyle::Read => unsafe { libc::read(stream.as_raw_fd(), pointer, buffer.len()) },
            // SAFETY: as above.
            ReceiveStyle::Recv => unsafe { libc::recv(stream.as_raw_fd(), pointer, buffer.len(), 0) },
        };
        if let Ok(received) = usize::try_from(received) {
            return Ok(received);
        }
        retry_if_interrupted()?;
    }
}

/// Writes all bytes. Continues after an interrupted call.
///
/// # Errors
/// The errors of `write(2)`, without interruptions.
pub(crate) fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: the pointer is valid for reads of `bytes.len()` bytes.
        let written = unsafe { libc::write(stream.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(written) => bytes = &bytes[written..],
            Err(_) => retry_if_interrupted()?,
        }
    }
    Ok(())
}

/// Waits until bytes or the end of the stream can be received. Calls `poll(2)`, which the hook does not replace.
///
/// # Errors
/// The errors of `poll(2)`, without interruptions.
pub(crate) fn wait_readable(stream: &TcpStream) -> io::Result<()> {
    let mut waited = libc::pollfd {
        fd: stream.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    loop {
        // SAFETY: the pointer is valid for one entry, which outlives the call.
        if unsafe { libc::poll(&raw mut waited, 1, -1) } >= 0 {
            return Ok(());
        }
        retry_if_interrupted()?;
    }
}

/// Returns the number of bytes in the socket's receive buffer.
///
/// # Errors
/// The errors of `ioctl(2)`.
pub(crate) fn readable_bytes(stream: &TcpStream) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the request writes one int, which outlives the call.
    if unsafe { libc::ioctl(stream.as_raw_fd(), libc::FIONREAD, &raw mut bytes) } < 0 {
        return Err(io::Error::last_os_error());
    }
    usize::try_from(bytes).map_err(io::Error::other)
}

/// The time of `CLOCK_MONOTONIC`, ns: the clock of the hook and of the load generator.
pub(crate) fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure outlives the call, which cannot fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// A mapped file of records. Threads share it.
#[derive(Debug)]
pub(crate) struct Records(Writer);

// SAFETY: a writer changes the mapping by atomic operations only, and the mapping lasts until the process ends.
unsafe impl Sync for Records {}

impl Records {
    /// Maps a file with the layout of the hook's telemetry, and makes all its pages present.
    ///
    /// # Errors
    /// When the file cannot be opened or mapped, or has another layout.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_POPULATE,
        );
        // SAFETY: the kernel chooses a free address, so that the call replaces no mapping.
        let base = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, file.as_raw_fd(), 0) };
        let base = NonNull::new(base.cast::<u8>()).filter(|_| base != libc::MAP_FAILED);
        let base = base.ok_or_else(io::Error::last_os_error)?;
        // SAFETY: the address is page-aligned, the mapping lasts until the process ends, and only writers write to the file.
        let writer = unsafe { Writer::new(base, length) };
        writer.map(Self).map_err(|error| io::Error::other(error.to_string()))
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.0
    }
}

/// Returns the error of the last call, unless the call can be repeated.
fn retry_if_interrupted() -> io::Result<()> {
    let error = io::Error::last_os_error();
    match error.kind() {
        // The client closed its connection before the server accepted it; the next client can be served.
        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => Ok(()),
        _ => Err(error),
    }
}
