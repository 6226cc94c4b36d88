//! Imports the recordings of the 2023 study (Kahlhofer et al., SSP 2023, arXiv 2310.12702) as a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use model::{
    ArmRecord, Clock, ConditionRecord, Host, LAUNCH_RECORD_FILE, LaunchRecord, LimitEnforcement, MANIFEST_VERSION,
    Machine, Manifest, OBSERVATIONS_FILE, launch_folder,
};

use crate::atomic_file::write_file;
use crate::checksum::{file_record, sha256};
use crate::error::Error;
use crate::file_header::FileHeader;
use crate::launch_folder::UnfinishedLaunch;
use crate::observation::Observation;
use crate::observation_writer::ObservationWriter;
use crate::run::write_manifest;
use crate::ssp2023_recording::{Recording, read_recording};
use model::RequestOutcome;

/// Commit of the study's repository to which the checksums belong.
pub const COMMIT: &str = "c6b91d83e6f7da570dc218fd9e73755ac84e1b91";
/// The study's public repository.
pub const REPOSITORY: &str = "https://github.com/dynatrace-research/function-hook-latency-benchmarking";

/// One condition of the study: its name, and the file and the SHA-256 of its unmodified and of its hooked recording.
struct StudyCondition {
    name: &'static str,
    files: [(&'static str, &'static str); 2],
}

const CONDITIONS: [StudyCondition; 4] = [
    StudyCondition {
        name: "docker",
        files: [
            (
                "docker-without-hook-benchmark_15-30-06_1691767806057.csv",
                "e314b7695e1eeb72576735ca0441bcda60171a2eebcd60c0be571bb8bbc77709",
            ),
            (
                "docker-with-benchmark_15-35-50_1691768150270_8081.csv",
                "e221a64cd670557c9d49d5fbc43296a6fd325fb848b4f360f095c11e76066f85",
            ),
        ],
    },
    StudyCondition {
        name: "kind",
        files: [
            (
                "kind-without-hook-benchmark_16-25-22_1691771122967.csv",
                "c8867c7e8cd010f232ba3d69243c254baf2b8c3f10c16d787c52827a77a680da",
            ),
            (
                "kind-with-hook-benchmark_16-30-45_1691771445417.csv",
                "a44e2ee8699b22010b30087c6c5ec495242f97ea2d28d3799739ec317cfafe14",
            ),
        ],
    },
    StudyCondition {
        name: "eks-pod",
        files: [
            (
                "aws-pod-without-hook-benchmark_09-24-46_1691745886638.csv",
                "13a7dfabfd7cb4d52e2a45ef62d68b4efdd6d7d3c72b2e6881a7a8428fabaeb8",
            ),
            (
                "aws-pod-with-hook-benchmark_11-31-08_1691753468729.csv",
                "0d37375a74d38208ff44eb5494a7036e73fc6d88db3201094a12b500e212eec7",
            ),
        ],
    },
    StudyCondition {
        name: "eks-nodes",
        files: [
            (
                "aws-nodes-without-hook-benchmark_11-40-50_1691754050578.csv",
                "0b935df8ca0e39dce760889f0cce27f83cc85eb2e69071fd40ae2bf52df8627f",
            ),
            (
                "aws-nodes-with-hook-benchmark_11-46-54_1691754414125.csv",
                "fc23e8307798556e46a9cf45cfde060bfb605377439f89b08c3398df4eb6c294",
            ),
        ],
    },
];

const WORDS_SHA256: &str = "5e37b75bac36640b8836a5d67bbda49c5eac0064ec3f8f563c518a0b89436c29";
/// Name of the run and of its experiment.
const RUN: &str = "ssp2023";
/// Number of the only launch of each condition.
const LAUNCH: u32 = 0;
/// The load generator of the study.
const LOAD_GENERATOR: &str = "Locust HttpUser, one user, closed loop, arms one after the other";
/// Names of the two arms, in the order of recording.
const ARMS: [&str; 2] = ["unmodified", "hook"];

