//! Requirements of an experiment that a condition does not meet.

use std::path::Path;

use engines::InstalledProgram;
use model::{Condition, Experiment, NeighbourCpus, ServerUnderTest};

use crate::program::is_missing;
use crate::proxies;

const PACKAGES: &str = "sut/macro/ says which package has it";

/// Returns the reason why an experiment cannot run in a condition although the condition is available; `None` if it
/// can run.
pub(crate) fn lacking(experiment: &Experiment, condition: Condition) -> Option<String> {
    let missing = experiment
        .proxies
        .iter()
        .find_map(proxies::lacking)
        .or_else(|| missing_neighbour(experiment));
    let missing = missing.or_else(|| missing_file(&experiment.sut));
    let program = program(&experiment.sut);
    if matches!(condition, Condition::Local(_)) {
        let program = program.filter(|program| is_missing(program));
        let installed = program.map(|program| format!("{program} is not installed; {PACKAGES}"));
        return installed.or(missing);
    }
    let program = program.and_then(|program| InstalledProgram::find(program).err());
    let installed = program.map(|error| format!("{error}; {PACKAGES}"));
    installed
        .or(missing)
        .or_else(|| port_taken(experiment, condition))
        .or_else(|| not_beside(experiment, condition))
}

/// Returns the reason why a neighbour cannot be started on this machine.
fn missing_neighbour(experiment: &Experiment) -> Option<String> {
    let program = experiment.neighbour.as_ref()?.command.first()?;
    is_missing(program)
        .then(|| format!("neighbour: {program} is not installed; on Debian, try `apt-get install {program}`"))
}

/// Returns the reason why a neighbour cannot run on the load generator's processor. In pods the load generator can own
/// its processor.
fn not_beside(experiment: &Experiment, condition: Condition) -> Option<String> {
    let on = experiment.neighbour.as_ref()?.cpus;
    (condition != Condition::Docker && on == NeighbourCpus::Loadgen).then(|| {
        "neighbour: in pods no other program can run on the load generator's processor; use cpus = \"arms\" or \"all\""
            .to_owned()
    })
}

/// Returns the reason why containers that share a network namespace cannot all run the server.
fn port_taken(experiment: &Experiment, condition: Condition) -> Option<String> {
    match &experiment.sut {
        ServerUnderTest::Command(program) if condition != Condition::Docker && !program.takes_port() => Some(
            "containers of a pod share their ports, and the server listens on one that it cannot be told; write \
             {port} into its command"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Returns the first file of the server that has an absolute path and is missing.
fn missing_file(sut: &ServerUnderTest) -> Option<String> {
    let ServerUnderTest::Command(program) = sut else {
        return None;
    };
    let mut named = program
        .image_patterns()
        .filter(|path| path.starts_with('/') && !path.contains('*'));
    let missing = named.find(|path| !Path::new(path).exists())?;
    Some(format!("{missing} is not there; {PACKAGES}"))
}

/// Returns the program that must be installed for a server.
fn program(sut: &ServerUnderTest) -> Option<&str> {
    match sut {
        ServerUnderTest::Synthetic(_) | ServerUnderTest::File { .. } | ServerUnderTest::Application(_) => None,
        ServerUnderTest::Command(program) => program.command.first().map(String::as_str),
    }
}
