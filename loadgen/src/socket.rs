//! System calls for which the standard library has no wrapper: kernel time stamps, clock, affinity, signals.
#![expect(
    unsafe_code,
    reason = "kernel time stamps come in control messages, which only raw calls return"
)]

use std::fs::File;
use std::io;
use std::mem::{size_of, zeroed};
use std::net::TcpStream;
use std::num::NonZeroI64;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use model::Target;

/// Room for a stamp, an extended error and an address, aligned as control messages must be.
type Control = [u64; 64];

/// What one receive call returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Bytes; 0 at the end of the stream.
    pub(crate) bytes: usize,
    /// When the last of the segments returned entered the kernel, ns of the kernel's clock.
    pub(crate) kernel_rx_ns: Option<NonZeroI64>,
}

/// `CLOCK_MONOTONIC`, ns.
pub(crate) fn monotonic_ns() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writes; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    nanoseconds(time)
}

/// Connects to a server, where it has a network namespace of its own from there: a socket belongs to the namespace in
/// which it was made, whatever its thread does afterwards.
///
/// # Errors
/// When there is no such namespace, this process may not enter it, or nobody listens.
pub(crate) fn connect(target: &Target, timeout: Duration) -> io::Result<TcpStream> {
    let Some(namespace) = &target.namespace else {
        return TcpStream::connect_timeout(&target.address, timeout);
    };
    let home = File::open("/proc/thread-self/ns/net")?;
    go_to(&File::open(namespace)?)?;
    let stream = TcpStream::connect_timeout(&target.address, timeout);
    go_to(&home)?;
    stream
}

fn go_to(namespace: &File) -> io::Result<()> {
    // SAFETY: setns takes two numbers, and the descriptor is open.
    check(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) })
}

/// Asks for software stamps of sent and received segments; sent ones are numbered by byte from here on.
///
/// # Errors
/// When the kernel has no such stamps.
pub(crate) fn enable_kernel_stamps(stream: &TcpStream) -> io::Result<()> {
    let flags = libc::SOF_TIMESTAMPING_TX_SOFTWARE
        | libc::SOF_TIMESTAMPING_RX_SOFTWARE
        | libc::SOF_TIMESTAMPING_SOFTWARE
        | libc::SOF_TIMESTAMPING_OPT_ID
        | libc::SOF_TIMESTAMPING_OPT_TSONLY;
    let length = libc::socklen_t::try_from(size_of_val(&flags)).map_err(io::Error::other)?;
    let pointer = (&raw const flags).cast();
    // SAFETY: `pointer` and `length` describe `flags`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPING,
            pointer,
            length,
        )
    };
    check(result)
}

/// Receives once, with the kernel's stamp. `spin`: returns `WouldBlock` at once when nothing is there.
///
/// # Errors
/// As `recvmsg(2)`; `WouldBlock` also after the socket's read timeout.
pub(crate) fn receive(stream: &TcpStream, buffer: &mut [u8], spin: bool) -> io::Result<Received> {
    let mut control: Control = [0; 64];
    let flags = if spin { libc::MSG_DONTWAIT } else { 0 };
    let (bytes, message) = receive_message(stream, buffer, &mut control, flags)?;
    let mut kernel_rx_ns = None;
    for_each_control(&message, |level, kind, data| {
        if level == libc::SOL_SOCKET && kind == libc::SCM_TIMESTAMPING {
            kernel_rx_ns = software_stamp(data);
        }
    });
    Ok(Received { bytes, kernel_rx_ns })
}

/// Empties the error queue; the stamp of the segment that ended with byte `last_byte`, if it was there.
pub(crate) fn take_sent_stamp(stream: &TcpStream, last_byte: u32) -> Option<NonZeroI64> {
    let mut found = None;
    loop {
        let mut control: Control = [0; 64];
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        // An error other than an empty queue will come up in the next send or receive.
        let Ok((_, message)) = receive_message(stream, &mut [], &mut control, flags) else {
            return found;
        };
        let (mut stamp, mut byte) = (None, None);
        for_each_control(&message, |level, kind, data| match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => stamp = software_stamp(data),
            (libc::SOL_IP, libc::IP_RECVERR) | (libc::SOL_IPV6, libc::IPV6_RECVERR) => {
                byte = plain::<libc::sock_extended_err>(data)
                    .filter(|error| error.ee_origin == libc::SO_EE_ORIGIN_TIMESTAMPING)
                    .map(|error| error.ee_data);
            }
            _ => {}
        });
        if byte == Some(last_byte) {
            found = stamp;
        }
    }
}

