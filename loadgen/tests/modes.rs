//! Requests, connections, schedules and arrivals, as a plan can have them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Barrier, Mutex};

use crate::servers::{OK, answering, command, plan, request, rows, run, server};
use dataset::{Observation, RequestOutcome};
use serde_json::{Value, json};

fn all_ok(rows: &[Observation]) -> bool {
    rows.iter().all(|row| row.outcome == RequestOutcome::Answered)
}

/// Requests with the numbers of their connections.
type Kept = Arc<Mutex<Vec<(usize, String)>>>;

/// A server that keeps each request's text, with the number of its connection.
fn keeping(answer: &'static [u8], close: bool) -> (std::net::SocketAddr, Kept) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let connections = Arc::new(Mutex::new(0));
    let to = Arc::clone(&kept);
    let address = server(move |mut stream: TcpStream| {
        let number = {
            let mut connections = connections.lock().unwrap();
            *connections += 1;
            *connections
        };
        while let Some(text) = text_of(&stream) {
            to.lock().unwrap().push((number, text));
            if stream.write_all(answer).is_err() || close {
                return;
            }
        }
    });
    (address, kept)
}

/// A request with its body, read byte by byte.
fn text_of(mut stream: &TcpStream) -> Option<String> {
    use std::io::Read as _;
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some(head + str::from_utf8(&body).unwrap())
}

#[test]
fn every_way_to_end_a_response_is_understood() {
    let chunked: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;a=b\r\n yo\r\n0\r\n\r\n";
    let closing: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end";
    for wait in ["sleep", "spin"] {
        let directory = tempfile::tempdir().unwrap();
        let arms = [
            ("length", answering(OK)),
            ("chunked", answering(chunked)),
            ("closing", keeping(closing, true).0),
        ];
        let mut plan = plan(directory.path(), &arms);
        plan["wait"] = wait.into();
        let (output, _) = run(directory.path(), &plan);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rows = rows(directory.path());
        assert!(all_ok(&rows) && rows.len() == 120);
        for row in rows {
            assert_eq!(
                row.bytes as usize,
                [OK.len(), chunked.len(), closing.len()][usize::from(row.arm)]
            );
        }
    }
}

#[test]
fn connections_take_turns_or_are_new_each_time() {
    let directory = tempfile::tempdir().unwrap();
    for (connections, kind, expected) in [(1, "keep-alive", 1), (3, "keep-alive", 3), (1, "new", 41)] {
        let (address, kept) = keeping(OK, false);
        let mut plan = plan(directory.path(), &[("a", address)]);
        plan["connections"] = connections.into();
        plan["connection"] = kind.into();
        let (output, summary) = run(directory.path(), &plan);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rows = rows(directory.path());
        assert!(all_ok(&rows) && rows.len() == 40);
        assert!(
            rows.iter()
                .all(|row| u32::from(row.connection) == row.round % connections)
        );
        let used: BTreeSet<usize> = kept.lock().unwrap().iter().map(|(number, _)| *number).collect();
        // The one that shows that there is a server carries nothing.
        assert_eq!(used.len(), if kind == "new" { expected - 1 } else { expected });
        assert_eq!(summary["reconnections"], 0);
        if kind == "new" {
            assert!(rows.iter().all(|row| row.intended_arrival_ns < row.user_send_ns));
            assert_eq!(rows.iter().filter(|row| row.warm_up).count(), 4);
        }
    }
}

