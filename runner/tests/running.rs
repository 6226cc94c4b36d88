//! Runs that a user starts, stops, kills and resumes.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::common::{
    Desk, SMALL, failure, finished, launch_folders, once, received, samples, signal, success, wait_for, wait_until,
    with_server,
};
use dataset::{Grid, ObservationReader, Run, read_hook_calls};
use model::launch_folder;
use nix::sys::signal::Signal;

#[test]
fn a_run_leaves_a_dataset_and_nothing_else() {
    let desk = Desk::new();
    let links_before = links();
    success(&mut desk.run(SMALL));
    let run = Run::open(&desk.path("run")).unwrap();
    let manifest = &run.manifest;
    assert_eq!(manifest.experiment, "small");
    assert_eq!(manifest.plan.as_ref().unwrap().seed, 7);
    let had = manifest
        .conditions
        .iter()
        .filter(|condition| condition.not_run.is_none());
    assert_eq!(manifest.launches.len(), 2 * had.count());
    for launch in &manifest.launches {
        let reader = ObservationReader::open(&run.directory.join(&launch.files.observations)).unwrap();
        assert_eq!(reader.rows(), 3 * 60);
        received(launch, true);
        // Watched, and within every limit.
        assert_eq!(launch.limit_hits.as_deref(), Some(&[][..]), "{launch:?}");
        let samples = samples(&run, launch);
        assert!(samples.len() >= 2 * 4, "{samples:?}");
        // The table of hook calls has the calls of the calibration's arm.
        let calls = read_hook_calls(&run.directory.join(launch.files.hook_calls.as_ref().unwrap())).unwrap();
        assert!(calls.iter().all(|(arm, _)| *arm == launch.arms[2].arm));
        assert!(calls.iter().zip(0..).all(|((_, call), number)| call.sequence == number));
        let bytes: i64 = calls.iter().map(|(_, call)| call.bytes).sum();
        let coverage = launch.arms[2].coverage.as_ref().unwrap();
        assert_eq!((calls.len(), bytes.cast_unsigned()), (60, coverage.payload_bytes));
        assert_eq!((coverage.processes, coverage.sockets_accepted), (1, 1));
        let delay = launch.arms[2].telemetry.unwrap();
        assert_eq!((delay.records, delay.dropped), (50, 0));
        assert!(delay.held_ns_median >= 1_000.0, "{delay:?}");
    }
    let schema = serde_json::from_str(include_str!("../../dataset/manifest.schema.json")).unwrap();
    let text = fs::read_to_string(desk.path("run/manifest.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &serde_json::from_str(&text).unwrap()));
    assert_eq!(desk.processes(), [""; 0]);
    let mut names: Vec<_> = fs::read_dir(desk.path("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "local-bridge",
            "local-pod",
            "manifest.json",
            "plan.json",
            "ro-crate-metadata.json"
        ]
    );
    assert_eq!(links(), links_before);
}

#[test]
fn a_grid_is_a_run_for_each_cell() {
    let desk = Desk::new();
    let text = format!(
        "{SMALL}\n[[factor]]\nname = \"body\"\n[[factor.level]]\nname = \"none\"\n[[factor.level]]\nname = \"Some text\"\n\
         request = {{ body = \"text\" }}\nlaunches = 1\n"
    );
    success(&mut desk.run(&text));
    let grid = Grid::open(&desk.path("run")).unwrap();
    let launches: Vec<(&str, usize, String)> = grid
        .cells
        .iter()
        .map(|(levels, run)| {
            let plan = serde_json::to_value(&run.manifest.plan).unwrap();
            let body = plan["request"]["body"].as_str().unwrap().to_owned();
            let conditions = run.manifest.conditions.iter().filter(|one| one.not_run.is_none());
            let each = run.manifest.launches.len() / conditions.count();
            (levels["body"].as_str(), each, body)
        })
        .collect();
    assert_eq!(
        launches,
        [("none", 2, String::new()), ("Some text", 1, "text".to_owned())]
    );
    assert_eq!(grid.cells[1].1.manifest.run_id, "run/some-text");
    // A second time there is nothing to do, and the files stay as they are.
    let before = finished(&desk.path("run/none"));
    success(&mut desk.run(&text));
    assert_eq!(finished(&desk.path("run/none")), before);
    // Slim, for a repository: all that is left is as recorded.
    dataset::slim(&desk.path("run")).unwrap();
    for (_, run) in Grid::open(&desk.path("run")).unwrap().cells {
        run.verify().unwrap();
        for launch in &run.manifest.launches {
            let folder = run.directory.join(launch_folder(&launch.condition, launch.launch));
            let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
            assert_eq!(names.collect::<Vec<_>>(), ["observations.parquet"]);
        }
        assert!(
            run.manifest
                .launches
                .iter()
                .all(|launch| launch.arms[2].telemetry.is_some())
        );
    }
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let desk = Desk::new();
    // Long enough to be killed in a launch.
    let text = SMALL
        .replace("launches = 2", "launches = 3")
        .replace("rounds = 60", "rounds = 3_000");
    let mut runner = desk.run(&text).spawn().unwrap();
    wait_for(&mut runner, || desk.path("run/local-pod/0000/launch.json").exists());
    // Now in the second launch.
    wait_for(&mut runner, || {
        launch_folders(&desk.path("run"))
            .iter()
            .any(|launch| launch.join("plan.json").exists())
    });
    // SIGKILL: the runner can do nothing any more.
    runner.kill().unwrap();
    runner.wait().unwrap();
    wait_until(|| desk.processes().is_empty());
    let before = finished(&desk.path("run"));
    assert!(!before.is_empty() && !desk.path("run/manifest.json").exists());

    success(&mut desk.run(&text));
    let after = finished(&desk.path("run"));
    for file in &before {
        assert!(after.contains(file), "{} was written again", file.0);
    }
    let run = Run::open(&desk.path("run")).unwrap();
    assert!(after.len() > before.len() && after.len() == 4 * run.manifest.launches.len());
    assert!(
        launch_folders(&desk.path("run"))
            .iter()
            .all(|launch| launch.extension().is_none()),
        "something unfinished was left"
    );

    // Once more changes nothing but the manifest's times.
    success(&mut desk.run(&text));
    assert_eq!(finished(&desk.path("run")), after);

    let error = failure(&mut desk.run(&text.replace("seed = 7", "seed = 8")));
    assert!(error.contains("another experiment or with other options"), "{error}");
    assert_eq!(finished(&desk.path("run")), after);
    fs::write(desk.path("run/local-pod/0001/launch.json"), "{").unwrap();
    let error = failure(&mut desk.run(&text));
    assert!(
        error.contains("local-pod/0001/launch.json") && error.contains("remove the launch's folder"),
        "{error}"
    );
}

#[test]
#[ignore = "second tier: repeats a_killed_run_goes_on_where_it_was at many moments"]
fn a_run_that_is_killed_at_many_moments_loses_no_finished_launch() {
    let desk = Desk::new();
    let text = SMALL
        .replace("launches = 2", "launches = 10")
        .replace("rounds = 60", "rounds = 3_000");
    let mut before = Vec::new();
    for kill in 0..15 {
        let mut runner = desk.run(&text).spawn().unwrap();
        // Each kill hits a later launch, at another moment of the launch.
        wait_for(&mut runner, || launch_folders(&desk.path("run")).len() > kill);
        std::thread::sleep(Duration::from_millis(37) * u32::try_from(kill).unwrap());
        runner.kill().unwrap();
        runner.wait().unwrap();
        wait_until(|| desk.processes().is_empty());
        let after = finished(&desk.path("run"));
        for file in &before {
            assert!(after.contains(file), "{} was written again after kill {kill}", file.0);
        }
        before = after;
    }
    assert!(!before.is_empty());
    success(&mut desk.run(&text));
    Run::open(&desk.path("run")).unwrap().verify().unwrap();
}

#[test]
fn ctrl_c_ends_the_launch_and_keeps_the_finished_ones() {
    let desk = Desk::new();
    let text = SMALL.replace("rounds = 60", "rounds = 3_000");
    let mut runner = desk.run(&text).spawn().unwrap();
    wait_for(&mut runner, || desk.path("run/local-pod/0000/launch.json").exists());
    signal(&runner, Signal::SIGINT);
    assert!(!runner.wait().unwrap().success());
    wait_until(|| desk.processes().is_empty());
    assert!(!desk.path("run/manifest.json").exists());
    assert!(finished(&desk.path("run")).len() >= 2);
    success(&mut desk.run(&text));
}

#[test]
fn a_full_disk_is_an_error_and_leaves_no_half_run() {
    let desk = Desk::new();
    fs::create_dir(desk.path("run")).unwrap();
    // The runner sees a file system of 48 KiB at its output folder; nobody else does.
    let mut command = desk.run(&SMALL.replace("rounds = 60", "rounds = 5_000"));
    let mut inside = Command::new("unshare");
    inside
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=48k tmpfs \"$0\" && \"$@\"; status=$?; find \"$0\" -type f >&2; exit $status")
        .arg(desk.path("run"))
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(reason) = no_user_namespace() {
        println!("SKIPPED: full disk: {reason}");
        return;
    }
    let error = failure(&mut inside);
    assert!(error.contains("No space left on device"), "{error}");
    for left in ["manifest.json", "local-pod/0000/", "local-bridge/0000/"] {
        assert!(!error.contains(&format!("run/{left}")), "{error}");
    }
    // With room, the same command works.
    success(&mut command);
}

#[test]
fn the_java_application_is_measured_where_there_is_a_jdk() {
    if Command::new("javac").arg("-version").output().is_err() {
        println!("SKIPPED: java application: there is no JDK (javac) on this machine");
        return;
    }
    let desk = Desk::new();
    let text = with_server(&once(), "java");
    success(desk.run(&text).args(["--conditions", "local-pod"]));
    let run = Run::open(&desk.path("run")).unwrap();
    let launch = &run.manifest.launches[0];
    let coverage = launch.arms[1].coverage.as_ref().unwrap();
    assert!(coverage.payload_receives >= 60, "{coverage:?}");
}

#[test]
fn tomcat_is_measured_and_its_reads_are_seen() {
    let jars = ["tomcat10-embed-core", "jakarta-annotation-api"];
    let missing = jars
        .iter()
        .find(|jar| !Path::new(&format!("/usr/share/java/{jar}.jar")).exists());
    if let Some(jar) = missing {
        println!("SKIPPED: tomcat: {jar}.jar is not in /usr/share/java");
        return;
    }
    if Command::new("javac").arg("-version").output().is_err() {
        println!("SKIPPED: tomcat: there is no JDK (javac) on this machine");
        return;
    }
    let desk = Desk::new();
    let words = desk.path("list.txt");
    fs::write(&words, "nothing\nagent: x\n").unwrap();
    let text = format!("words = {words:?}\n{}", with_server(&once(), "tomcat"))
        .replace("headers = []", "headers = [[\"user-agent\", \"x\"]]")
        .replace("treatment = \"scan\"", "treatment = \"upstream\"");
    success(desk.run(&text).args(["--conditions", "local-pod"]));
    let run = Run::open(&desk.path("run")).unwrap();
    assert!(run.manifest.files.iter().any(|file| file.path == "keywords.words"));
    let coverage = run.manifest.launches[0].arms[1].coverage.as_ref().unwrap();
    assert!(
        coverage.payload_receives >= 60 && coverage.sockets_accepted >= 1,
        "{coverage:?}"
    );
    // Each request has a word of the list.
    assert!(
        (60..=coverage.payload_receives).contains(&coverage.hits),
        "{coverage:?}"
    );
}

#[test]
fn an_ordinary_user_measures_at_the_level_that_is_allowed() {
    let desk = Desk::new();
    let plain = desk.run(SMALL);
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = if root {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(plain.get_program())
            .args(plain.get_args());
        command
    } else {
        plain
    };
    success(&mut command);
    let run = Run::open(&desk.path("run")).unwrap();
    assert!(!run.manifest.launches.is_empty());
    for condition in &run.manifest.conditions {
        match (condition.level.as_str(), &condition.not_run) {
            ("user-namespaces" | "loopback", None) => {}
            ("none", Some(reason)) => assert!(!reason.is_empty()),
            other => panic!("{other:?}"),
        }
    }
    // Without namespaces the level is loopback.
    if let Some(reason) = no_user_namespace() {
        println!("SKIPPED: two runs on plain loopback: {reason}");
        return;
    }
    let confined = |out: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "sh", "-c"])
            .arg(concat!(
                "echo 0 > /proc/sys/user/max_user_namespaces && ",
                "exec setpriv --bounding-set=-all --inh-caps=-all \"$@\""
            ))
            .arg("sh")
            .arg(desk.path("bin/runner"))
            .arg("run")
            .arg(desk.path("experiment.toml"))
            .arg("--out")
            .arg(desk.path(out));
        command
    };
    // Two runs at the same time use different ports.
    let mut other = confined("other").spawn().unwrap();
    success(&mut confined("loopback"));
    assert!(other.wait().unwrap().success());
    let run = Run::open(&desk.path("loopback")).unwrap();
    let levels: Vec<_> = run
        .manifest
        .conditions
        .iter()
        .map(|condition| condition.level.as_str())
        .collect();
    assert_eq!(levels, ["loopback", "none"]);
}

/// Names of this machine's network devices.
fn links() -> Vec<String> {
    let text = fs::read_to_string("/proc/net/dev").unwrap();
    let names = text.lines().filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

/// Returns the reason why this user cannot create a user namespace; `None` if it can.
fn no_user_namespace() -> Option<String> {
    let tried = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "true"])
        .output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("unshare cannot be started: {error}")),
    }
}
