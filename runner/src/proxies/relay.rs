//! `runner relay`: a TCP relay in user space that holds back what clients send.

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
use rand::SeedableRng as _;
use rand_pcg::Pcg64;

use super::jitter::draw;

/// Bytes that are forwarded at once; a request that has no more is held back as one.
const BUFFER_BYTES: usize = 64 * 1024;

/// What is relayed to where.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RelayCommand {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Where to forward to
    #[arg(long)]
    upstream: SocketAddr,
    /// File with the delays, as JSON
    #[arg(long)]
    jitter: PathBuf,
    /// Seed of the delays
    #[arg(long)]
    seed: u64,
}

/// Relays until it is killed: each connection to one of its own, what the client sends after a delay, what the server
/// sends at once.
pub(crate) fn run(options: &RelayCommand) -> Result<()> {
    let text = fs::read(&options.jitter).with_context(|| format!("cannot read {}", options.jitter.display()))?;
    let jitter: Arc<DelayDistribution> = Arc::new(serde_json::from_slice(&text).context("no delays")?);
    // The kernel may otherwise wake a sleeper 50 µs late. Threads inherit it.
    prctl::set_timerslack(1).context("cannot ask for exact timers")?;
    let listener = TcpListener::bind(options.listen).with_context(|| format!("cannot listen on {}", options.listen))?;
    for (connection, client) in listener.incoming().enumerate() {
        let client = client.context("cannot accept a connection")?;
        let (jitter, upstream) = (Arc::clone(&jitter), options.upstream);
        // Each connection has delays of its own, whatever the others do.
        let mut random = Pcg64::seed_from_u64(options.seed ^ connection as u64);
        thread::spawn(move || {
            let mut delay = || Duration::from_nanos(draw(&jitter, &mut random));
            if let Err(error) = relay(&client, upstream, &mut delay) {
                eprintln!("relay: a connection ended: {error}");
            }
        });
    }
    Ok(())
}

fn relay(client: &TcpStream, upstream: SocketAddr, delay: &mut impl FnMut() -> Duration) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    for stream in [client, &server] {
        stream.set_nodelay(true)?;
    }
    thread::scope(|scope| {
        let back = scope.spawn(|| forward(&server, client, || Duration::ZERO));
        let there = forward(client, &server, delay);
        // Each direction ends by itself; an error of one has ended the other.
        let back = back.join().unwrap_or(Ok(()));
        there.and(back)
    })
}

/// Forwards until one side ends or fails, and passes that on.
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
    // One that is closed already needs no more.
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
    fn all_bytes_pass_in_both_directions_and_the_end_too() {
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