#[test]
fn every_connection_has_a_request_in_progress_in_a_saturated_loop() {
    // The server answers when requests have arrived on four connections.
    let barrier = |_| {
        let all = Arc::new(Barrier::new(4));
        server(move |mut stream: TcpStream| {
            while request(&stream) {
                all.wait();
                if stream.write_all(OK).is_err() {
                    return;
                }
            }
        })
    };
    for wait in ["sleep", "spin"] {
        let directory = tempfile::tempdir().unwrap();
        let [one, other] = [0, 1].map(barrier);
        let mut plan = plan(directory.path(), &[("a", one), ("b", other)]);
        plan["arrivals"] = "saturated".into();
        plan["schedule"] = json!({"runs": 20});
        plan["connections"] = 4.into();
        plan["wait"] = wait.into();
        let (output, summary) = run(directory.path(), &plan);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(summary["rate"], Value::Null);
        let rows = rows(directory.path());
        assert!(all_ok(&rows) && rows.len() == 80);
        // Requests to one arm end before requests to the next arm begin.
        for stay in rows.chunks(20) {
            assert!(stay.iter().all(|row| row.arm == stay[0].arm));
            let used: BTreeSet<u16> = stay.iter().map(|row| row.connection).collect();
            assert_eq!(used.len(), 4);
        }
        for stays in rows.chunks(20).collect::<Vec<_>>().windows(2) {
            let ended = stays[0].iter().map(|row| row.user_receive_ns).max();
            assert!(ended < stays[1].iter().map(|row| row.user_send_ns).min());
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let mut plan = plan(directory.path(), &[("a", answering(OK))]);
    plan["arrivals"] = "saturated".into();
    let (output, _) = run(directory.path(), &plan);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && error.contains("`schedule`: interleaved"),
        "{error}"
    );
}

#[test]
fn threads_share_the_rounds_and_have_connections_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (address, kept) = keeping(OK, false);
    let mut plan = plan(directory.path(), &[("a", address), ("b", answering(OK))]);
    plan["threads"] = 2.into();
    plan["connections"] = 3.into();
    plan["rounds"] = 41.into();
    if cores < 2 {
        println!("SKIPPED: two threads: this machine gives one CPU");
        return;
    }
    for arrivals in [json!("closed"), json!({"constant": 2_000.0})] {
        kept.lock().unwrap().clear();
        plan["arrivals"] = arrivals;
        let (output, summary) = run(directory.path(), &plan);
        // Whether a rate is held depends on the machine; what was to be sent was sent.
        let held = summary["rate"]["held"] != false;
        assert!(
            output.status.success() == held,
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let rows = rows(directory.path());
        assert!(all_ok(&rows) && rows.len() == 82 && summary["rounds"] == 41);
        let all: BTreeSet<(u16, u32)> = rows.iter().map(|row| (row.arm, row.round)).collect();
        let expected: BTreeSet<(u16, u32)> = (0..2).flat_map(|arm| (0..41).map(move |round| (arm, round))).collect();
        assert_eq!(all, expected, "each round once to each arm");
        for row in &rows {
            assert_eq!(
                u32::from(row.connection / 3),
                row.round % 2,
                "a thread's own connections"
            );
            assert_eq!(row.sequence, row.round);
            assert!(row.warm_up || row.round >= 4);
        }
        let used: BTreeSet<usize> = kept.lock().unwrap().iter().map(|(number, _)| *number).collect();
        // In an open loop a connection that is idle is taken again.
        assert!(used.len() == 6 || summary["rate"] != Value::Null);
        assert_eq!(summary["requests_sent"], json!({"a": 41, "b": 41}));
        let check = |name: &str| {
            let checks = summary["checks"].as_array().unwrap();
            checks.iter().find(|check| check["kind"] == name).unwrap().clone()
        };
        if summary["rate"] == Value::Null {
            // The third connection of each thread is first used in rounds 4 and 5.
            assert!(rows.iter().all(|row| row.warm_up == (row.round < 6)));
            assert_eq!(check("littles_law")["limit"], 2.0);
            assert_eq!(check("littles_law")["verdict"], "passed");
        }
    }
}

#[test]
fn more_threads_than_cpus_are_a_clear_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut plan = plan(directory.path(), &[("a", answering(OK))]);
    plan["threads"] = 5_000.into();
    plan["rounds"] = 5_000.into();
    let (output, _) = run(directory.path(), &plan);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && message.contains("`threads`") && message.contains("a CPU for each thread"),
        "{message}"
    );
    assert!(!directory.path().join("out.parquet").exists());
}

