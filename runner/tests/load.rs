//! Levels of load: shares of a capacity that is measured first.

use dataset::Grid;
use model::{Arrivals, CAPACITY_LEVEL, LOAD_FACTOR, Schedule};

use crate::common::{Desk, failure, file, success};

/// The definition with short launches and low levels.
fn short() -> String {
    let text = std::fs::read_to_string(file("experiments/load.toml")).unwrap();
    let text = text.replace("runs = 8_000", "runs = 200");
    let text = text.replace("rounds = 32_000", "rounds = 600");
    let text = text.replace("rounds = 8_000", "rounds = 200");
    let text = text.replace("launches = 10", "launches = 2");
    let text = text.replace("[0.1, 0.5, 0.8, 0.9]", "[0.1, 0.3]");
    let text = text.replace("block_s = 0.5\nblocks = 4", "block_s = 0.3\nblocks = 1");
    assert!(text.contains("blocks = 1") && text.contains("launches = 2"), "{text}");
    text
}

#[test]
#[ignore = "second tier: a load generator that waits for a processor does not hold a rate"]
fn levels_are_shares_of_the_measured_capacity() {
    let desk = Desk::new();
    success(&mut desk.run(&short()));
    let grid = Grid::open(&desk.path("run")).unwrap();
    let levels: Vec<&str> = grid
        .cells
        .iter()
        .map(|(levels, _)| levels[LOAD_FACTOR].as_str())
        .collect();
    assert_eq!(levels, [CAPACITY_LEVEL, "10 %", "30 %"]);
    let mut rates = Vec::new();
    for (levels, run) in &grid.cells {
        let plan = run.manifest.plan.as_ref().unwrap();
        assert_eq!(run.manifest.launches.len(), 2);
        if levels[LOAD_FACTOR] == CAPACITY_LEVEL {
            assert_eq!(plan.load.arrivals, Arrivals::Saturated);
            continue;
        }
        let Arrivals::Poisson(rate) = plan.load.arrivals else {
            panic!("{plan:?}");
        };
        rates.push(rate);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "requests of a block"
        )]
        let requests = (0.3 * rate).round() as u32;
        assert_eq!(plan.load.schedule, Schedule::Runs(requests));
        // 20 µs of work are the most of a request, and the delay is a twentieth of it.
        assert!(
            (500..3_000).contains(&plan.arm("delay").unwrap().delay_ns.unwrap()),
            "{plan:?}"
        );
    }
    assert!((rates[1] / rates[0] - 3.0).abs() < 1e-9, "{rates:?}");
    // The same command finds everything finished.
    success(&mut desk.run(&short()));
}

#[test]
fn levels_of_load_need_one_condition() {
    let desk = Desk::new();
    let text = short().replace("[\"local-pod\"]", "[\"local-pod\", \"local-bridge\"]");
    let error = failure(&mut desk.run(&text));
    assert!(error.contains("2 conditions; expected one"), "{error}");
}
