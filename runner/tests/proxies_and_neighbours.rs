//! Proxies, neighbours and the address of a service.

use std::fs;

use crate::common::programs::is_there;
use crate::common::{Desk, failure, file, has_namespaces, once, samples, success, warnings, with_server};
use dataset::{Run, read_hook_calls};
use model::{LaunchRecord, Measure, ResourceSubject};

/// Returns the small experiment with one launch, one condition, and `more` before its arms.
fn around(condition: &str, more: &str) -> String {
    let text = once().replace("[\"local-pod\", \"local-bridge\"]", &format!("[{condition:?}]"));
    text.replacen("[[arm]]", &format!("{more}\n[[arm]]"), 1)
}

/// Returns the table of a proxy with this key and file.
fn proxy_table(key: &str, path: &str) -> String {
    format!("[[proxy]]\n{key} = {:?}\n", file(path))
}

fn proxy(name: &str) -> String {
    proxy_table("file", &format!("clusters/proxies/{name}.toml"))
}

/// Checks that a launch has no warnings except those that a busy machine can cause: failed checks of the load generator, and
/// servers that waited for a CPU.
fn assert_sound(launch: &LaunchRecord) {
    let of_the_machine = |warning: &String| {
        ["check failed: ", "the servers waited for a CPU"]
            .iter()
            .any(|start| warning.starts_with(start))
    };
    assert!(warnings(launch).iter().all(of_the_machine), "{:?}", warnings(launch));
    assert!(launch.valid || !warnings(launch).is_empty());
}

/// Prints that the test is skipped and returns true if one of these programs is not installed.
fn missing(test: &str, programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| !is_there(program));
    if let Some(program) = missing {
        println!("SKIPPED: {test}: {program} is not installed");
    }
    missing.is_some()
}

/// Measures through proxies, and checks that every request reached the server and its hook.
fn measured_through(condition: &str, proxies: &[String]) {
    let desk = Desk::new();
    let text = around(condition, &proxies.concat()).replace("threads = 1", "threads = 1\nstamps = true");
    success(&mut desk.run(&text));
    let (run, launch) = desk.only_launch();
    assert_sound(&launch);
    for arm in &launch.arms {
        assert_eq!(arm.requests_sent, 60);
        // The load generator connects to proxy 0.
        let port: u16 = arm.address.rsplit(':').next().unwrap().parse().unwrap();
        assert!((18_003..18_006).contains(&port), "{}", arm.address);
        assert_eq!(arm.server.unwrap().records, 50);
        let hooked = arm.treatment != "unmodified";
        // The hook also counts the request that the readiness check sent.
        let receives = arm.coverage.as_ref().map(|coverage| coverage.payload_receives);
        assert_eq!(receives.is_some_and(|receives| receives > 60), hooked, "{receives:?}");
    }
    let calls = read_hook_calls(&run.directory.join(launch.files.hook_calls.as_ref().unwrap())).unwrap();
    assert!(calls.iter().zip(0..).all(|((_, call), number)| call.sequence == number));
    assert_eq!(calls.len(), 60);
    assert_eq!(launch.arms[2].telemetry.unwrap().records, 50);
    // The recorded plan needs no file.
    assert!(!format!("{:?}", run.manifest.plan.unwrap().proxies).contains("clusters/proxies"));
}

#[test]
fn requests_pass_proxies_and_a_relay() {
    if missing("proxies", &["nginx", "haproxy"]) {
        return;
    }
    let relay = proxy_table("relay", "experiments/jitter/eks-nodes.toml");
    measured_through("local-pod", &[proxy("nginx"), proxy("haproxy"), relay]);
}

#[test]
fn requests_pass_envoy() {
    if missing("proxy of a mesh", &["envoy"]) {
        return;
    }
    measured_through("local-pod", &[proxy("envoy")]);
}

#[test]
fn requests_pass_a_mesh_with_tls_on_a_bridge() {
    if missing("mesh", &["nginx", "openssl"]) {
        return;
    }
    if !has_namespaces(&Desk::new()) {
        println!("SKIPPED: mesh: no network namespaces can be made here");
        return;
    }
    measured_through("local-bridge", &[proxy("nginx-to-tls"), proxy("nginx-from-tls")]);
}

#[test]
fn proxies_stand_beside_a_server_in_its_own_namespace() {
    if missing("proxy beside a server", &["nginx", "haproxy"]) {
        return;
    }
    let desk = Desk::new();
    let text = with_server(&around("local-pod", &proxy("haproxy")), "nginx");
    success(&mut desk.run(&text));
    let (_, launch) = desk.only_launch();
    assert_sound(&launch);
}

#[test]
fn a_proxy_that_is_not_installed_is_an_error_and_in_the_manifest() {
    let desk = Desk::new();
    let file = desk.path("proxy.toml");
    let text = "name = \"none\"\nneeds = [\"no-such-proxy\"]\ndebian = \"such\"\nnixpkgs = \"such\"\n\
                [server]\ncommand = [\"no-such-proxy\", \"{port}\", \"{upstream}\"]\n";
    fs::write(&file, text).unwrap();
    let error = failure(&mut desk.run(&around("local-pod", &format!("[[proxy]]\nfile = {file:?}\n"))));
    let reason = "proxy none: no-such-proxy is not installed; Debian has it in the package such";
    assert!(error.contains(reason), "{error}");
    let run = Run::open(&desk.path("run")).unwrap();
    let not_run = run.manifest.conditions[0].not_run.as_ref().unwrap();
    assert!(
        not_run.contains(reason) && run.manifest.launches.is_empty(),
        "{not_run}"
    );
}

