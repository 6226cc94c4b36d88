//! The server's receive calls in a tight loop, as a micro benchmark of a hook makes them.

use std::hint::spin_loop;
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};

use anyhow::{Context as _, Result, ensure};

use crate::sys::{self, Accept, ReceiveStyle};

/// Number of bytes that every socket buffers until they are received.
const IN_FLIGHT_BYTES: usize = 32 * 1024;

/// Measures one block of calls for each line of standard input, until the input ends. This process is also the sender. It
/// fills the socket with the payloads of many calls before it reads the clock, so that no call waits.
///
/// # Errors
/// When the payload is empty or larger than [`IN_FLIGHT_BYTES`], or a call fails or receives a part of the payload.
pub(crate) fn run(
    listener: &TcpListener,
    (accept, receive): (Accept, ReceiveStyle),
    payload: &[u8],
    calls: u32,
) -> Result<()> {
    ensure!(
        !payload.is_empty() && payload.len() <= IN_FLIGHT_BYTES,
        "the payload has {} bytes, expected 1 to {IN_FLIGHT_BYTES}",
        payload.len()
    );
    let client = TcpStream::connect(listener.local_addr()?).context("cannot connect to this process itself")?;
    client.set_nodelay(true)?;
    let server = sys::accept(listener, accept)?;
    let mut buffer = vec![0; payload.len()];
    let mut out = io::stdout().lock();
    writeln!(out, "listening {}", listener.local_addr()?)?;
    out.flush()?;
    for line in io::stdin().lines() {
        line?;
        let elapsed_ns = block(&client, &server, receive, payload, &mut buffer, calls)?;
        writeln!(out, "{elapsed_ns}")?;
        out.flush()?;
    }
    Ok(())
}

/// Makes one block of calls and returns its time, ns.
fn block(
    client: &TcpStream,
    server: &TcpStream,
    receive: ReceiveStyle,
    payload: &[u8],
    buffer: &mut [u8],
    calls: u32,
) -> Result<u64> {
    let at_once = u32::try_from(IN_FLIGHT_BYTES / payload.len())?;
    let (mut left, mut elapsed_ns) = (calls, 0);
    while left > 0 {
        let now = left.min(at_once);
        let sent = payload.repeat(usize::try_from(now)?);
        sys::write_all(client, &sent)?;
        while sys::readable_bytes(server)? < sent.len() {
            spin_loop();
        }
        let start_ns = sys::now_ns();
        for _ in 0..now {
            let received = sys::receive(server, buffer, receive)?;
            ensure!(
                received == payload.len(),
                "a call received {received} bytes, expected {}",
                payload.len()
            );
        }
        elapsed_ns += sys::now_ns() - start_ns;
        left -= now;
    }
    Ok(elapsed_ns)
}
