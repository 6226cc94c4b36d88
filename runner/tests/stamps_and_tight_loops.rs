//! Servers that stamp their requests, and hooks in a tight loop, as a run leaves them.

use crate::common::{Desk, SMALL, failure, success, warnings};
use dataset::{Run, read_server_calls, read_tight_loops};

fn with(changes: &[(&str, &str)]) -> String {
    let mut text = SMALL.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    text
}

const STAMPED: (&str, &str) = ("threads = 1", "threads = 1\nstamps = true");

#[test]
fn servers_stamp_each_request_and_loops_are_measured_beside_them() {
    let desk = Desk::new();
    let text = with(&[
        STAMPED,
        ("reads_per_request = 1", "reads_per_request = 2"),
        ("delay_ns = 1_000", "delay_ns = 1_000\nstamps = false"),
        ("[sut]", "[micro]\ncalls = 2_000\n\n[sut]"),
    ]);
    success(&mut desk.run(&text));
    let run = Run::open(&desk.path("run")).unwrap();
    assert!(!run.manifest.launches.is_empty());
    for launch in &run.manifest.launches {
        // A busy machine has warnings of its own.
        let stamped = warnings(launch)
            .iter()
            .any(|warning| warning.contains("the server stamped"));
        assert!(!stamped, "{:?}", warnings(launch));
        let calls = read_server_calls(&run.directory.join(launch.files.server_calls.as_ref().unwrap())).unwrap();
        // The third arm is told not to.
        let expected = [&launch.arms[0], &launch.arms[1]]
            .map(|arm| vec![arm.arm.clone(); 60])
            .concat();
        assert!(calls.iter().map(|(arm, _)| arm).eq(&expected));
        for (_, call) in &calls {
            // Two receive calls, after which the answer is sent.
            assert!(call.call_ns > 0 && call.handler_ns > call.call_ns, "{call:?}");
            assert!(call.bytes > 0 && call.start_ns > 0);
        }
        assert!(
            calls[..60]
                .iter()
                .zip(0..)
                .all(|((_, call), number)| call.sequence == number)
        );
        let summary = launch.arms[0].server.unwrap();
        assert_eq!((summary.records, summary.dropped), (50, 0));
        assert!(launch.arms[2].server.is_none());

        // Neither an unmodified arm nor one with a delay has a loop.
        let blocks = read_tight_loops(&run.directory.join(launch.files.tight_loops.as_ref().unwrap())).unwrap();
        assert_eq!(blocks.len(), 20);
        assert!(
            blocks
                .iter()
                .all(|(arm, block)| *arm == launch.arms[1].arm && block.elapsed_ns > 0)
        );
        let hooked: Vec<bool> = blocks.iter().map(|(_, block)| block.hooked).collect();
        assert_eq!(hooked[..4], [false, true, true, false]);
        let summary = launch.arms[1].tight_loop.unwrap();
        assert!(summary.blocks == 10 && summary.bare_ns_median > 0.0, "{summary:?}");
        assert!(launch.arms[0].tight_loop.is_none() && launch.arms[2].tight_loop.is_none());
    }
    let schema = serde_json::from_str(include_str!("../../dataset/manifest.schema.json")).unwrap();
    let text = std::fs::read_to_string(desk.path("run/manifest.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &serde_json::from_str(&text).unwrap()));
    for table in ["server_calls", "tight_loops"] {
        assert!(
            run.manifest
                .files
                .iter()
                .any(|file| file.path.ends_with(&format!("/{table}.parquet"))),
            "{table}"
        );
    }
}

#[test]
fn what_cannot_be_stamped_or_is_too_short_is_refused() {
    let desk = Desk::new();
    let others = SMALL.split("[sut]").next().unwrap().to_owned();
    let arms = &SMALL[SMALL.find("[[arm]]").unwrap()..];
    let server = "[sut]\nprogram = \"command\"\ncommand = [\"x\", \"{port}\"]";
    let error = failure(&mut desk.run(&format!("{others}{server}\nstamps = true\n\n{arms}")));
    assert!(error.contains("stamps"), "{error}");
    let text = format!("{others}{server}\n\n{arms}");
    let text = text.replacen("treatment = \"scan\"", "treatment = \"scan\"\nstamps = true", 1);
    let error = failure(&mut desk.run(&text));
    assert!(
        error.contains("only the synthetic server stamps its requests"),
        "{error}"
    );
    let error = failure(&mut desk.run(&with(&[("[sut]", "[micro]\ncalls = 10\n\n[sut]")])));
    assert!(error.contains("`micro.calls`: 10; expected at least 2000"), "{error}");
}