#[test]
fn a_share_of_the_rounds_carries_the_keyword_in_its_place() {
    let directory = tempfile::tempdir().unwrap();
    for (position, beginning) in [
        ("path", "GET /?evil HTTP/1.1\r\nHost"),
        (
            "first-header",
            "GET / HTTP/1.1\r\nHost: ADDRESS\r\nX-Keyword: evil\r\nUser-Agent",
        ),
        (
            "last-header",
            "GET / HTTP/1.1\r\nHost: ADDRESS\r\nUser-Agent: test\r\nX-Keyword: evil\r\n\r\n",
        ),
        (
            "body",
            "GET / HTTP/1.1\r\nHost: ADDRESS\r\nUser-Agent: test\r\nContent-Length: 4\r\n\r\nevil",
        ),
    ] {
        let ((a, kept), (b, _)) = (keeping(OK, false), keeping(OK, false));
        let mut plan = plan(directory.path(), &[("a", a), ("b", b)]);
        plan["keyword"] = json!({"word": "evil", "share": 0.3, "position": position});
        plan["rounds"] = 200.into();
        assert!(run(directory.path(), &plan).0.status.success());
        let rows = rows(directory.path());
        assert!(all_ok(&rows));
        let with = |arm: u16| -> BTreeSet<u32> {
            let rows = rows.iter().filter(|row| row.arm == arm && row.request == 1);
            rows.map(|row| row.round).collect()
        };
        assert_eq!(with(0), with(1), "all arms get the same in a round");
        assert!((30..=90).contains(&with(0).len()), "{}", with(0).len());
        let beginning = beginning.replace("ADDRESS", &a.to_string());
        let kept = kept.lock().unwrap();
        for (round, (_, text)) in (0..).zip(kept.iter()) {
            assert_eq!(
                text.starts_with(&beginning),
                with(0).contains(&round),
                "{position} {round}:\n{text}"
            );
        }
    }
}

#[test]
fn a_duet_is_sent_together() {
    for wait in ["sleep", "spin"] {
        let directory = tempfile::tempdir().unwrap();
        let mut plan = plan(
            directory.path(),
            &[("a", answering(OK)), ("b", answering(OK)), ("c", answering(OK))],
        );
        plan["schedule"] = "duet".into();
        plan["wait"] = wait.into();
        let (output, summary) = run(directory.path(), &plan);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rows = rows(directory.path());
        assert!(all_ok(&rows) && rows.len() == 120);
        for round in rows.chunks(3) {
            let last_sent = round.iter().map(|row| row.user_send_ns).max();
            let first_received = round.iter().map(|row| row.user_receive_ns).min();
            assert!(last_sent < first_received, "{round:?}");
            assert!(round.is_sorted_by_key(|row| row.user_send_ns));
        }
        assert!(summary["stamped_share"].as_f64().unwrap() > 0.9, "{summary}");
    }
}

#[test]
fn without_kernel_stamps_there_is_round_trip_time_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut plan = plan(directory.path(), &[("a", answering(OK))]);
    plan["kernel_stamps"] = false.into();
    let (output, summary) = run(directory.path(), &plan);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = rows(directory.path());
    assert!(all_ok(&rows) && rows.iter().all(|row| row.wire_ns().is_none() && row.rtt_ns() > 0));
    let checks = summary["checks"].as_array().unwrap();
    let stamps = checks.iter().find(|check| check["kind"] == "kernel_stamps").unwrap();
    assert_eq!(
        (&stamps["verdict"], &stamps["detail"]),
        (&json!("not_run"), &json!("the plan asks for none"))
    );
}

#[test]
fn runs_stay_with_an_arm() {
    let directory = tempfile::tempdir().unwrap();
    let mut plan = plan(directory.path(), &[("a", answering(OK)), ("b", answering(OK))]);
    plan["schedule"] = json!({"runs": 15});
    assert!(run(directory.path(), &plan).0.status.success());
    let rows = rows(directory.path());
    assert_eq!(rows.len(), 80);
    let mut rest = &rows[..];
    for length in [15, 15, 10] {
        let (block, more) = rest.split_at(2 * length);
        let (first, second) = block.split_at(length);
        assert!(first.iter().all(|row| row.arm == first[0].arm) && second.iter().all(|row| row.arm != first[0].arm));
        assert!(first.iter().zip(second).all(|(one, other)| one.round == other.round));
        rest = more;
    }
    let numbers: BTreeSet<(u16, u32)> = rows.iter().map(|row| (row.arm, row.sequence)).collect();
    assert_eq!(numbers.len(), 80);
}

