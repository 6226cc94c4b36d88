//! The measuring side does not get the truth.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use challenge::{DelayShare, Instrument, SealedDelay, SealedList};
use dataset::Run;
use model::{Experiment, Manifest};
use readhook_seal::{BLOCK_LEN, MARK};

use crate::room::{LAUNCHES, Room};

/// A delay that no other part of a trial mentions.
const DELAY_NS: u64 = 123_457;
const DELAYS: [DelayShare; 2] = [
    DelayShare {
        delay: SealedDelay::NONE,
        weight: 1,
    },
    DelayShare {
        delay: SealedDelay::of_all(DELAY_NS),
        weight: 1,
    },
];

/// The delay as a program could write it.
fn notations() -> Vec<Vec<u8>> {
    let texts = [
        "123457", "123_457", "123,457", "123.457", "0x1e241", "1e241", "1E241", "MTIzNDU3",
    ];
    let mut notations: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    notations.push(u32::try_from(DELAY_NS).unwrap().to_le_bytes().to_vec());
    notations.push(u32::try_from(DELAY_NS).unwrap().to_be_bytes().to_vec());
    notations
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Puts a program in the place of `sut`. It writes its environment and its command line to `seen` and becomes the server.
fn spied(room: &Room, instrument: &Instrument) -> Instrument {
    let binaries = room.path("bin");
    let seen = room.path("seen");
    fs::create_dir(&binaries).unwrap();
    fs::create_dir(&seen).unwrap();
    for name in ["runner", "loadgen", "challenge"] {
        fs::copy(instrument.binaries.join(name), binaries.join(name)).unwrap();
    }
    let sut = instrument.binaries.join("sut");
    let spy = format!(
        "#!/bin/sh\nfile=$(mktemp {seen}/XXXXXX)\n{{ tr '\\0' '\\n' < /proc/self/environ; echo \"$0 $@\"; }} > $file\nexec {sut} \"$@\"\n",
        seen = seen.display(),
        sut = sut.display()
    );
    fs::write(binaries.join("sut"), spy).unwrap();
    fs::set_permissions(binaries.join("sut"), fs::Permissions::from_mode(0o755)).unwrap();
    Instrument {
        binaries,
        ..instrument.clone()
    }
}

#[test]
fn neither_run_nor_environment_nor_command_line_shows_the_delay() {
    let room = Room::new();
    let instrument = spied(&room, &room.instrument());
    let folder = room.examined(2, &DELAYS, &instrument);
    let list = SealedList::parse(&fs::read(folder.join("sealed/sealed.json")).unwrap()).unwrap();
    assert!(contains(
        &fs::read(folder.join("sealed/sealed.json")).unwrap(),
        b"123457"
    ));
    for trial in &list.trials {
        let place = folder.join(format!("trials/{:03}", trial.number));
        let paths = files(&place);
        assert!(paths.len() > 10, "{paths:?}");
        for path in paths {
            let bytes = fs::read(&path).unwrap();
            let found = notations().into_iter().find(|notation| contains(&bytes, notation));
            // Columns of numbers may hold any four bytes; a number as text is never chance.
            let by_chance =
                |notation: &[u8]| notation.len() == 4 && path.extension().is_some_and(|end| end == "parquet");
            assert!(
                found.as_deref().is_none_or(by_chance),
                "{}: {:?}",
                path.display(),
                found.map(|found| String::from_utf8_lossy(&found).into_owned())
            );
        }
        let run = Run::open(&place.join("run")).unwrap();
        for launch in &run.manifest.launches {
            for name in ["baseline", "sealed"] {
                let arm = launch.arm(name).unwrap();
                assert_eq!(
                    (arm.telemetry, &arm.coverage, arm.hook_mapped),
                    (None, &None, Some(true))
                );
            }
            let calls = launch.files.hook_calls.as_ref().unwrap();
            let calls = dataset::read_hook_calls(&run.directory.join(calls)).unwrap();
            let arms: BTreeSet<&str> = calls.iter().map(|(arm, _)| arm.as_str()).collect();
            assert_eq!(arms, BTreeSet::from(["delay-0", "delay-5us"]));
        }
    }
    let seen = files(&room.path("seen"));
    let mut preloaded = 0;
    for path in &seen {
        let text = fs::read_to_string(path).unwrap();
        let hidden = text
            .lines()
            .any(|line| line.starts_with("LD_PRELOAD=") && line.contains("/trials/"));
        preloaded += u32::from(hidden);
        assert!(!(hidden && text.contains("READHOOK_")), "{text}");
        assert!(
            !notations()[..8]
                .iter()
                .any(|notation| contains(text.as_bytes(), notation)),
            "{text}"
        );
    }
    // Two trials; in each launch six servers, two of them with a sealed object.
    assert_eq!((seen.len() as u32, preloaded), (2 * LAUNCHES * 6, 2 * LAUNCHES * 2));
}

/// The parts of a definition and of a manifest that no measurement changes. The number of the trial in paths is left out.
fn unmeasured(folder: &Path, number: u32) -> (Experiment, Manifest) {
    let run = Run::open(&folder.join(format!("trials/{number:03}/run"))).unwrap();
    let mut manifest = run.manifest;
    let mut experiment = manifest.plan.take().unwrap();
    for arm in &mut experiment.arms {
        if let Some(preload) = &mut arm.preload {
            let text = preload.path.to_str().unwrap();
            preload.path = text.replace(&format!("/{number:03}/"), "/NNN/").into();
        }
    }
    experiment.seed = 0;
    experiment.load.keep_awake = true;
    for word in &mut manifest.command_line {
        *word = word.replace(&format!("/{number:03}/"), "/NNN/");
    }
    for condition in &mut manifest.conditions {
        condition.kept_awake = true;
        condition.missing = None;
    }
    for launch in &mut manifest.launches {
        launch.loadgen = None;
        launch.host_load = None;
        launch.limit_hits = None;
        launch.anomalies.clear();
        launch.controls.clear();
        launch.valid = true;
        launch.monitor = None;
        for arm in &mut launch.arms {
            // The seed permutes the orders and the ports.
            (arm.start_order, arm.connection_order, arm.address) = (0, 0, String::new());
            arm.telemetry = None;
            arm.resources = None;
        }
    }
    for file in &mut manifest.files {
        (file.bytes, file.sha256) = (0, String::new());
    }
    (manifest.started_unix_ns, manifest.finished_unix_ns) = (0, 0);
    (experiment, manifest)
}

#[test]
fn trials_with_different_delays_differ_in_nothing_but_measurements_and_pads() {
    let room = Room::new();
    let folder = room.examined(2, &DELAYS, &room.instrument());
    let list = SealedList::parse(&fs::read(folder.join("sealed/sealed.json")).unwrap()).unwrap();
    assert_ne!(list.trials[0].delay, list.trials[1].delay);
    assert_eq!(unmeasured(&folder, 0), unmeasured(&folder, 1));
    let names = |number: u32| -> Vec<String> {
        let place = folder.join(format!("trials/{number:03}"));
        let name = |path: PathBuf| path.strip_prefix(&place).unwrap().to_str().unwrap().to_owned();
        // Only trials with other load generators have their answers.
        let names = files(&place).into_iter().map(name);
        names.filter(|name| name != "peers.json").collect()
    };
    assert_eq!(names(0), names(1));
    let objects: Vec<Vec<u8>> = (0..2)
        .flat_map(|number| ["baseline.so", "sealed.so"].map(|name| format!("trials/{number:03}/{name}")))
        .map(|name| fs::read(folder.join(name)).unwrap())
        .collect();
    let block = objects[0]
        .windows(MARK.len())
        .position(|window| window == MARK)
        .unwrap();
    for object in &objects[1..] {
        let outside = |object: &[u8]| [&object[..block + MARK.len()], &object[block + BLOCK_LEN..]].concat();
        assert_eq!(outside(object), outside(&objects[0]));
        let masked = |object: &[u8]| object[block + MARK.len()..block + BLOCK_LEN].to_vec();
        let equal = masked(object)
            .iter()
            .zip(masked(&objects[0]))
            .filter(|(one, other)| **one == *other)
            .count();
        // Of 2,048 random bytes, 8 are equal by chance.
        assert!(equal < 60, "{equal} bytes are equal");
    }
}
