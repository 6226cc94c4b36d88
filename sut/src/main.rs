//! The synthetic system under test: an HTTP/1.1 keep-alive server with selectable libc functions.
//!
//! Each thread blocks and serves one connection at a time. Further connections wait in the listener's queue. When the server
//! is ready, it prints one line, `listening ADDRESS:PORT`. SIGTERM ends it.

mod serve;
mod stamps;
mod sys;
mod tight_loop;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;

use anyhow::Context;
use clap::Parser;

use crate::serve::Service;
use crate::stamps::StampWriter;
use crate::sys::{Accept, ReceiveStyle};

/// A small HTTP/1.1 server that receives by the given libc functions.
#[derive(Parser)]
#[command(name = "sut", version)]
struct ServerArguments {
    /// Address to listen on; port 0 stands for any free port.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Function that accepts connections.
    #[arg(long, value_enum, default_value = "accept")]
    accept: Accept,
    /// Function that receives requests.
    #[arg(long, value_enum, default_value = "read")]
    receive: ReceiveStyle,
    /// Receive calls per request; each except the last asks for 8 bytes.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    reads_per_request: u16,
    /// Body size of each answer, in bytes.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(..=1 << 28))]
    response_bytes: u32,
    /// Busy loop before each answer, in nanoseconds.
    #[arg(long, default_value_t = 0)]
    work_ns: u64,
    /// Number of threads; each serves one connection at a time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// File for a stamp of each request, with the layout of the hook's telemetry.
    #[arg(long)]
    stamps: Option<PathBuf>,
    /// Serve no client. Receive the content of this file repeatedly, one block of calls for each line on standard input, and
    /// print the time of each block in nanoseconds.
    #[arg(long, requires = "block_calls")]
    tight_loop: Option<PathBuf>,
    /// Number of receive calls in a block of the tight loop.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    block_calls: Option<u32>,
}

fn main() -> anyhow::Result<()> {
    let flags = ServerArguments::parse();
    let stamps = flags
        .stamps
        .as_deref()
        .map(|path| StampWriter::open(path).with_context(|| format!("cannot write stamps to {}", path.display())));
    let listener = TcpListener::bind(flags.listen).with_context(|| {
        format!(
            "cannot listen on {}; give --listen a free port, or 0 for any",
            flags.listen
        )
    })?;
    if let (Some(payload), Some(calls)) = (&flags.tight_loop, flags.block_calls) {
        let payload = std::fs::read(payload).with_context(|| format!("cannot read {}", payload.display()))?;
        return tight_loop::run(&listener, (flags.accept, flags.receive), &payload, calls);
    }
    let service = Service::new(
        flags.receive,
        flags.reads_per_request.into(),
        usize::try_from(flags.response_bytes)?,
        flags.work_ns,
        stamps.transpose()?,
    );
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening {}", listener.local_addr()?)?;
    out.flush()?;
    thread::scope(|scope| {
        for _ in 0..flags.threads {
            scope.spawn(|| {
                let error = accept_and_serve(&listener, flags.accept, &service);
                // A server with fewer threads than requested would be measured as another server.
                eprintln!("sut: cannot accept a connection: {error}");
                std::process::exit(1);
            });
        }
    });
    Ok(())
}

/// Serves connections until accepting one fails, and returns this error.
fn accept_and_serve(listener: &TcpListener, accept: Accept, service: &Service) -> std::io::Error {
    loop {
        match sys::accept(listener, accept) {
            Ok(stream) => {
                if let Err(error) = service.serve(&stream) {
                    eprintln!("sut: a connection ended: {error}");
                }
            }
            Err(error) => return error,
        }
    }
}
