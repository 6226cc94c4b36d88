//! Other programs than ours in real containers: servers that people run, what stands before them, what works beside them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::common::engine::{engine, everything, run};
use crate::common::programs::{hook, is_there};
use crate::common::{Desk, SMALL, failure, file, success, warnings, with_server};
use dataset::{read_hook_calls, read_resources, read_tight_loops};
use model::{Measure, ResourceSubject};

/// The small experiment, once, with `more` in front of its `[sut]`.
fn once(more: &str) -> String {
    let text = SMALL.replace("launches = 2", "launches = 1");
    text.replacen("[sut]", &format!("{more}\n[sut]"), 1)
}

/// The same with a server of `sut/macro`, and a request that it understands.
fn serving(name: &str) -> String {
    let text = with_server(&once(""), name);
    if name == "redis" {
        let (before, after) = text.split_once("[request]").unwrap();
        let after = &after[after.find("[sut]").unwrap()..];
        return format!("{before}[request]\nredis = [\"ECHO\", \"hello\"]\n\n{after}");
    }
    text
}

#[test]
fn servers_that_people_run_are_measured_in_containers() {
    let Some((_guard, before)) = engine("servers") else {
        return;
    };
    for (name, program) in [
        ("nginx", "nginx"),
        ("redis", "redis-server"),
        ("python", "python3"),
        ("node", "node"),
        ("tomcat", "java"),
    ] {
        let jar = Path::new("/usr/share/java/tomcat10-embed-core.jar");
        if !is_there(program) || name == "tomcat" && !jar.exists() {
            println!("SKIPPED: {name} in containers: it is not installed");
            continue;
        }
        let desk = Desk::new();
        success(&mut run(&desk, &serving(name)));
        assert_eq!(everything(), before, "{name}");
        let (_, launch) = desk.only_launch();
        for arm in &launch.arms {
            let hooked = arm.treatment != "unmodified";
            let receives = arm.coverage.as_ref().map(|coverage| coverage.payload_receives);
            assert_eq!(
                receives.is_some_and(|receives| receives >= 60),
                hooked,
                "{name}: {receives:?}"
            );
            assert_eq!((arm.requests_sent, arm.hook_mapped), (60, hooked.then_some(true)));
        }
    }
}

#[test]
fn requests_pass_hops_in_containers_beside_a_neighbour_and_loops_follow() {
    let Some((_guard, before)) = engine("proxies, a neighbour, loops") else {
        return;
    };
    let mut proxies = format!("[[proxy]]\nrelay = {:?}\n", file("experiments/jitter/eks-nodes.toml"));
    for (proxy, program) in [
        ("haproxy", "haproxy"),
        ("nginx-to-tls", "nginx"),
        ("nginx-from-tls", "openssl"),
    ] {
        if is_there(program) && is_there("nginx") {
            let path = file(&format!("clusters/proxies/{proxy}.toml"));
            proxies += &format!("[[proxy]]\nfile = {path:?}\n");
        } else {
            println!("SKIPPED: {proxy} in containers: {program} or nginx is not installed");
        }
    }
    let desk = Desk::new();
    let neighbour = "[neighbour]\ncommand = [\"dd\", \"if=/dev/zero\", \"of=/dev/null\"]\n\
                     cpus = \"all\"\nlimits = { quota_cores = 0.1 }\n";
    let micro = "[micro]\ncalls = 2_000\n";
    success(&mut run(&desk, &once(&format!("{proxies}{neighbour}{micro}"))));
    assert_eq!(everything(), before);
    let (run, launch) = desk.only_launch();
    for arm in &launch.arms {
        let hooked = arm.treatment != "unmodified";
        // Each request is received once, and the hook is in no proxy.
        let receives = arm.coverage.as_ref().map(|coverage| coverage.payload_receives);
        assert_eq!((arm.requests_sent, receives), (60, hooked.then_some(60)));
    }
    let calls = read_hook_calls(&run.directory.join(launch.files.hook_calls.as_ref().unwrap())).unwrap();
    assert_eq!(calls.len(), 60);
    // Of the arms, `scan` alone has a treatment that a loop can tell.
    let blocks = read_tight_loops(&run.directory.join(launch.files.tight_loops.as_ref().unwrap())).unwrap();
    assert_eq!(blocks.len(), 20);
    assert!(launch.arms[1].tight_loop.is_some() && launch.arms[0].tight_loop.is_none());
    let samples = read_resources(&run.directory.join(launch.files.resources.as_ref().unwrap())).unwrap();
    let of_neighbour = samples
        .iter()
        .filter(|sample| sample.subject == ResourceSubject::Neighbour);
    let cpu_ns: Vec<_> = of_neighbour.map(|sample| sample.usage[Measure::CpuNs]).collect();
    assert!(cpu_ns.last() > cpu_ns.first(), "{cpu_ns:?}");
    // That it hits its own limit is no fault of the launch's.
    assert_eq!(launch.limit_hits, Some(Vec::new()));
}

