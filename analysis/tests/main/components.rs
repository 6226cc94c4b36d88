//! Variance components against statsmodels and SciPy (`tests/reference/components.py`); plans that reach their goals.

use analysis::stats::components::{Component, ComponentsError, Level, of_segments};
use analysis::stats::power::{Goal, POWER, PowerError, half_width, launches_for, mde};
use analysis::{AllocationBounds, Pilot};
use proptest::prelude::*;
use serde_json::Value;

use crate::reference::{assert_close, list, number, numbers, parse};

fn reference() -> Value {
    parse(include_str!("../reference/components.json"))
}

#[track_caller]
fn assert_same(found: &[Component], expected: &Value) {
    assert_eq!(found.len(), list(expected).len());
    for (found, expected) in found.iter().zip(list(expected)) {
        let what = format!("{:?}", found.level);
        assert_close(&what, found.unbiased, number(&expected["unbiased"]));
        assert_close(&what, found.variance, number(&expected["variance"]));
        assert_close(&what, found.confidence_interval.0, number(&expected["low"]));
        assert_close(&what, found.confidence_interval.1, number(&expected["high"]));
        assert_eq!(Some(found.degrees_of_freedom), expected["df"].as_u64(), "{what}");
    }
}

#[test]
fn components_agree_with_statsmodels() {
    for case in list(&reference()["components"]["segments"]) {
        let launches: Vec<Vec<f64>> = list(&case["launches"]).iter().map(numbers).collect();
        assert_same(&of_segments(&launches).unwrap(), &case["components"]);
    }
}

#[test]
fn what_has_no_components_says_why() {
    let found = |launches: &[&[f64]]| of_segments(&launches.iter().map(|launch| launch.to_vec()).collect::<Vec<_>>());
    assert_eq!(found(&[]), Err(ComponentsError::TooFewLaunches { found: 0 }));
    assert_eq!(
        found(&[&[1.0, 2.0], &[]]),
        Err(ComponentsError::TooFewLaunches { found: 1 })
    );
    assert_eq!(found(&[&[1.0], &[2.0]]), Err(ComponentsError::OneSegment));
    for bad in [f64::NAN, f64::INFINITY] {
        let error = found(&[&[1.0, 2.0], &[1.0, bad]]).unwrap_err();
        assert_eq!(error, ComponentsError::NoNumber { launch: 1, segment: 1 });
    }
    // Without any spread all is zero, and nothing is not a number.
    for component in found(&[&[3.0, 3.0], &[3.0, 3.0]]).unwrap() {
        assert_eq!((component.variance, component.confidence_interval), (0.0, (0.0, 0.0)));
    }
}

#[test]
fn from_ten_launches_on_a_minimum_detectable_effect_is_found_as_often_as_it_says() {
    for row in list(&reference()["minimum_detectable_effects"]) {
        let launches = u32::try_from(row["launches"].as_u64().unwrap()).unwrap();
        assert_close(
            &row.to_string(),
            mde(1.0, launches, 0.95, POWER).unwrap(),
            number(&row["mde"]),
        );
        let tolerance = if launches < 10 { 0.04 } else { 0.01 };
        assert!((number(&row["power"]) - POWER).abs() < tolerance, "{row}");
    }
}

#[test]
fn launches_are_the_fewest_that_reach_the_goal() {
    for goal in [
        Goal::HalfWidth(20.0),
        Goal::Effect { size: 30.0, power: 0.8 },
        Goal::Effect { size: 9.0, power: 0.9 },
    ] {
        let reached = |launches| match goal {
            Goal::HalfWidth(wanted) => half_width(70.0, launches, 0.95).unwrap() <= wanted,
            Goal::Effect { size, power } => mde(70.0, launches, 0.95, power).unwrap() <= size,
        };
        let launches = launches_for(goal, 70.0, 0.95).unwrap();
        assert!(reached(launches) && !reached(launches - 1), "{goal:?}: {launches}");
    }
    assert_eq!(launches_for(Goal::HalfWidth(1.0), 0.0, 0.95), Ok(2));
}

#[test]
fn numbers_that_make_no_plan_are_named() {
    for (launch_sd, launches, confidence) in [(-1.0, 3, 0.95), (f64::NAN, 3, 0.95), (1.0, 3, 1.0), (1.0, 3, f64::NAN)] {
        assert!(matches!(
            half_width(launch_sd, launches, confidence),
            Err(PowerError::Number { .. })
        ));
    }
    assert_eq!(half_width(1.0, 1, 0.95), Err(PowerError::TooFewLaunches(1)));
    assert!(matches!(
        mde(1.0, 3, 0.95, 0.2),
        Err(PowerError::Number { what: "power", .. })
    ));
    assert!(matches!(
        launches_for(Goal::HalfWidth(0.0), 1.0, 0.95),
        Err(PowerError::Number { what: "goal", .. })
    ));
    assert!(matches!(
        launches_for(Goal::HalfWidth(1e-9), 1e6, 0.95),
        Err(PowerError::Unreachable { .. })
    ));
}

