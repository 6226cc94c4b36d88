//! What an experiment asks for that a condition does not have.

use std::path::Path;

use engines::InstalledProgram;
use model::{Condition, Experiment, NeighbourCpus, ServerUnderTest};

use crate::launch::local::neighbour;
use crate::program::found;
use crate::proxies;

const PACKAGES: &str = "sut/macro/ says which package has it";

/// Why it cannot be run in a condition, even where that can be had.
pub(crate) fn lacking(experiment: &Experiment, condition: Condition) -> Option<String> {
    let missing = experiment
        .proxies
        .iter()
        .find_map(proxies::lacking)
        .or_else(|| experiment.neighbour.as_ref().and_then(neighbour::lacking));
    let missing = missing.or_else(|| missing_file(&experiment.sut));
    let program = program(&experiment.sut);
    if matches!(condition, Condition::Local(_)) {
        let program = program.filter(|program| found(Path::new(program)).is_none());
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

/// Why a neighbour cannot be where it is asked for: in pods, the prober may have a processor of its own.
fn not_beside(experiment: &Experiment, condition: Condition) -> Option<String> {
    let on = experiment.neighbour.as_ref()?.cpus;
    (condition != Condition::Docker && on == NeighbourCpus::Loadgen).then(|| {
        "neighbour: in pods nothing can be put onto the prober's processor; use cpus = \"arms\" or \"all\"".to_owned()
    })
}

/// Why containers that share a network namespace cannot all have such a server.
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

/// The first of its files that is not there, of those that have a place of their own.
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

/// The program that must be installed for it.
fn program(sut: &ServerUnderTest) -> Option<&str> {
    match sut {
        ServerUnderTest::Synthetic(_) | ServerUnderTest::File { .. } | ServerUnderTest::Application(_) => None,
        ServerUnderTest::Command(program) => program.command.first().map(String::as_str),
    }
}
