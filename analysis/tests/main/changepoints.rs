//! Levels of series against `ruptures`, and the names of their steadiness.

use analysis::{SegmentMedians, Steadiness, levels};
use proptest::prelude::*;

use crate::reference::{list, numbers, parse};

#[test]
fn changepoints_agree_with_ruptures() {
    for case in list(&parse(include_str!("../reference/changepoints.json"))["cases"]) {
        let series = numbers(&case["series"]);
        let found = levels(&series).unwrap();
        assert_eq!(serde_json::json!(found.changepoints), case["changepoints"]);
        assert_eq!(found.means.len(), found.changepoints.len() + 1);
    }
}

#[test]
fn what_settles_is_called_so() {
    let wave = |index: usize| [0.0, 3.0, -2.0, 1.0, -3.0][index % 5];
    let steps = |levels: &[(f64, usize)]| -> Vec<f64> {
        let all = levels
            .iter()
            .flat_map(|(level, length)| std::iter::repeat_n(*level, *length));
        all.enumerate().map(|(index, level)| level + wave(index)).collect()
    };
    for (parts, expected, settled) in [
        (&[(100.0, 60)][..], Steadiness::Flat, 0),
        (&[(150.0, 10), (100.0, 50)], Steadiness::WarmUp, 10),
        (&[(100.0, 30), (150.0, 30)], Steadiness::Slowdown, 30),
        (&[(100.0, 50), (150.0, 10)], Steadiness::NoSteadyState, 50),
    ] {
        let found = levels(&steps(parts)).unwrap();
        assert_eq!(
            (found.steadiness, found.settled_from()),
            (expected, settled),
            "{found:?}"
        );
    }
    assert_eq!(levels(&[1.0, 2.0, 3.0]), None);
    assert_eq!(levels(&[1.0, f64::NAN, 3.0, 4.0]), None);
    assert_eq!(levels(&[5.0; 10]).unwrap().steadiness, Steadiness::Flat);
}

#[test]
fn segments_become_their_medians() {
    let mut segments = SegmentMedians::default();
    for (segment, value) in [(0, 5), (0, 1), (0, 3), (2, 8), (2, 10), (3, 7)] {
        segments.add(segment, value);
    }
    assert_eq!(segments.medians(), [3.0, 9.0, 7.0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shift_and_scale_move_no_changepoint(
        series in prop::collection::vec(-100.0_f64..100.0, 4..60),
        shift in -1e3_f64..1e3,
    ) {
        let moved: Vec<f64> = series.iter().map(|value| 4.0 * value + shift).collect();
        let (one, other) = (levels(&series).unwrap(), levels(&moved).unwrap());
        prop_assert_eq!(one.changepoints, other.changepoints);
    }
}