#[test]
fn a_proxy_that_does_not_start_is_an_error_with_its_output() {
    let desk = Desk::new();
    let file = desk.path("proxy.toml");
    let text = "name = \"dumb\"\nneeds = [\"sh\"]\ndebian = \"dash\"\nnixpkgs = \"dash\"\n\
                [server]\ncommand = [\"sh\", \"-c\", \"echo none at {port} before {upstream}; exit 3\"]\n";
    fs::write(&file, text).unwrap();
    let error = failure(&mut desk.run(&around("local-pod", &format!("[[proxy]]\nfile = {file:?}\n"))));
    assert!(error.contains("proxy dumb"), "{error}");
    let said = error.lines().find_map(|line| line.trim().strip_prefix("none at "));
    let (port, upstream) = said.unwrap().split_once(" before 127.0.0.1:").unwrap();
    let ports = [port, upstream].map(|port| port.parse::<u16>().unwrap());
    assert!(ports.iter().all(|port| (18_000..32_768).contains(port)), "{error}");
    assert!(!desk.path("run/manifest.json").exists());
}

#[test]
fn a_neighbour_works_during_a_launch_and_ends_with_it() {
    let desk = Desk::new();
    // With a process that it has forked.
    let neighbour = "[neighbour]\ncommand = [\"sh\", \"-c\", \"while :; do :; done & while :; do :; done\"]\n";
    success(&mut desk.run(&around("local-pod", neighbour)));
    let (run, launch) = desk.only_launch();
    assert_sound(&launch);
    let cpu_ns: Vec<_> = samples(&run, &launch)
        .iter()
        .filter(|sample| sample.subject == ResourceSubject::Neighbour)
        .map(|sample| sample.usage[Measure::CpuNs])
        .collect();
    if cpu_ns.is_empty() {
        println!("SKIPPED: what a neighbour takes: it has no control group here");
        return;
    }
    // It ran before the first request.
    assert!(cpu_ns.iter().all(|&cpu_ns| cpu_ns > Some(0)), "{cpu_ns:?}");
}

#[test]
fn a_neighbour_that_hits_its_own_limit_does_not_invalidate_the_launch() {
    let desk = Desk::new();
    let neighbour = "[neighbour]\ncommand = [\"sh\", \"-c\", \"while :; do :; done\"]\n\
                     cpus = \"all\"\nlimits = { quota_cores = 0.05 }\n";
    success(&mut desk.run(&around("local-pod", neighbour).replace("rounds = 60", "rounds = 3_000")));
    let (run, launch) = desk.only_launch();
    if let Some(missing) = &run.manifest.conditions[0].missing {
        println!("SKIPPED: a neighbour's limits: {missing}");
        return;
    }
    assert_sound(&launch);
    assert_eq!(launch.limit_hits, Some(Vec::new()));
}

#[test]
fn a_neighbour_that_ends_makes_a_launch_invalid() {
    let desk = Desk::new();
    let neighbour = "[neighbour]\ncommand = [\"sh\", \"-c\", \"echo tired; exit 3\"]\ncpus = \"loadgen\"\n";
    let text = around("local-pod", neighbour).replace("rounds = 60", "rounds = 3_000");
    success(&mut desk.run(&text));
    let (_, launch) = desk.only_launch();
    let told = |warning: &String| warning.contains("the neighbour did not work") && warning.contains("tired");
    assert!(
        !launch.valid && warnings(&launch).iter().any(told),
        "{:?}",
        warnings(&launch)
    );
    let desk = Desk::new();
    let error = failure(&mut desk.run(&around("local-pod", "[neighbour]\ncommand = [\"no-such-stress\"]\n")));
    assert!(error.contains("neighbour: no-such-stress is not installed"), "{error}");
}

#[test]
fn a_service_is_reached_by_its_own_address() {
    let desk = Desk::new();
    let text = around("local-service", "");
    let output = desk.run(&text).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("no condition is available on this machine") {
        println!("SKIPPED: local-service: {error}");
        return;
    }
    assert!(output.status.success(), "{error}");
    let (_, launch) = desk.only_launch();
    assert_sound(&launch);
    assert!(launch.arms.iter().all(|arm| arm.address.starts_with("10.96.0.10:18")));
}

#[test]
fn every_schedule_works_with_five_arms_a_relay_and_a_neighbour() {
    let more = "[[arm]]\nname = \"control\"\ntreatment = \"unmodified\"\n\n\
                [[arm]]\nname = \"delay-0\"\ntreatment = \"delay\"\ndelay_ns = 0\n\n[[contrast]]";
    let around = around(
        "local-pod",
        &format!(
            "{}[neighbour]\ncommand = [\"sh\", \"-c\", \"while :; do :; done\"]\n",
            proxy_table("relay", "experiments/jitter/eks-nodes.toml")
        ),
    );
    for schedule in ["sequential", "duet", "interleaved"] {
        let desk = Desk::new();
        let text = around.replace("\"interleaved\"", &format!("{schedule:?}"));
        success(&mut desk.run(&text.replacen("[[contrast]]", more, 1)));
        let (_, launch) = desk.only_launch();
        assert_sound(&launch);
        assert_eq!(launch.arms.len(), 5);
        assert!(launch.arms.iter().all(|arm| arm.requests_sent == 60), "{schedule}");
    }
}