fn receive_message(
    stream: &TcpStream,
    buffer: &mut [u8],
    control: &mut Control,
    flags: i32,
) -> io::Result<(usize, libc::msghdr)> {
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: an all-zero msghdr is a valid value of that plain C struct.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of::<Control>() as _;
    // SAFETY: `message` points at `part`, `buffer` and `control`, with their true lengths, and all outlive the call.
    let received = unsafe { libc::recvmsg(stream.as_raw_fd(), &raw mut message, flags) };
    usize::try_from(received)
        .map(|bytes| (bytes, message))
        .map_err(|_| io::Error::last_os_error())
}

/// Visits level, type and data of each control message; `message` must come from [`receive_message`], its control
/// buffer still be alive.
fn for_each_control(message: &libc::msghdr, mut visit: impl FnMut(i32, i32, &[u8])) {
    // SAFETY: the kernel has filled the control buffer and set its length.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: a non-null header lies within the control buffer.
    while let Some(control) = unsafe { header.as_ref() } {
        // SAFETY: no data can begin before its own header.
        let data = unsafe { libc::CMSG_DATA(header) };
        let head_bytes = data.addr() - header.addr();
        let data_bytes = control.cmsg_len.saturating_sub(head_bytes);
        // SAFETY: the kernel wrote `cmsg_len` bytes from the header on, `data_bytes` of them from `data` on.
        visit(control.cmsg_level, control.cmsg_type, unsafe {
            std::slice::from_raw_parts(data, data_bytes)
        });
        // SAFETY: `header` is within the control buffer that `message` describes.
        header = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
}

/// The first of the three times of an `scm_timestamping` is the software stamp.
fn software_stamp(data: &[u8]) -> Option<NonZeroI64> {
    plain::<libc::timespec>(data).and_then(|time| NonZeroI64::new(nanoseconds(time)))
}

/// A marker for C structs of which every bit pattern is a value.
trait Plain: Copy {}
impl Plain for libc::timespec {}
impl Plain for libc::sock_extended_err {}

fn plain<T: Plain>(data: &[u8]) -> Option<T> {
    if data.len() < size_of::<T>() {
        return None;
    }
    // SAFETY: there are enough bytes, any bytes are a `T`, and an unaligned read needs no alignment.
    Some(unsafe { data.as_ptr().cast::<T>().read_unaligned() })
}

fn nanoseconds(time: libc::timespec) -> i64 {
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The longest that [`wait_for_any`] sleeps, ns: as often are timeouts looked for.
pub(crate) const LONGEST_WAIT_NS: i64 = 10_000_000;

/// Sleeps until something has arrived on one of the sockets, or the time is over.
pub(crate) fn wait_for_any<'a>(streams: impl Iterator<Item = &'a TcpStream>, longest_ns: i64) {
    const MOST: usize = 1024;
    let mut descriptors = [libc::pollfd {
        fd: -1,
        events: libc::POLLIN,
        revents: 0,
    }; MOST];
    let mut count: libc::nfds_t = 0;
    // Beyond so many, the rest is looked at when the time is over.
    for (descriptor, stream) in descriptors.iter_mut().zip(streams) {
        descriptor.fd = stream.as_raw_fd();
        count += 1;
    }
    let time = libc::timespec {
        tv_sec: longest_ns / 1_000_000_000,
        tv_nsec: longest_ns % 1_000_000_000,
    };
    // SAFETY: there are so many descriptors, and both pointers outlive the call. What it returns is not needed: the
    // caller looks at every socket.
    unsafe { libc::ppoll(descriptors.as_mut_ptr(), count, &raw const time, std::ptr::null()) };
}

/// `CLOCK_REALTIME`, from which the kernel's stamps come, minus `CLOCK_MONOTONIC`, ns. Both are computed from one
/// counter at one speed, so that the difference is constant until somebody sets the clock.
pub(crate) fn kernel_minus_user_ns() -> i64 {
    let mut best = (i64::MAX, 0);
    for _ in 0..64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let before_ns = monotonic_ns();
        // SAFETY: `time` is valid for writes; this clock always exists.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) };
        let after_ns = monotonic_ns();
        // The narrowest bracket says it most exactly.
        best = best.min((
            after_ns - before_ns,
            nanoseconds(time) - i64::midpoint(before_ns, after_ns),
        ));
    }
    best.1
}

/// What a user stamp is worth and costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockCost {
    pub(crate) resolution_ns: i64,
    pub(crate) cost_ns: f64,
}

/// Takes many stamps in a row.
pub(crate) fn clock_cost() -> ClockCost {
    const STAMPS: i32 = 2_000;
    let start_ns = monotonic_ns();
    let (mut last_ns, mut resolution_ns) = (start_ns, i64::MAX);
    for _ in 0..STAMPS {
        let now_ns = monotonic_ns();
        if now_ns > last_ns {
            resolution_ns = resolution_ns.min(now_ns - last_ns);
        }
        last_ns = now_ns;
    }
    ClockCost {
        resolution_ns,
        cost_ns: (last_ns - start_ns) as f64 / f64::from(STAMPS),
    }
}

