//! Measurements of hooks that do something to a server, and of servers that are awkward.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::Desk;
use crate::common::programs::{compiled, hook};
use dataset::{PREFLIGHT_FILE, PreflightRecord, Run};

/// A user who is not root, whether he has a name here or not.
const NOBODY: u32 = 65_534;

fn measure(desk: &Desk, hooks: &[&Path], out: &str, server: &[&str]) -> Command {
    let mut command = desk.runner();
    command.arg("measure").arg("--out").arg(desk.path(out));
    for hook in hooks {
        command.arg("--hook").arg(hook);
    }
    command.args(["--budget", "1s", "--precision", "1s", "--starts", "40"]);
    command.arg("--").args(server);
    command
}

fn server(desk: &Desk, flags: &[&str]) -> String {
    let path = compiled("server.c", &desk.path("server"), flags);
    path.to_str().unwrap().to_owned()
}

fn tried(desk: &Desk, out: &str) -> PreflightRecord {
    let text = std::fs::read_to_string(desk.path(out).join(PREFLIGHT_FILE)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Measures hooks of which each has a fault. Returns the kind and the text of each fault.
fn faults(desk: &Desk, hooks: &[&Path], server: &[&str]) -> Vec<(String, String)> {
    let output = measure(desk, hooks, "run", server).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{server:?}: {error}");
    assert!(
        !desk.path("run/manifest.json").exists(),
        "{server:?}: something was measured"
    );
    let faults = tried(desk, "run").hooks.into_iter().map(|hook| {
        let fault = hook.fault.expect("a fault");
        let kind = serde_json::to_value(fault.kind).unwrap();
        (kind.as_str().unwrap().to_owned(), fault.to_string())
    });
    let faults = faults.collect();
    std::fs::remove_dir_all(desk.path("run")).unwrap();
    faults
}

#[test]
fn what_a_hook_does_to_a_server_is_reported_as_that() {
    let desk = Desk::new();
    let server = server(&desk, &[]);
    let expected = [
        ("crash", "-DDO_CRASH_AT=20", "crashed", "about to crash"),
        ("hang", "-DDO_HANG_AT=20", "hung", "no complete response in time"),
        ("exit", "-DDO_EXIT", "ended", "exit status: 7"),
        ("change", "-DDO_CHANGE", "different-answer", "\"HTTP/1.1 200 OK"),
    ];
    let hooks: Vec<PathBuf> = expected
        .iter()
        .map(|(name, flag, ..)| hook(&desk.path("hook"), name, flag))
        .collect();
    let hooks: Vec<&Path> = hooks.iter().map(PathBuf::as_path).collect();
    let found = faults(&desk, &hooks, &[&server, "{port}"]);
    for ((name, _, kind, words), (found, what)) in expected.into_iter().zip(found) {
        assert_eq!(found, kind, "{name}: {what}");
        // A whole answer is short enough to be shown from its beginning.
        let shown = if kind == "different-answer" { "at byte" } else { words };
        assert!(what.contains(shown), "{name}: {what}");
    }
    assert_eq!(desk.processes(), [""; 0]);
}

#[test]
fn a_hook_that_is_not_loaded_is_found_out() {
    let desk = Desk::new();
    let nothing = hook(&desk.path("hook"), "nothing", "-DNOTHING");
    let server = server(&desk, &["-static"]);
    let script = format!("{server} {{port}}; true");
    for command in [&[&*server, "{port}"][..], &["sh", "-c", &*script][..]] {
        let found = faults(&desk, &[&nothing], command);
        assert_eq!(found[0].0, "not-loaded", "{found:?}");
        assert!(found[0].1.contains("statically linked"), "{found:?}");
    }
    let other = desk.path("hook/no-hook.so");
    std::fs::write(&other, "no shared object").unwrap();
    let server = compiled("server.c", &desk.path("server"), &[]);
    let found = faults(&desk, &[&other], &[server.to_str().unwrap(), "{port}"]);
    assert_eq!(found[0].0, "not-loaded", "{found:?}");
    assert!(found[0].1.contains("cannot be preloaded"), "{found:?}");
}

#[test]
fn a_hook_that_the_loader_ignores_is_found_out() {
    let desk = Desk::new();
    let server = server(&desk, &[]);
    // Only another user's program runs with more rights than its caller's.
    if let Err(error) = std::os::unix::fs::chown(&server, Some(NOBODY), None) {
        println!("SKIPPED: set-user-id: cannot give a file away: {error}");
        return;
    }
    std::fs::set_permissions(&server, Permissions::from_mode(0o4755)).unwrap();
    let folder = nix::sys::statvfs::statvfs(server.as_str()).unwrap();
    if folder.flags().contains(nix::sys::statvfs::FsFlags::ST_NOSUID) {
        println!("SKIPPED: set-user-id: the folder for temporary files is mounted nosuid");
        return;
    }
    let nothing = hook(&desk.path("hook"), "nothing", "-DNOTHING");
    let found = faults(&desk, &[&nothing], &[&server, "{port}"]);
    assert_eq!(found[0].0, "not-loaded", "{found:?}");
    assert!(found[0].1.contains("set-user-id"), "{found:?}");
    assert_eq!(desk.processes(), [""; 0]);
}

/// The hook changes answers. With each kind of server the preflight reports `different-answer`. This shows that the
/// server ran and answered with and without the hook.
#[test]
fn servers_that_fork_or_daemonise_or_do_not_end_are_handled() {
    let desk = Desk::new();
    let server = server(&desk, &[]);
    let change = hook(&desk.path("hook"), "change", "-DDO_CHANGE");
    let spaces = crate::common::has_namespaces(&desk);
    for how in ["forks", "daemon", "slow", "chatty", "stubborn", "ipv6"] {
        if how == "daemon" && !spaces {
            println!("SKIPPED: a server that daemonises: there are no namespaces here");
            continue;
        }
        if how == "ipv6" && !Path::new("/proc/net/if_inet6").exists() {
            println!("SKIPPED: a server that listens on IPv6: the kernel has none");
            continue;
        }
        let found = faults(&desk, &[&change], &[&server, "{port}", how]);
        assert_eq!(found[0].0, "different-answer", "{how}: {found:?}");
        assert_eq!(desk.processes(), [""; 0], "{how}");
    }
    // The same port for all, each in its own namespace.
    if !spaces {
        println!("SKIPPED: servers on one port: there are no namespaces here");
        return;
    }
    let mut command = measure(&desk, &[&change], "run", &[]);
    let output = command.args([&*server, "18123"]).env("NOTHING", "").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("the port of the server is not known"), "{error}");
    let mut command = desk.runner();
    command
        .args(["measure", "--port", "18123", "--hook"])
        .arg(&change)
        .arg("--out")
        .arg(desk.path("run"));
    command.args(["--", &*server, "18123"]);
    assert!(command.status().unwrap().success());
    let fault = tried(&desk, "run").hooks[0].fault.clone().unwrap();
    assert!(fault.what.starts_with("at byte"), "{fault}");
}

#[test]
fn servers_that_cannot_be_measured_are_refused_with_the_reason() {
    let desk = Desk::new();
    let server = server(&desk, &[]);
    let nothing = hook(&desk.path("hook"), "nothing", "-DNOTHING");
    for (how, words) in [
        ("unix", "at the Unix socket /tmp/awkward-"),
        ("nowhere", "listens nowhere after 3 s"),
        ("silent", "does not answer for 3 s"),
        ("ends", "no licence found"),
    ] {
        let mut command = desk.runner();
        command
            .args(["measure", "--ready", "3s", "--hook"])
            .arg(&nothing)
            .arg("--out")
            .arg(desk.path(how));
        let error = crate::common::failure(command.args(["--", &*server, "{port}", how]));
        assert!(
            error.contains("without any hook, the server") && error.contains(words),
            "{how}: {error}"
        );
        assert_eq!(desk.processes(), [""; 0], "{how}");
    }
    let error = crate::common::failure(&mut measure(
        &desk,
        &[Path::new("/nowhere.so")],
        "other",
        &[&server, "{port}"],
    ));
    assert!(error.contains("the hook /nowhere.so is not there"), "{error}");
}

#[test]
fn what_can_be_measured_is_measured_as_any_experiment() {
    let desk = Desk::new();
    let server = server(&desk, &[]);
    let nothing = hook(&desk.path("hook"), "nothing", "-DNOTHING");
    let change = hook(&desk.path("hook"), "change", "-DDO_CHANGE");
    let output = measure(&desk, &[&nothing, &change], "run", &[&server, "{port}"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = Run::open(&desk.path("run")).unwrap();
    assert_eq!(run.manifest.launches.len(), 10);
    let [measured, faulty] = &tried(&desk, "run").hooks[..] else {
        panic!("two hooks were tried");
    };
    assert!(faulty.fault.is_some() && faulty.start.is_none());
    let start = measured.start.as_ref().unwrap();
    assert_eq!((start.blocks.len(), start.starts_per_block), (20, 2));
    // The loader maps the object and writes to it.
    assert!(start.blocks.iter().all(|block| block.page_faults > 0), "{start:?}");
    assert!(
        start.blocks.iter().map(|block| block.pss_bytes).sum::<i64>() > 0,
        "{start:?}"
    );
    assert!(start.relocations > 0);
    let arms = ["unmodified", "control", "nothing.so", "delay-0", "delay-5us"];
    for launch in &run.manifest.launches {
        let names: Vec<&str> = launch.arms.iter().map(|arm| &*arm.arm).collect();
        assert_eq!(names, arms);
        for arm in &launch.arms {
            let resources = arm.resources.unwrap();
            assert!(resources.cpu_ns > 0 && resources.rss_bytes >= resources.pss_bytes && resources.pss_bytes > 0);
            assert_eq!(arm.hook_mapped.is_some(), arm.treatment != "unmodified");
        }
        let held = |index: usize| launch.arms[index].telemetry.unwrap().held_ns_median;
        assert!(held(4) - held(3) > 4_900.0);
    }
    let tried = tried(&desk, "run");
    assert_eq!(tried.no_calibration, None);
    assert!(tried.hooks[0].fault.is_none() && tried.hooks[1].fault.is_some());
    assert_eq!(desk.processes(), [""; 0]);
}
