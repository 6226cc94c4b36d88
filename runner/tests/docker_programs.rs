//! Programs of other projects in containers of Docker: servers, proxies and neighbours.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::common::engine::{engine, everything, run};
use crate::common::programs::{hook, is_there};
use crate::common::{Desk, failure, file, once, received, samples, success, warnings, with_server};
use dataset::{read_hook_calls, read_tight_loops};
use model::{Measure, ResourceSubject};

/// Returns the small experiment with one launch and `more` in front of its `[sut]`.
fn with(more: &str) -> String {
    once().replacen("[sut]", &format!("{more}\n[sut]"), 1)
}

/// Returns the small experiment with one launch, a server of `sut/macro`, and a request in its protocol.
fn serving(name: &str) -> String {
    let text = with_server(&once(), name);
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
        received(&launch, false);
    }
}

#[test]
fn requests_pass_proxies_in_containers_beside_a_neighbour_and_tight_loops_follow() {
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
    success(&mut run(&desk, &with(&format!("{proxies}{neighbour}{micro}"))));
    assert_eq!(everything(), before);
    let (run, launch) = desk.only_launch();
    // The hook is in no proxy.
    received(&launch, true);
    let calls = read_hook_calls(&run.directory.join(launch.files.hook_calls.as_ref().unwrap())).unwrap();
    assert_eq!(calls.len(), 60);
    // Only the arm `scan` has a tight loop: the arm `delay` is a calibration.
    let blocks = read_tight_loops(&run.directory.join(launch.files.tight_loops.as_ref().unwrap())).unwrap();
    assert_eq!(blocks.len(), 20);
    assert!(launch.arms[1].tight_loop.is_some() && launch.arms[0].tight_loop.is_none());
    let samples = samples(&run, &launch);
    let of_neighbour = samples
        .iter()
        .filter(|sample| sample.subject == ResourceSubject::Neighbour);
    let cpu_ns: Vec<_> = of_neighbour.map(|sample| sample.usage[Measure::CpuNs]).collect();
    assert!(cpu_ns.last() > cpu_ns.first(), "{cpu_ns:?}");
    // A neighbour that hits its own limit does not invalidate the launch.
    assert_eq!(launch.limit_hits, Some(Vec::new()));
}

#[test]
fn another_hook_is_measured_in_containers_and_a_neighbour_that_ends_is_a_warning() {
    let Some((_guard, before)) = engine("another hook") else {
        return;
    };
    let desk = Desk::new();
    let hook = hook(&desk.path(""), "theirs", "-DDO_NOTHING");
    let arm =
        format!("[[arm]]\nname = \"theirs\"\ntreatment = \"preload\"\npreload = {{ path = {hook:?} }}\n\n[[contrast]]");
    let text = with("[neighbour]\ncommand = [\"true\"]\n").replacen("[[contrast]]", &arm, 1);
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
fn a_server_that_is_not_installed_is_an_error_that_names_it() {
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
fn a_program_that_no_image_can_hold_leaves_out_only_the_containers() {
    let Some((_guard, before)) = engine("a script") else {
        return;
    };
    let desk = Desk::new();
    let script = desk.path("neighbour.sh");
    std::fs::write(&script, "#!/bin/sh\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = with(&format!("[neighbour]\ncommand = [{script:?}]\n"));
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
