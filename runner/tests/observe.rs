//! `runner observe`: the functions and the system calls by which the ready servers receive.

use std::path::Path;
use std::process::Command;

use crate::common::programs::{compiled, hook, is_there};
use crate::common::{Desk, failure};
use serde_json::{Value, json};

fn observe(desk: &Desk) -> Command {
    let mut command = desk.runner();
    command
        .args(["observe", "--own-hook"])
        .arg(desk.path("hook/libreadhook.so"));
    command
}

fn observed(desk: &Desk, arguments: &[&str]) -> Value {
    let output = observe(desk).arg("--json").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn names(map: &Value) -> Vec<&str> {
    map.as_object().unwrap().keys().map(String::as_str).collect()
}

fn bytes(received: &Value) -> u64 {
    let all = received.as_object().unwrap().values();
    all.map(|carried| carried["bytes"].as_u64().unwrap()).sum()
}

#[test]
fn the_ready_servers_receive_by_functions_that_are_known() {
    let desk = Desk::new();
    let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sut/macro");
    let traced = is_there("strace");
    if !traced {
        println!("SKIPPED: system calls of the ready servers: strace is not installed");
    }
    for (name, program, accept, receive) in [
        ("nginx", "nginx", "accept4", "recv"),
        ("redis", "redis-server", "accept4", "read"),
        ("node", "node", "accept4", "read"),
        ("python", "python3", "accept4", "recv"),
        ("java", "java", "accept", "read"),
        ("tomcat", "java", "accept", "read"),
    ] {
        if !is_there(program) {
            println!("SKIPPED: by what {name} receives: {program} is not installed");
            continue;
        }
        if name == "tomcat" && !Path::new("/usr/share/java/tomcat10-embed-core.jar").exists() {
            println!("SKIPPED: by what tomcat receives: libtomcat10-embed-java is not installed");
            continue;
        }
        let report = observed(
            &desk,
            &["--server", servers.join(format!("{name}.toml")).to_str().unwrap()],
        );
        let libc = &report["libc"];
        assert_eq!(libc["fault"], Value::Null, "{name}");
        assert_eq!(
            (names(&libc["accepts"]), names(&libc["received"])),
            (vec![accept], vec![receive]),
            "{name}"
        );
        assert_eq!(bytes(&libc["received"]), libc["sent_bytes"].as_u64().unwrap(), "{name}");
        assert_eq!(report["agreement"], "all", "{name}: {report}");
        if traced {
            let kernel = &report["system_calls"];
            assert_eq!(
                bytes(&kernel["received"]),
                kernel["sent_bytes"].as_u64().unwrap(),
                "{name}: {kernel}"
            );
            assert!(
                bytes(&kernel["sent"]) > 0 && !names(&kernel["accepts"]).is_empty(),
                "{name}: {kernel}"
            );
        }
    }
}

#[test]
fn a_static_server_is_seen_by_the_kernel_only() {
    let desk = Desk::new();
    let server = compiled("server.c", &desk.path("server"), &["-static"]);
    if !is_there("strace") {
        println!("SKIPPED: system calls of a static server: strace is not installed");
        // Then nobody sees anything.
        let said = failure(observe(&desk).arg("--").arg(server).arg("{port}"));
        assert!(said.contains("statically linked, nothing is preloaded"), "{said}");
        return;
    }
    let report = observed(&desk, &["--", server.to_str().unwrap(), "{port}"]);
    assert_eq!(report["libc"]["fault"]["kind"], "not-loaded");
    assert_eq!(report["agreement"], "nothing");
    assert_eq!(names(&report["system_calls"]["received"]), ["read"]);
    let kernel = &report["system_calls"];
    assert_eq!(bytes(&kernel["received"]), kernel["sent_bytes"].as_u64().unwrap());
}

#[test]
fn a_hook_sees_what_it_replaces() {
    let desk = Desk::new();
    let server = compiled("server.c", &desk.path("server"), &[]);
    let nothing = hook(&desk.path("hook"), "nothing", "-DNOTHING");
    let source = desk.path("accepts.c");
    std::fs::write(
        &source,
        "int accept(int fd, void *a, void *b) { (void)fd, (void)a, (void)b; return -1; }",
    )
    .unwrap();
    let other = compiled(
        source.to_str().unwrap(),
        &desk.path("accepts.so"),
        &["-shared", "-fPIC"],
    );
    let (nothing, other) = (nothing.to_str().unwrap(), other.to_str().unwrap());
    let report = observed(
        &desk,
        &[
            "--hook",
            nothing,
            "--hook",
            other,
            "--",
            server.to_str().unwrap(),
            "{port}",
        ],
    );
    let verdict = |index: usize| {
        let seen = &report["hooks"][index];
        (&seen["sees_accept"], &seen["sees_payload"], &seen["missing"])
    };
    assert_eq!(verdict(0), (&json!(true), &json!(true), &json!([])));
    assert_eq!(verdict(1), (&json!(true), &json!(false), &json!(["read"])));
}

#[test]
fn several_servers_are_observed_into_one_file() {
    let desk = Desk::new();
    let missing = desk.path("missing.toml");
    let text = "name = \"missing\"\ndebian = \"some-package\"\nnixpkgs = \"some\"\n\n[request]\nmethod = \"GET\"\npath = \"/\"\n\
                headers = []\nbody = \"\"\n\n[server]\ncommand = [\"no-such-program\", \"{port}\"]\n";
    std::fs::write(&missing, text).unwrap();
    let mut command = observe(&desk);
    command
        .arg("--servers")
        .arg(&missing)
        .arg("--out")
        .arg(desk.path("seen"));
    crate::common::success(&mut command);
    let observed = dataset::ObservedServers::read(&desk.path("seen")).unwrap();
    assert_eq!(
        (observed.experiment.as_str(), observed.condition.as_str()),
        ("r07", "local-pod")
    );
    let absent = observed.not_found.iter().find(|one| one.server == "missing").unwrap();
    assert!(absent.reason.contains("no-such-program is not installed") && absent.fix.contains("some-package"));
    let share = |name: &str| {
        let row = observed.servers.iter().find(|row| row.server == name).unwrap();
        (row.accept_and_read_share, row.own_share)
    };
    assert_eq!(share("synthetic, accept and read"), (1.0, 1.0));
    for style in ["accept and recv", "accept4 and read", "accept4 and recv"] {
        assert_eq!(share(&format!("synthetic, {style}")), (0.0, 1.0), "{style}");
    }
    match observed.servers.iter().find(|row| row.server == "static, in C") {
        Some(row) => {
            assert_eq!(
                (row.accept_and_read_share, row.own_share, row.libc.is_none()),
                (0.0, 0.0, true)
            );
            assert!(
                row.reasons.iter().any(|reason| reason.contains("statically linked")),
                "{:?}",
                row.reasons
            );
            assert!(
                !row.reasons.iter().any(|reason| reason.contains("/tmp/")),
                "{:?}",
                row.reasons
            );
        }
        None => assert!(!is_there("cc") || !is_there("strace"), "{:?}", observed.not_found),
    }
}