/// The kernel's account of a CPU's time, in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks {
    total: u64,
    stolen: u64,
}

impl Ticks {
    /// Share of the time since then that the machine below took; `None` when no tick has passed.
    pub(crate) fn stolen_since(self, before: Self) -> Option<f64> {
        let total = self.total.checked_sub(before.total).filter(|total| *total > 0)?;
        Some(self.stolen.saturating_sub(before.stolen) as f64 / total as f64)
    }
}

/// Of one CPU, or of all together.
pub(crate) fn ticks(cpu: Option<usize>) -> Option<Ticks> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let name = cpu.map_or("cpu".to_owned(), |cpu| format!("cpu{cpu}"));
    let line = text.lines().find(|line| line.split(' ').next() == Some(&name))?;
    let fields: Vec<u64> = line
        .split_ascii_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in the first two.
    Some(Ticks {
        total: fields.iter().take(8).sum(),
        stolen: *fields.get(7)?,
    })
}

/// The CPU that the calling thread is on.
pub(crate) fn current_cpu() -> i32 {
    // SAFETY: sched_getcpu has no preconditions.
    unsafe { libc::sched_getcpu() }
}

fn allowed_mask() -> io::Result<[u64; 64]> {
    let mut mask = [0_u64; 64];
    // SAFETY: the mask is valid for writes of the length given.
    check(unsafe { libc::sched_getaffinity(0, size_of_val(&mask), mask.as_mut_ptr().cast()) })?;
    Ok(mask)
}

/// The CPUs that the calling thread may run on, in ascending order; empty when the kernel does not say.
pub(crate) fn allowed_cpus() -> Vec<usize> {
    let mask = allowed_mask().unwrap_or([0; 64]);
    let is_set = |cpu: &usize| mask[cpu / 64] >> (cpu % 64) & 1 == 1;
    (0..64 * mask.len()).filter(is_set).collect()
}

/// Keeps the calling thread on the other CPUs.
///
/// # Errors
/// When there is no other that is allowed.
pub(crate) fn keep_off_cpu(cpu: usize) -> io::Result<()> {
    let mut mask = allowed_mask()?;
    if let Some(word) = mask.get_mut(cpu / 64) {
        *word &= !(1 << (cpu % 64));
    }
    // SAFETY: the mask is valid for reads of the length given; an empty one is refused.
    check(unsafe { libc::sched_setaffinity(0, size_of_val(&mask), mask.as_ptr().cast()) })
}

/// Keeps the calling thread on one CPU.
///
/// # Errors
/// When there is no such CPU, or it is not allowed.
pub(crate) fn pin_to_cpu(cpu: usize) -> io::Result<()> {
    let mut mask = [0_u64; 64];
    let word = mask
        .get_mut(cpu / 64)
        .ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
    *word = 1 << (cpu % 64);
    // SAFETY: the mask is valid for reads of the length given; the kernel takes masks longer than its own.
    check(unsafe { libc::sched_setaffinity(0, size_of_val(&mask), mask.as_ptr().cast()) })
}

/// How often the calling thread was taken off its CPU against its will.
pub(crate) fn involuntary_context_switches() -> u64 {
    // SAFETY: an all-zero rusage is a valid value of that plain C struct.
    let mut usage: libc::rusage = unsafe { zeroed() };
    // SAFETY: `usage` is valid for writes.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
    u64::try_from(usage.ru_nivcsw).unwrap_or(0)
}

/// The most memory that this process has had resident, in bytes.
pub(crate) fn peak_memory_bytes() -> u64 {
    // SAFETY: an all-zero rusage is a valid value of that plain C struct.
    let mut usage: libc::rusage = unsafe { zeroed() };
    // SAFETY: `usage` is valid for writes.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    // Linux counts in KiB.
    u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024
}

static SIGNAL: AtomicI32 = AtomicI32::new(0);

extern "C" fn remember(signal: i32) {
    SIGNAL.store(signal, Ordering::Relaxed);
}

/// From here on SIGINT and SIGTERM end a run after the round in progress; see [`received_signal`].
///
/// # Errors
/// In practice none.
pub fn stop_on_signals() -> io::Result<()> {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: an all-zero sigaction is a valid value of that plain C struct.
        let mut action: libc::sigaction = unsafe { zeroed() };
        action.sa_sigaction = remember as extern "C" fn(i32) as usize;
        action.sa_flags = libc::SA_RESTART;
        // SAFETY: the handler only stores to an atomic, which is allowed in a signal handler.
        check(unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) })?;
    }
    Ok(())
}

/// The signal that asked the run to stop.
#[must_use]
pub fn received_signal() -> Option<i32> {
    Some(SIGNAL.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
}

fn check(result: i32) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