/// Imports the recordings from `from`, a folder with the eight files and the word list or a checkout of the study's
/// repository, to the run folder `to`. Returns the findings of the integrity check.
///
/// # Errors
/// When a file is missing, differs from the published one, or cannot be written.
pub fn import(from: &Path, to: &Path, command_line: Vec<String>) -> Result<Vec<String>, Error> {
    let started_unix_ns = now_unix_ns();
    fs::create_dir_all(to).map_err(Error::io("create", to))?;
    let (mut launches, mut notes, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for condition in &CONDITIONS {
        let launch = import_condition(condition, from, to, &mut notes)?;
        files.push(file_record(to, &launch.files.observations)?);
        let folder = launch_folder(condition.name, LAUNCH);
        files.push(file_record(to, &format!("{folder}/{LAUNCH_RECORD_FILE}"))?);
        launches.push(launch);
    }
    write_file(&to.join("words.txt"), words(from)?.as_bytes())?;
    files.push(file_record(to, "words.txt")?);
    write_manifest(
        to,
        &Manifest {
            schema_version: MANIFEST_VERSION,
            run_id: RUN.to_owned(),
            experiment: RUN.to_owned(),
            plan: None,
            plan_sha256: None,
            clock: Clock::Realtime,
            revision: None,
            command_line,
            started_unix_ns,
            finished_unix_ns: now_unix_ns(),
            // The recordings do not say on which machines they were made.
            machine: Machine::default(),
            host: Host::default(),
            tools: BTreeMap::from([
                ("dataset".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
                ("load generator".to_owned(), LOAD_GENERATOR.to_owned()),
                ("recordings".to_owned(), format!("{REPOSITORY} at {COMMIT}")),
            ]),
            conditions: CONDITIONS
                .iter()
                .map(|condition| ConditionRecord {
                    name: condition.name.to_owned(),
                    level: "recorded".to_owned(),
                    limits_by: LimitEnforcement::None,
                    kept_awake: false,
                    missing: None,
                    not_run: None,
                })
                .collect(),
            launches,
            files,
            notes: notes.clone(),
        },
    )?;
    Ok(notes)
}

fn import_condition(
    condition: &StudyCondition,
    from: &Path,
    to: &Path,
    notes: &mut Vec<String>,
) -> Result<LaunchRecord, Error> {
    let header = FileHeader {
        run: RUN.to_owned(),
        condition: condition.name.to_owned(),
        launch: LAUNCH,
        arms: ARMS.map(str::to_owned).to_vec(),
    };
    // The folder of an earlier import is removed, so that an import can be repeated.
    let folder = to.join(launch_folder(condition.name, LAUNCH));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))?;
    }
    let unfinished = UnfinishedLaunch::begin(to, condition.name, LAUNCH)?;
    let mut writer = ObservationWriter::create(&unfinished.path().join(OBSERVATIONS_FILE), header)?;
    let mut arms = Vec::new();
    for (arm, (name, checksum)) in (0_u16..).zip(condition.files) {
        let recording = read_recording(&verified(from, name, checksum)?)?;
        if let Some(damage) = recording.damage() {
            notes.push(format!(
                "{} {} ({name}): {damage}",
                condition.name,
                ARMS[usize::from(arm)]
            ));
        }
        writer.write(&rows(&recording, arm))?;
        arms.push(ArmRecord {
            arm: ARMS[usize::from(arm)].to_owned(),
            treatment: if arm == 0 { "unmodified" } else { "upstream" }.to_owned(),
            start_order: arm.into(),
            connection_order: arm.into(),
            address: "not recorded".to_owned(),
            limits: None,
            hook_mapped: None,
            requests_sent: recording.requests.len() as u64,
            telemetry: None,
            coverage: None,
            server: None,
            tight_loop: None,
            resources: None,
        });
    }
    writer.finish()?;
    let record = LaunchRecord {
        arms,
        ..LaunchRecord::of_observations(condition.name, LAUNCH)
    };
    unfinished.finish(&record)?;
    Ok(record)
}

fn rows(recording: &Recording, arm: u16) -> Vec<Observation> {
    (0_u32..)
        .zip(&recording.requests)
        .map(|(sequence, request)| Observation {
            round: sequence,
            position: 0,
            arm,
            sequence,
            connection: 0,
            request: 0,
            step: None,
            load_level_permille: None,
            block: None,
            intended_arrival_ns: request.start_unix_ns,
            user_send_ns: request.start_unix_ns,
            kernel_tx_ns: None,
            kernel_rx_ns: None,
            user_receive_ns: request.start_unix_ns + request.rtt_ns,
            outcome: RequestOutcome::Answered,
            http_status: 200,
            // The study recorded only successful answers, and neither their code nor their length.
            bytes: 0,
            warm_up: sequence < 4_000,
        })
        .collect()
}

/// Returns the path of a recording in either layout of `from`, if its checksum is the published one.
fn verified(from: &Path, name: &str, checksum: &str) -> Result<PathBuf, Error> {
    let candidates = [from.join(name), from.join("results/data").join(name)];
    let path = candidates.iter().find(|path| path.exists()).ok_or_else(|| {
        Error::foreign(
            from,
            format!("{name} is not there"),
            format!("a folder with the eight recordings, or a checkout of {REPOSITORY} at {COMMIT}"),
        )
    })?;
    let found = sha256(path)?;
    if found != checksum {
        return Err(Error::Checksum {
            path: path.clone(),
            expected: checksum.to_owned(),
            found,
        });
    }
    Ok(path.clone())
}

/// Returns the hook's keywords, one a line, from `words.txt` or from the hook's source.
fn words(from: &Path) -> Result<String, Error> {
    let list = from.join("words.txt");
    let (path, text) = if list.exists() {
        let text = fs::read_to_string(&list).map_err(Error::io("read", &list))?;
        (list, text)
    } else {
        let source = from.join("hook/src/main.c");
        let text = fs::read_to_string(&source).map_err(Error::io("read", &source))?;
        let words = words_in_source(&text);
        (source, words)
    };
    let found = crate::sha256_of(text.as_bytes());
    if found != WORDS_SHA256 {
        return Err(Error::Checksum {
            path,
            expected: WORDS_SHA256.to_owned(),
            found,
        });
    }
    Ok(text)
}

/// Returns the string literals of the longest brace-enclosed list in C source, one a line.
fn words_in_source(source: &str) -> String {
    let lists = source
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(list, _)| list);
    let longest = lists.max_by_key(|list| list.matches('"').count()).unwrap_or_default();
    longest
        .split('"')
        .skip(1)
        .step_by(2)
        .flat_map(|word| [word, "\n"])
        .collect()
}

fn now_unix_ns() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::words_in_source;

    #[test]
    fn words_are_the_literals_of_the_longest_list() {
        let source = "int a[] = {1}; const char *k[] = {\n  \".php\", \"admin\",\n\"x\" };\nputs(\"no\");";
        assert_eq!(words_in_source(source), ".php\nadmin\nx\n");
    }
}
