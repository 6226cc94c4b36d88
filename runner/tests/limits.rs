//! Limits of CPU time and memory: they are set, hits are recorded and invalidate the launch, and control groups are removed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{Desk, failure, once, place, samples, success, wait_until, warnings};
use model::{LaunchRecord, LimitEnforcement, LimitKind, Measure, ResourceSubject};
use monitor::ControlGroup;

/// Returns a definition with one launch of `local-pod` and limits for the arm `scan`.
fn limited(limits: &str, rounds: u32) -> String {
    let text = once().replace("[\"local-pod\", \"local-bridge\"]", "[\"local-pod\"]");
    let text = text.replace("rounds = 60", &format!("rounds = {rounds}"));
    let arm = "treatment = \"scan\"";
    text.replace(arm, &format!("{arm}\nlimits = {limits}"))
}

/// Prints the reason and returns true if this machine cannot set limits.
fn unlimited(desk: &Desk, test: &str) -> bool {
    let place = place(desk, "local-pod", &[]);
    let level = place["level"].as_str().unwrap();
    if let Some((_, reason)) = level.split_once("no limits (") {
        println!("SKIPPED: {test}: {reason}");
        return true;
    }
    false
}

fn kinds(launch: &LaunchRecord, subject: &str) -> Vec<LimitKind> {
    let hits = launch.limit_hits.iter().flatten();
    hits.filter(|hit| hit.subject == subject).map(|hit| hit.kind).collect()
}

/// Returns the control groups of the runner with this process number.
fn groups(runner: u32) -> Vec<String> {
    fn find(folder: &Path, ending: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("hook-latency.") && name.ends_with(ending) {
                found.push(entry.path().display().to_string());
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                find(&entry.path(), ending, found);
            }
        }
    }
    let mut found = Vec::new();
    for root in ControlGroup::mount_points() {
        find(&root, &format!(".{runner}"), &mut found);
    }
    found
}

#[test]
fn a_throttled_arm_is_flagged_and_no_other() {
    let desk = Desk::new();
    if unlimited(&desk, "throttled arm") {
        return;
    }
    // A hundredth of a processor: the quota of 1 ms is used up by a few requests of 0.2 ms.
    let text = limited("{ quota_cores = 0.01 }", 60).replace("work_ns = 0", "work_ns = 200_000");
    let mut runner = desk.run(&text).spawn().unwrap();
    assert!(runner.wait().unwrap().success());
    assert_eq!(groups(runner.id()), [""; 0]);
    let (run, launch) = desk.only_launch();
    let condition = &run.manifest.conditions[0];
    assert!([LimitEnforcement::CgroupV1, LimitEnforcement::CgroupV2].contains(&condition.limits_by));
    assert_eq!(condition.missing, None);
    assert_eq!(kinds(&launch, "scan"), [LimitKind::Throttled]);
    assert_eq!(
        (kinds(&launch, "unmodified"), kinds(&launch, "delay")),
        (vec![], vec![])
    );
    assert!(
        warnings(&launch)
            .iter()
            .any(|warning| warning.starts_with("scan: throttled in"))
    );
    assert!(!launch.valid);
    let limits: Vec<_> = launch
        .arms
        .iter()
        .map(|arm| arm.limits.and_then(|limits| limits.quota_cores))
        .collect();
    assert_eq!(limits, [None, Some(0.01), None]);

    let monitor = launch.monitor.as_ref().unwrap();
    assert!(monitor.samples >= 2 && monitor.own_cpu_ns > 0, "{monitor:?}");
    let samples = samples(&run, &launch);
    let throttled = |name: &str| {
        let subject = ResourceSubject::Arm(name.to_owned());
        let of = samples.iter().filter(move |sample| sample.subject == subject);
        of.map(|sample| sample.usage[Measure::ThrottledPeriods])
            .collect::<Vec<_>>()
    };
    assert!(throttled("scan").last().unwrap() > throttled("scan").first().unwrap());
    assert!(throttled("unmodified").iter().all(Option::is_none));
    let reasons = |kind: &str| monitor.missing.iter().filter(|missing| missing.kind == kind).count();
    assert!(reasons("loadgen") > 0 && reasons("node") > 0, "{monitor:?}");
}

