//! `loadgen run` against small servers of the test's own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::servers::{OK, answering, command, plan, request, rows, run, server};
use dataset::{Observation, RequestOutcome};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::Pid;
use serde_json::{Value, json};

fn count(rows: &[Observation], arm: u16, status: RequestOutcome) -> usize {
    rows.iter()
        .filter(|row| row.arm == arm && row.outcome == status)
        .count()
}

#[test]
fn every_request_becomes_a_row_by_either_wait() {
    for wait in ["sleep", "spin"] {
        let directory = tempfile::tempdir().expect("a folder");
        let mut plan = plan(
            directory.path(),
            &[("a", answering(OK)), ("b", answering(OK)), ("c", answering(OK))],
        );
        plan["wait"] = wait.into();
        let (output, summary) = run(directory.path(), &plan);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rows = rows(directory.path());
        assert_eq!(rows.len(), 40 * 3);
        for (number, round) in (0..).zip(rows.chunks(3)) {
            let mut arms: Vec<u16> = round.iter().map(|row| row.arm).collect();
            arms.sort_unstable();
            assert_eq!(arms, [0, 1, 2]);
            for (position, row) in (0..).zip(round) {
                assert_eq!((row.round, row.sequence, row.position), (number, number, position));
                assert_eq!(
                    (row.outcome, row.http_status, row.bytes),
                    (RequestOutcome::Answered, 200, OK.len() as u32)
                );
                assert_eq!(row.warm_up, number < 4);
                assert!(row.rtt_ns() > 0 && row.intended_arrival_ns == row.user_send_ns);
                // What the kernel saw lies within what the program saw.
                assert!(
                    row.wire_ns()
                        .is_none_or(|wire_ns| wire_ns > 0 && wire_ns <= row.rtt_ns()),
                    "{row:?}"
                );
            }
        }
        let usable: Vec<_> = rows.iter().filter(|row| !row.warm_up).collect();
        let stamped = usable.iter().filter(|row| row.wire_ns().is_some()).count();
        let share = summary["stamped_share"].as_f64().expect("a share");
        assert!((share - stamped as f64 / usable.len() as f64).abs() < 1e-9);
        assert!(share > 0.9, "this kernel has software stamps: {summary}");
        assert_eq!(summary["observations"], 120);
        assert_eq!(summary["requests_sent"], json!({"a": 40, "b": 40, "c": 40}));
        assert_eq!(summary["finished"], true);
        assert!(
            summary["littles_law"]
                .as_f64()
                .is_some_and(|load| load > 0.0 && load <= 1.0),
            "{summary}"
        );
    }
}

#[test]
fn the_sequential_schedule_records_arm_after_arm() {
    let directory = tempfile::tempdir().expect("a folder");
    let mut plan = plan(directory.path(), &[("a", answering(OK)), ("b", answering(OK))]);
    plan["schedule"] = "sequential".into();
    assert!(run(directory.path(), &plan).0.status.success());
    let rows = rows(directory.path());
    assert!(rows[..40].iter().all(|row| row.arm == 0) && rows[40..].iter().all(|row| row.arm == 1));
    assert_eq!(rows.iter().filter(|row| row.warm_up).count(), 8);
}