const PILOT: Pilot = Pilot {
    launch_variance: 900.0,
    segment_variance: 2_500.0,
    segment_rounds: 1_000,
    launch_s: 1.5,
    round_s: 0.000_3,
};
const LIMITS: AllocationBounds = AllocationBounds {
    least_launches: 2,
    least_rounds: 100,
    most_rounds: 1_000_000,
};

/// Variance of the mean that a budget buys, with so many rounds per launch and launches in fractions.
fn variance(pilot: &Pilot, rounds: f64) -> f64 {
    let of_launch = pilot.launch_variance + pilot.segment_variance * 1_000.0 / rounds;
    of_launch * (pilot.launch_s + rounds * pilot.round_s)
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "rounds")]
fn no_other_split_buys_more() {
    let rounds = PILOT.best_rounds(&LIMITS).unwrap();
    // √(1.5 · 2.5e6 / (0.0003 · 900)) = 3,726.8.
    assert_eq!(rounds, 3_727);
    let best = variance(&PILOT, rounds as f64);
    for other in (100..60_000).step_by(97) {
        assert!(variance(&PILOT, f64::from(other)) >= best * (1.0 - 1e-6), "{other}");
    }
    let equal = Pilot {
        launch_variance: 0.0,
        ..PILOT
    };
    assert_eq!(equal.best_rounds(&LIMITS), Ok(1_000_000));
    let quiet = Pilot {
        segment_variance: 0.0,
        ..PILOT
    };
    assert_eq!(quiet.best_rounds(&LIMITS), Ok(100));
    let none = AllocationBounds {
        most_rounds: 10,
        ..LIMITS
    };
    assert_eq!(
        PILOT.best_rounds(&none),
        Err(PowerError::Bounds { least: 100, most: 10 })
    );
    for bad in [
        Pilot {
            launch_s: f64::NAN,
            ..PILOT
        },
        Pilot { round_s: 0.0, ..PILOT },
        Pilot {
            segment_rounds: 0,
            ..PILOT
        },
        Pilot {
            launch_variance: -1.0,
            ..PILOT
        },
    ] {
        assert!(
            matches!(bad.best_rounds(&LIMITS), Err(PowerError::Number { .. })),
            "{bad:?}"
        );
    }
}

#[test]
fn a_plan_reaches_its_goal_and_needs_what_it_takes() {
    let split = PILOT.allocate(Goal::HalfWidth(10.0), 0.95, &LIMITS).unwrap();
    assert_eq!(split.rounds, 3_727);
    assert!(split.half_width <= 10.0 && split.launches > 10, "{split:?}");
    assert!((split.seconds - f64::from(split.launches) * (1.5 + 3_727.0 * 0.000_3)).abs() < 1e-9);
    // A coarse goal takes the fewest launches allowed, and no more rounds than these need.
    let at_least_ten = AllocationBounds {
        least_launches: 10,
        ..LIMITS
    };
    let coarse = PILOT.allocate(Goal::HalfWidth(40.0), 0.95, &at_least_ten).unwrap();
    assert_eq!(coarse.launches, 10);
    assert!(coarse.rounds < 3_727 && coarse.half_width <= 40.0, "{coarse:?}");
    assert!(half_width(PILOT.launch_sd(coarse.rounds - 1), 10, 0.95).unwrap() > 40.0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn components_ignore_shifts_and_order_and_scale_by_the_square(
        mut launches in prop::collection::vec(prop::collection::vec(-100.0_f64..100.0, 2..6), 2..6),
        shift in -1e3_f64..1e3,
        scale in 0.1_f64..10.0,
    ) {
        let before = of_segments(&launches).unwrap();
        for launch in &mut launches {
            launch.reverse();
            for value in launch {
                *value = *value * scale + shift;
            }
        }
        launches.reverse();
        let after = of_segments(&launches).unwrap();
        let total = before[0].variance + before[1].variance;
        for (before, after) in before.iter().zip(&after) {
            prop_assert!((after.unbiased - before.unbiased * scale * scale).abs() <= 1e-6 * total * scale * scale);
        }
        prop_assert_eq!(before[1].level, Level::Segment);
    }
}
