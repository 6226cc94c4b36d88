//! `runner observe` of a program that receives its requests from elsewhere: the coverage of the hook and the blind spots.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::programs::compiled;
use crate::common::{Desk, signal};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

fn coverage(desk: &Desk, program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(desk.path("bin/runner"));
    command
        .arg("observe")
        .arg("--own-hook")
        .arg(desk.path("hook/libreadhook.so"));
    command.arg("--json").arg("--").arg(program).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn report(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_server_is_covered_until_it_is_asked_to_end() {
    let desk = Desk::new();
    let sut = desk.path("bin/sut");
    let mut child = coverage(&desk, &sut, &["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening ").unwrap();
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        assert!(stream.read(&mut [0; 1000]).unwrap() > 0);
    }
    signal(&child, Signal::SIGTERM);
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (
            &report["sockets_accepted"],
            &report["payload_receives"],
            &report["payload_bytes"]
        ),
        (&json!(3), &json!(3), &json!(3 * request.len()))
    );
    assert_eq!((&report["processes"], &report["not_covered"]), (&json!(1), &json!([])));
}

#[test]
fn static_and_go_programs_are_told_apart() {
    let desk = Desk::new();
    let nothing = "int main(void) { return 0; }";
    let go = "__attribute__((section(\".go.buildinfo\"))) int info = 1; int main(void) { return 0; }";
    for (name, source, flags, reasons) in [
        ("dynamic", nothing, &[][..], &[][..]),
        ("static", nothing, &["-static"], &["static"]),
        ("static-pie", nothing, &["-static-pie"], &["static"]),
        ("go", go, &["-static"], &["static", "go"]),
    ] {
        let file = desk.path(&format!("{name}.c"));
        std::fs::write(&file, source).unwrap();
        let program = compiled(file.to_str().unwrap(), &desk.path(name), flags);
        let report = report(&mut coverage(&desk, &program, &[]));
        let found: Vec<&str> = report["not_covered"]
            .as_array()
            .unwrap()
            .iter()
            .map(|spot| spot["reason"].as_str().unwrap())
            .collect();
        assert_eq!(found, reasons, "{name}");
        assert_eq!(report["processes"], json!(u8::from(reasons.is_empty())), "{name}");
    }
}

#[test]
fn a_program_that_fails_or_is_not_there_is_an_error() {
    let desk = Desk::new();
    let output = coverage(&desk, Path::new("false"), &[]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && text.contains("the program ended with exit status: 1"),
        "{text}"
    );
    let output = coverage(&desk, Path::new("/nowhere/program"), &[]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && text.contains("cannot start /nowhere/program"),
        "{text}"
    );
}