#[test]
fn failures_are_rows_with_a_status_and_fail_the_run_beyond_the_share() {
    let directory = tempfile::tempdir().expect("a folder");
    // Both end each connection at its third request.
    let closes = server(|mut stream| {
        for _ in 0..2 {
            if !request(&stream) || stream.write_all(OK).is_err() {
                return;
            }
        }
        request(&stream);
    });
    let resets = server(|mut stream| {
        // Without a time to linger, the kernel resets the connection.
        let no_time = nix::libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        setsockopt(&stream, sockopt::Linger, &no_time).expect("an open socket");
        for _ in 0..2 {
            if !request(&stream) || stream.write_all(OK).is_err() {
                return;
            }
        }
        request(&stream);
    });
    let arms = [
        ("good", answering(OK)),
        ("error", answering(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")),
        ("malformed", answering(b"SSH-2.0-OpenSSH\r\n\r\n")),
        ("closes", closes),
        ("surplus", answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhi")),
        (
            "chunked",
            answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n\r\n"),
        ),
        ("resets", resets),
    ];
    let mut plan = plan(directory.path(), &arms);
    plan["rounds"] = 30.into();
    plan["max_error_share"] = 1.0.into();
    let (output, summary) = run(directory.path(), &plan);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = rows(directory.path());
    assert_eq!(rows.len(), 30 * arms.len());
    assert_eq!(count(&rows, 0, RequestOutcome::Answered), 30);
    assert_eq!(count(&rows, 1, RequestOutcome::WrongStatus), 30);
    assert!(rows.iter().filter(|row| row.arm == 1).all(|row| row.http_status == 500));
    assert_eq!(count(&rows, 2, RequestOutcome::Invalid), 30);
    for (arm, end) in [(3, RequestOutcome::Closed), (6, RequestOutcome::Reset)] {
        assert_eq!(count(&rows, arm, RequestOutcome::Answered), 20);
        assert_eq!(count(&rows, arm, end), 10);
    }
    assert_eq!(count(&rows, 4, RequestOutcome::Invalid), 30);
    assert_eq!(count(&rows, 5, RequestOutcome::Invalid), 30);
    assert_eq!(
        summary["errors"],
        json!({"wrong_status": 30, "invalid": 90, "closed": 10, "reset": 10})
    );
    // The first request of each connection that was made again is not for estimates.
    let mut of_closes: Vec<_> = rows.iter().filter(|row| row.arm == 3).collect();
    of_closes.sort_by_key(|row| row.sequence);
    for pair in of_closes
        .windows(2)
        .filter(|pair| pair[0].outcome == RequestOutcome::Closed)
    {
        assert!(pair[1].warm_up);
    }

    plan["max_error_share"] = 0.1.into();
    let (output, summary) = run(directory.path(), &plan);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(summary["finished"], false, "it stops when the share cannot be kept");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("max_error_share") && message.contains("chunked"),
        "{message}"
    );
    assert!(directory.path().join("out.parquet").exists());
}

#[test]
fn a_silent_server_is_a_timeout_by_either_wait() {
    for wait in ["sleep", "spin"] {
        let directory = tempfile::tempdir().expect("a folder");
        let silent = server(|stream| while request(&stream) {});
        let mut plan = plan(directory.path(), &[("silent", silent)]);
        plan["wait"] = wait.into();
        plan["rounds"] = 3.into();
        plan["warm_up_rounds"] = 0.into();
        plan["timeout_ms"] = 20.into();
        plan["max_error_share"] = 1.0.into();
        assert!(run(directory.path(), &plan).0.status.success());
        assert_eq!(count(&rows(directory.path()), 0, RequestOutcome::TimedOut), 3);
    }
}

#[test]
fn a_server_that_goes_away_is_refused_from_then_on() {
    let directory = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        drop(listener);
        assert!(request(&stream));
        stream.write_all(OK).expect("sent");
        request(&stream);
    });
    let mut plan = plan(directory.path(), &[("a", address)]);
    plan["max_error_share"] = 1.0.into();
    let (output, summary) = run(directory.path(), &plan);
    assert!(output.status.success());
    let rows = rows(directory.path());
    assert_eq!(count(&rows, 0, RequestOutcome::Answered), 1);
    assert_eq!(count(&rows, 0, RequestOutcome::Closed), 1);
    assert_eq!(count(&rows, 0, RequestOutcome::Refused), 38);
    assert_eq!(summary["requests_sent"], json!({"a": 2}));
}

#[test]
fn nothing_is_left_when_an_arm_refuses_at_the_start() {
    let directory = tempfile::tempdir().expect("a folder");
    let closed = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    let plan = plan(directory.path(), &[("there", answering(OK)), ("absent", closed)]);
    let (output, _) = run(directory.path(), &plan);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("`absent`") && message.contains("start its server first"),
        "{message}"
    );
    let left: Vec<_> = std::fs::read_dir(directory.path())
        .expect("a folder")
        .flatten()
        .collect();
    assert_eq!(left.len(), 1, "only the plan: {left:?}");
}

#[test]
fn an_impossible_cpu_is_a_clear_error() {
    let directory = tempfile::tempdir().expect("a folder");
    let mut plan = plan(directory.path(), &[("a", answering(OK))]);
    plan["cpu"] = 4000.into();
    let (output, _) = run(directory.path(), &plan);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && message.contains("`cpu`") && message.contains("4000"),
        "{message}"
    );
}

#[test]
fn sigint_leaves_a_complete_file_and_exit_130() {
    static RELEASED: AtomicBool = AtomicBool::new(false);
    let directory = tempfile::tempdir().expect("a folder");
    let (reached, wait_for_round) = mpsc::channel();
    let address = server(move |mut stream| {
        let mut answered = 0;
        while request(&stream) {
            answered += 1;
            if answered == 10 {
                reached.send(()).expect("the test waits");
                while !RELEASED.load(Ordering::Acquire) {
                    thread::yield_now();
                }
            }
            if stream.write_all(OK).is_err() {
                return;
            }
        }
    });
    let mut plan = plan(directory.path(), &[("a", address)]);
    plan["rounds"] = 4_000_000_000_u64.into();
    let mut child = command(directory.path(), &plan)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    wait_for_round.recv().expect("the tenth request");
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    RELEASED.store(true, Ordering::Release);
    let mut text = String::new();
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut text)
        .expect("a summary");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let summary: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(summary["finished"], false);
    assert_eq!(
        summary["observations"].as_u64(),
        Some(rows(directory.path()).len() as u64)
    );
}
