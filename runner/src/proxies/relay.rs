//! `runner relay`: a TCP relay in user space that delays the requests of clients.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use model::DelayDistribution;
use nix::sys::prctl;
use nix::time::{ClockId, clock_gettime};

use super::delay_source::DelaySource;

/// Largest number of bytes that are forwarded at once. A smaller request gets one delay.
const BUFFER_BYTES: usize = 64 * 1024;

/// The command line of `runner relay`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RelayCommand {
    /// Address to listen on
    #[arg(long)]
    listen: SocketAddr,
    /// Address to forward to
    #[arg(long)]
    upstream: SocketAddr,
    /// File with the delays, as JSON
    #[arg(long)]
    jitter: PathBuf,
    /// Seed of the part of the delays that each request draws anew
    #[arg(long)]
    seed: u64,
    /// Seed of the slow part of the delays, which several relays can share
    #[arg(long)]
    common_seed: u64,
}

/// Relays until the process is killed. Each client has a connection of its own to the server. The relay delays the client's
/// bytes and forwards the server's bytes at once.
///
/// # Errors
/// If the delays cannot be read, or the relay cannot listen.
pub(crate) fn run(options: &RelayCommand) -> Result<()> {
    let text = fs::read(&options.jitter).with_context(|| format!("cannot read {}", options.jitter.display()))?;
    let jitter: Arc<DelayDistribution> = Arc::new(
        serde_json::from_slice(&text)
            .with_context(|| format!("{}: expected delays as JSON", options.jitter.display()))?,
    );
    // With its default of 50 µs the kernel wakes a thread late. Threads inherit the setting.
    prctl::set_timerslack(1).context("cannot ask for exact timers")?;
    let listener = TcpListener::bind(options.listen).with_context(|| format!("cannot listen on {}", options.listen))?;
    for (connection, client) in listener.incoming().enumerate() {
        let client = client.context("cannot accept a connection")?;
        let (jitter, upstream) = (Arc::clone(&jitter), options.upstream);
        // A seed for each connection: requests of different connections draw the rest of their delays independently.
        let mut source = DelaySource::new(jitter, options.seed ^ connection as u64, options.common_seed);
        thread::spawn(move || {
            let mut delay = || Duration::from_nanos(source.delay_ns(now_ns()));
            if let Err(error) = relay(&client, upstream, &mut delay) {
                eprintln!("relay: a connection ended: {error}");
            }
        });
    }
    Ok(())
}

/// The time of the machine's monotonic clock, which all relays of a launch read, ns.
fn now_ns() -> u64 {
    let since = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn relay(client: &TcpStream, upstream: SocketAddr, delay: &mut impl FnMut() -> Duration) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    for stream in [client, &server] {
        stream.set_nodelay(true)?;
    }
    thread::scope(|scope| {
        let back = scope.spawn(|| forward(&server, client, || Duration::ZERO));
        let there = forward(client, &server, delay);
        // An error in one direction shuts down both.
        let back = back.join().unwrap_or(Ok(()));
        there.and(back)
    })
}

/// Forwards until one side ends or fails, and then closes the other side.
fn forward(mut from: &TcpStream, mut to: &TcpStream, mut delay: impl FnMut() -> Duration) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let result = loop {
        match from.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(bytes) => {
                let delay = delay();
                if !delay.is_zero() {
                    thread::sleep(delay);
                }
                if let Err(error) = to.write_all(&buffer[..bytes]) {
                    break Err(error);
                }
            }
            Err(error) => break Err(error),
        }
    };
    // The other side can be closed already.
    _ = to.shutdown(Shutdown::Write);
    if result.is_err() {
        _ = from.shutdown(Shutdown::Both);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_passes_all_bytes_and_the_end_in_both_directions() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).unwrap();
            stream.write_all(&heard).unwrap();
        });
        let near = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(near.local_addr().unwrap()).unwrap();
        let (accepted, _) = near.accept().unwrap();
        let relay = thread::spawn(move || {
            let mut drawn = 0;
            let mut delay = || {
                drawn += 1;
                Duration::from_micros(10)
            };
            relay(&accepted, upstream, &mut delay).unwrap();
            drawn
        });
        let said = vec![7; 300_000];
        client.write_all(&said).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, said);
        server.join().unwrap();
        assert!(relay.join().unwrap() > 0);
    }
}
