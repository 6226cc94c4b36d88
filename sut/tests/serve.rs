//! The servers, tested by their answers to a client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let address = line
            .trim()
            .strip_prefix("listening ")
            .expect("`listening ADDRESS:PORT`")
            .to_owned();
        Self { child, address }
    }

    fn sut(arguments: &[&str]) -> Self {
        Self::start(Command::new(env!("CARGO_BIN_EXE_sut")).args(arguments))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the server accepts");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Reads one answer and returns its head and the size of its body in bytes.
fn answer(stream: &mut TcpStream) -> (String, usize) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a length");
    let mut body = vec![0; length.trim().parse().expect("a number")];
    stream.read_exact(&mut body).expect("the body");
    (head, body.len())
}

#[test]
fn answers_requests_on_one_connection_by_each_function() {
    for accept in ["accept", "accept4"] {
        for receive in ["read", "recv"] {
            for reads in ["1", "4"] {
                let server = Server::sut(&[
                    "--accept",
                    accept,
                    "--receive",
                    receive,
                    "--reads-per-request",
                    reads,
                    "--response-bytes",
                    "70000",
                ]);
                let mut stream = server.connect();
                for _ in 0..3 {
                    stream
                        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: test\r\n\r\n")
                        .expect("sent");
                    let (head, body_bytes) = answer(&mut stream);
                    assert!(head.starts_with("http/1.1 200 "), "{head}");
                    assert_eq!(body_bytes, 70_000);
                }
            }
        }
    }
}

#[test]
fn the_next_client_is_served_after_the_previous_one_left() {
    let server = Server::sut(&["--work-ns", "1000"]);
    for _ in 0..3 {
        let mut stream = server.connect();
        stream
            .write_all(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
            .expect("sent");
        assert_eq!(answer(&mut stream).1, 16);
    }
}

#[test]
fn a_malformed_request_is_refused() {
    let server = Server::sut(&[]);
    let mut stream = server.connect();
    stream.write_all(b"\x01\x02\x03\r\n\r\n").expect("sent");
    assert!(answer(&mut stream).0.starts_with("http/1.1 400 "));
}

#[test]
fn the_error_of_a_used_port_names_the_address_and_the_fix() {
    let server = Server::sut(&[]);
    let output = Command::new(env!("CARGO_BIN_EXE_sut"))
        .args(["--listen", &server.address])
        .output()
        .expect("it runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        message.contains(&server.address) && message.contains("free port"),
        "{message}"
    );
}

#[test]
fn the_java_application_answers() {
    if Command::new("javac").arg("-version").output().is_err() {
        println!("SKIPPED: java application: javac, a part of the JDK, is not installed");
        return;
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/java/HttpServerApp.java");
    let server = Server::start(Command::new("java").args([source, "0"]));
    let mut stream = server.connect();
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
        let (head, body_bytes) = answer(&mut stream);
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        assert_eq!(body_bytes, 16);
    }
}

#[test]
fn a_tight_loop_makes_a_block_of_calls_for_each_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let payload = folder.path().join("payload");
    // Each block has more bytes than the socket buffers.
    std::fs::write(&payload, [b'x'; 1_000]).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_sut"))
        .args(["--block-calls", "100", "--tight-loop"])
        .arg(&payload)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the loop starts");
    child.stdin.take().expect("piped").write_all(b"\n\n\n").expect("told");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    let (first, blocks) = text.split_once('\n').expect("lines");
    assert!(first.starts_with("listening "), "{first}");
    let blocks: Vec<u64> = blocks.lines().map(|line| line.parse().expect("a number")).collect();
    assert!(
        blocks.len() == 3 && blocks.iter().all(|&elapsed_ns| elapsed_ns > 0),
        "{blocks:?}"
    );
}

#[test]
fn each_request_is_stamped() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stamps");
    let mut bytes = vec![0; usize::try_from(readhook_telemetry::file_len(4)).expect("small")];
    readhook_telemetry::initialise(&mut bytes, 4).expect("laid out");
    std::fs::write(&path, bytes).expect("written");
    let server = Server::sut(&["--work-ns", "1000", "--stamps", path.to_str().expect("text")]);
    let request = b"GET / HTTP/1.1\r\n\r\n";
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(request).expect("sent");
        answer(&mut stream);
    }
    drop(stream);
    // The server answers the next client after it has written the last stamps.
    answer_to_another(&server, request);
    let bytes = std::fs::read(&path).expect("read");
    let view = readhook_telemetry::View::parse(&bytes).expect("laid out");
    let records: Vec<_> = view.records().take(3).collect();
    assert_eq!(records.len(), 3);
    for (record, sequence) in records.iter().zip(0..) {
        assert_eq!((record.sequence, record.bytes), (sequence, 18));
        // The server answers after the work, and works after the call.
        assert!(record.own_ns >= record.real_ns + 1_000, "{record:?}");
    }
    let missing = folder.path().join("missing");
    let output = Command::new(env!("CARGO_BIN_EXE_sut"))
        .arg("--stamps")
        .arg(&missing)
        .output();
    let error = String::from_utf8(output.expect("it ends").stderr).expect("text");
    assert!(error.contains("cannot write stamps to"), "{error}");
}

fn answer_to_another(server: &Server, request: &[u8]) {
    let mut stream = server.connect();
    stream.write_all(request).expect("sent");
    answer(&mut stream);
}