#[test]
fn an_open_loop_sends_at_its_times() {
    for wait in ["sleep", "spin"] {
        for process in ["constant", "poisson"] {
            let directory = tempfile::tempdir().unwrap();
            let mut plan = plan(directory.path(), &[("a", answering(OK)), ("b", answering(OK))]);
            plan["arrivals"] = json!({ process: 2000.0 });
            plan["connections"] = 4.into();
            plan["wait"] = wait.into();
            let (_, summary) = run(directory.path(), &plan);
            let mut rows = rows(directory.path());
            assert!(all_ok(&rows) && rows.len() == 80, "{summary}");
            assert!(
                rows.iter()
                    .all(|row| row.user_send_ns >= row.intended_arrival_ns && row.connection < 4)
            );
            rows.sort_by_key(|row| row.intended_arrival_ns);
            let gaps: Vec<i64> = rows
                .windows(2)
                .map(|pair| pair[1].intended_arrival_ns - pair[0].intended_arrival_ns)
                .collect();
            let mean = gaps.iter().sum::<i64>() as f64 / gaps.len() as f64;
            let rate = &summary["rate"];
            assert_eq!(
                (rate["requested_per_s"].as_f64(), summary["littles_law"].is_f64()),
                (Some(2000.0), true)
            );
            assert!(rate["reached_per_s"].as_f64().unwrap() > 0.0, "{summary}");
            match process {
                "constant" => assert!(gaps.iter().all(|gap| (499_999..=500_001).contains(gap)), "{gaps:?}"),
                _ => assert!(
                    (350_000.0..700_000.0).contains(&mean) && gaps.iter().max() > gaps.iter().min(),
                    "{mean}"
                ),
            }
        }
    }
}

#[test]
fn a_rate_that_cannot_be_held_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let slow = server(|mut stream| {
        while request(&stream) {
            std::thread::sleep(std::time::Duration::from_millis(20));
            if stream.write_all(OK).is_err() {
                return;
            }
        }
    });
    let mut plan = plan(directory.path(), &[("slow", slow)]);
    plan["arrivals"] = json!({"constant": 1000.0});
    let (output, summary) = run(directory.path(), &plan);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        message.contains("requests 1000 requests per second, but only"),
        "{message}"
    );
    let reached = summary["rate"]["reached_per_s"].as_f64().unwrap();
    assert!(reached > 0.0 && reached <= 50.5, "{summary}");
    // What waited is not forgotten: it counts from the time at which it was to be sent.
    let rows = rows(directory.path());
    let last = rows.last().unwrap();
    assert!(last.user_send_ns - last.intended_arrival_ns > 100_000_000, "{last:?}");
    assert!(summary["rate"]["late_sends"].as_u64() > Some(30), "{summary}");
}

#[test]
fn every_check_is_there_and_strict_makes_a_failed_one_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let verdicts = |summary: &Value| -> Vec<(String, String)> {
        let checks = summary["checks"].as_array().unwrap().iter();
        checks
            .map(|check| [&check["kind"], &check["verdict"]].map(|text| text.as_str().unwrap().to_owned()))
            .map(|[name, verdict]| (name, verdict))
            .collect()
    };
    let plan = plan(directory.path(), &[("a", answering(OK))]);
    let (_, summary) = run(directory.path(), &plan);
    let found = verdicts(&summary);
    for name in [
        "littles_law",
        "clock_resolution",
        "stamp_cost",
        "clock_change",
        "kernel_stamps",
        "late_sends",
        "late_wake_ups",
        "cpu_steal",
        "cpu_wait",
        "migrations",
    ] {
        assert!(found.iter().any(|(known, _)| known == name), "{name}: {found:?}");
    }
    assert!(
        found.contains(&("late_sends".to_owned(), "not_run".to_owned())),
        "{found:?}"
    );
    // An open loop whose every send is late: far more at a time than one connection carries.
    let mut late = plan;
    late["arrivals"] = json!({"constant": 1_000_000.0});
    let mut command = command(directory.path(), &late);
    let output = command.output().unwrap();
    let lax: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        verdicts(&lax).contains(&("late_sends".to_owned(), "failed".to_owned())),
        "{lax}"
    );
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("check failed: late sends"), "{message}");
    assert!(!command.arg("--strict").output().unwrap().status.success());
}