#[test]
fn an_arm_killed_for_want_of_memory_is_kept_and_flagged() {
    let desk = Desk::new();
    if unlimited(&desk, "killed arm") {
        return;
    }
    // The log is in memory and counts as the arm's: each request is a hit and leaves a line of some ninety bytes.
    let word = "x".repeat(60);
    let words = desk.path("list.txt");
    fs::write(&words, &word).unwrap();
    let limited = limited("{ memory_bytes = 2_097_152 }", 30_000)
        .replace("treatment = \"scan\"", "treatment = \"log\"")
        .replace("headers = []", &format!("headers = [[\"X\", \"{word}\"]]"));
    let text = format!("words = {words:?}\n{limited}");
    success(&mut desk.run(&text));
    let (_, launch) = desk.only_launch();
    assert!(kinds(&launch, "scan").contains(&LimitKind::OomKill), "{launch:?}");
    assert!(!launch.valid);
    assert!(
        warnings(&launch)
            .iter()
            .any(|warning| warning.contains("killed because memory ran out"))
    );
    // Up to then, it was measured.
    assert!(launch.arms[1].requests_sent > 100, "{launch:?}");
}

#[test]
fn a_limit_too_small_to_start_is_an_error_that_names_the_limit() {
    let desk = Desk::new();
    if unlimited(&desk, "no room to start") {
        return;
    }
    let arms = limited("{ memory_bytes = 1_048_576 }", 60).replace("threads = 1", "threads = 64");
    let text = arms.replace("response_bytes = 16", "response_bytes = 16_000_000");
    let error = failure(&mut desk.run(&text));
    assert!(error.contains("raise its limit memory_bytes"), "{error}");
}

#[test]
fn the_control_groups_of_a_killed_runner_are_removed() {
    let desk = Desk::new();
    if unlimited(&desk, "killed runner") {
        return;
    }
    let mut runner = desk.run(&limited("{ quota_cores = 0.5 }", 1_000_000)).spawn().unwrap();
    wait_until(|| !groups(runner.id()).is_empty());
    runner.kill().unwrap();
    runner.wait().unwrap();
    wait_until(|| desk.processes().is_empty());
    // A run that begins meanwhile sweeps, too.
    success(Command::new(desk.path("bin/runner")).args(["cluster", "down", "local-pod"]));
    wait_until(|| groups(runner.id()).is_empty());
}

#[test]
fn a_run_without_limits_goes_on_and_its_manifest_has_the_reason() {
    let desk = Desk::new();
    let plain = desk.run(&limited("{ quota_cores = 0.5 }", 60));
    if fs::metadata("/proc/self").is_err() || Command::new("setpriv").arg("--version").output().is_err() {
        println!("SKIPPED: limits of an ordinary user: there is no setpriv");
        return;
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(plain.get_program())
        .args(plain.get_args());
    let output = command.output().unwrap();
    if String::from_utf8_lossy(&output.stderr).contains("setresuid failed") {
        println!("SKIPPED: limits of an ordinary user: this test changes the user, which wants root");
        return;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (run, launch) = desk.only_launch();
    let condition = &run.manifest.conditions[0];
    assert_eq!(condition.limits_by, LimitEnforcement::None);
    assert!(condition.missing.as_ref().unwrap().contains("cannot set limits by"));
    assert!(
        warnings(&launch)
            .iter()
            .any(|warning| warning.contains("the limits of the experiment are not set"))
    );
    assert!(launch.arms.iter().all(|arm| arm.limits.is_none()));
}

#[test]
fn limits_out_of_range_are_errors() {
    let desk = Desk::new();
    let error = failure(&mut desk.run(&limited("{ quota_cores = 0.0 }", 60)));
    assert!(
        error.contains("limits of scan: `quota_cores`: 0; expected 0.01 to 1024"),
        "{error}"
    );
    let error = failure(&mut desk.run(&limited("{ memory_bytes = 1000 }", 60)));
    assert!(
        error.contains("limits of scan: `memory_bytes`: 1000; expected at least 1048576"),
        "{error}"
    );
    let error = failure(&mut desk.run(&limited("{ cores = 1.0 }", 60)));
    assert!(error.contains("unknown field `cores`"), "{error}");
}

#[test]
fn a_run_without_the_monitor_has_no_table_of_resources_and_no_limit_hits() {
    let desk = Desk::new();
    success(desk.run(&once()).args(["--no-monitor", "--conditions", "local-pod"]));
    let (_, launch) = desk.only_launch();
    assert_eq!((launch.monitor, launch.limit_hits), (None, None));
    assert_eq!(launch.files.resources, None);
}
