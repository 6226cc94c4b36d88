//! The runner refuses invalid definitions before it measures, and prints the reason.

use crate::common::{Desk, SMALL, failure};

/// The error for a definition in which one line was replaced, and nothing measured.
fn refused(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    let desk = Desk::new();
    let error = failure(&mut desk.run(&SMALL.replacen(from, to, 1)));
    assert!(!desk.path("run/manifest.json").exists());
    assert!(error.contains("experiment.toml"), "names no file: {error}");
    error
}

#[test]
fn a_definition_with_an_unknown_key() {
    let error = refused("launches = 2", "lanches = 2");
    assert!(
        error.contains("unknown field `lanches`") && error.contains("line 5"),
        "{error}"
    );
}

#[test]
fn a_definition_with_a_negative_count() {
    let error = refused("rounds = 60", "rounds = -60");
    assert!(error.contains("line 10") && error.contains("-60"), "{error}");
    let error = refused("launches = 2", "launches = -2");
    assert!(error.contains("line 5") && error.contains("-2"), "{error}");
}

#[test]
fn a_definition_that_contradicts_itself() {
    let error = refused("launches = 2", "launches = 0");
    assert!(error.contains("`launches`: 0; expected at least 1"), "{error}");
    let error = refused("conditions = [\"local-pod\", \"local-bridge\"]", "conditions = []");
    assert!(error.contains("`conditions`: none"), "{error}");
    let error = refused("baseline = \"unmodified\"", "baseline = \"bare\"");
    assert!(error.contains("there is no arm bare"), "{error}");
    let error = refused("name = \"scan\"", "name = \"unmodified\"");
    assert!(error.contains("two arms have this name"), "{error}");
    let error = refused("delay_ns = 1_000", "");
    assert!(error.contains("needs delay_ns"), "{error}");
    let error = refused("treatment = \"scan\"", "treatment = \"scan\"\ndelay_ns = 1");
    assert!(error.contains("delay_ns is only for the treatment delay"), "{error}");
    let error = refused("\"local-bridge\"", "\"docker-swarm\"");
    assert!(error.contains("docker-swarm") && error.contains("local-pod"), "{error}");
    let error = refused("warm_up_rounds = 10", "warm_up_rounds = 60");
    assert!(error.contains("warm_up_rounds"), "{error}");
    let error = refused("receive = \"read\"", "receive = \"gets\"");
    assert!(
        error.contains("line 23") && error.contains("expected `read` or `recv`"),
        "{error}"
    );
}

#[test]
fn a_definition_or_a_hook_that_is_not_there() {
    let desk = Desk::new();
    let mut command = desk.run(SMALL);
    std::fs::remove_file(desk.path("experiment.toml")).unwrap();
    let error = failure(&mut command);
    assert!(
        error.contains("cannot read") && error.contains("experiment.toml"),
        "{error}"
    );
    let error = failure(desk.run(SMALL).args(["--hook", "/nowhere/hook.so"]));
    assert!(
        error.contains("the hook /nowhere/hook.so is not there; build it by"),
        "{error}"
    );
    std::fs::remove_file(desk.path("bin/sut")).unwrap();
    let error = failure(&mut desk.run(SMALL));
    assert!(error.contains("sut is not in"), "{error}");
    assert!(!desk.path("run").exists());
}

#[test]
fn a_shared_object_that_is_not_the_hook() {
    let desk = Desk::new();
    let error = failure(desk.run(SMALL).arg("--hook").arg(desk.path("experiment.toml")));
    assert!(error.contains("was not loaded into the server"), "{error}");
}
