//! Small servers, and the load generator as a command.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use dataset::{Observation, ObservationReader};
use serde_json::{Value, json};

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// A server that hands each connection to `serve`.
pub(crate) fn server(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Reads one request; false when the client has gone.
pub(crate) fn request(stream: &TcpStream) -> bool {
    let mut lines = BufReader::with_capacity(1, stream).lines();
    loop {
        match lines.next() {
            Some(Ok(line)) if line.is_empty() => return true,
            Some(Ok(_)) => {}
            _ => return false,
        }
    }
}

pub(crate) fn answering(answer: &'static [u8]) -> SocketAddr {
    server(move |mut stream| while request(&stream) && stream.write_all(answer).is_ok() {})
}

pub(crate) fn plan(directory: &Path, arms: &[(&str, SocketAddr)]) -> Value {
    let arms: Vec<Value> = arms
        .iter()
        .map(|(arm, address)| json!({"arm": arm, "address": address}))
        .collect();
    json!({
        "condition": "loopback", "launch": 3, "arms": arms,
        "request": {"method": "GET", "path": "/", "headers": [["User-Agent", "test"]], "body": ""},
        "schedule": "interleaved", "rounds": 40, "warm_up_rounds": 4, "segment_rounds": 10,
        "wait": "sleep", "cpu": null, "seed": 1, "timeout_ms": 10_000, "max_error_share": 0.0,
        "output": directory.join("out.parquet"),
    })
}

pub(crate) fn command(directory: &Path, plan: &Value) -> Command {
    let path = directory.join("plan.json");
    std::fs::write(&path, plan.to_string()).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.arg("run").arg("--plan").arg(path);
    command
}

pub(crate) fn run(directory: &Path, plan: &Value) -> (Output, Value) {
    let output = command(directory, plan).output().expect("it runs");
    let summary = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, summary)
}

pub(crate) fn rows(directory: &Path) -> Vec<Observation> {
    let reader = ObservationReader::open(&directory.join("out.parquet")).expect("a readable file");
    let mut rows = Vec::new();
    reader.for_each(|row| rows.push(*row)).expect("readable rows");
    assert_eq!(reader.rows(), rows.len() as u64);
    rows
}