#[test]
fn another_hook_is_measured_in_containers_and_a_neighbour_that_ends_is_told() {
    let Some((_guard, before)) = engine("another hook") else {
        return;
    };
    let desk = Desk::new();
    let hook = hook(&desk.path(""), "theirs", "-DDO_NOTHING");
    let arm =
        format!("[[arm]]\nname = \"theirs\"\ntreatment = \"preload\"\npreload = {{ path = {hook:?} }}\n\n[[contrast]]");
    let text = once("[neighbour]\ncommand = [\"true\"]\n").replacen("[[contrast]]", &arm, 1);
    success(&mut run(&desk, &text));
    assert_eq!(everything(), before);
    let (_, launch) = desk.only_launch();
    assert_eq!((launch.arms.len(), launch.arms[3].hook_mapped), (4, Some(true)));
    let told = |warning: &String| warning.contains("the neighbour did not work during the whole measurement");
    assert!(
        !launch.valid && warnings(&launch).iter().any(told),
        "{:?}",
        warnings(&launch)
    );
}

#[test]
fn a_server_that_cannot_be_in_an_image_is_recorded_as_such() {
    let Some((_guard, before)) = engine("what is not installed") else {
        return;
    };
    let desk = Desk::new();
    let (text, server) = (serving("nginx"), file("sut/macro/nginx.toml"));
    let own = desk.path("server.toml");
    let nginx = std::fs::read_to_string(server.clone()).unwrap();
    std::fs::write(&own, nginx.replace("[\"nginx\", \"-p\"", "[\"no-such-server\", \"-p\"")).unwrap();
    let error = failure(&mut run(
        &desk,
        &text.replace(&format!("{server:?}"), &format!("{own:?}")),
    ));
    assert!(error.contains("no ELF program of this name"), "{error}");
    assert!(error.contains("no-such-server"), "{error}");
    assert_eq!(everything(), before);
}

#[test]
fn what_cannot_be_in_an_image_leaves_out_the_containers_alone() {
    let Some((_guard, before)) = engine("a script") else {
        return;
    };
    let desk = Desk::new();
    let script = desk.path("neighbour.sh");
    std::fs::write(&script, "#!/bin/sh\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = once(&format!("[neighbour]\ncommand = [{script:?}]\n"));
    success(desk.run(&text).args(["--conditions", "docker,local-pod"]));
    let (run, launch) = desk.only_launch();
    assert_eq!((run.manifest.launches.len(), &launch.condition[..]), (1, "local-pod"));
    let docker = run.manifest.conditions.iter().find(|one| one.name == "docker").unwrap();
    let reason = docker.not_run.as_deref().unwrap();
    assert!(
        reason.contains("no image can be made") && reason.contains("no scripts"),
        "{reason}"
    );
    assert_eq!(everything(), before);
}
