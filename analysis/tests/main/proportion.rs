//! Proportions against SciPy, and their properties for any counts.

use analysis::{ProportionError, proportion};
use proptest::prelude::*;

use crate::reference::{assert_within, list, number, parse};

#[test]
fn shares_agree_with_scipy() {
    for row in list(&parse(include_str!("../reference/proportion.json"))["rows"]) {
        let value = |index: usize| number(&row[index]);
        let found = proportion(row[0].as_u64().unwrap(), row[1].as_u64().unwrap()).unwrap();
        let (low, high) = found.confidence_interval;
        assert_within("low", low, value(3), 1e-9);
        assert_within("high", high, value(4), 1e-9);
        assert_within("p", found.p_value(value(2)), value(5), 1e-9);
    }
}

#[test]
fn what_is_no_share_is_an_error() {
    assert_eq!(proportion(0, 0), Err(ProportionError::NoTrial));
    assert_eq!(
        proportion(3, 2),
        Err(ProportionError::TooMany {
            successes: 3,
            trials: 2
        })
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn failures_mirror_successes(trials in 1_u64..500, share in 0.0_f64..=1.0, expected in 0.01_f64..0.99) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a count")]
        let successes = (share * trials as f64) as u64;
        let one = proportion(successes, trials).unwrap();
        let other = proportion(trials - successes, trials).unwrap();
        prop_assert!((one.confidence_interval.0 - (1.0 - other.confidence_interval.1)).abs() < 1e-9);
        prop_assert!((one.p_value(expected) - other.p_value(1.0 - expected)).abs() < 1e-9);
        prop_assert!(one.confidence_interval.0 <= one.value && one.value <= one.confidence_interval.1);
    }
}

#[test]
fn the_mean_of_shares_of_zero_and_one_has_the_interval_of_a_proportion() {
    let (value, ends) = analysis::mean_share(&[0.0, 0.0, 1.0, 0.0, 1.0, 0.0]).unwrap();
    let known = analysis::proportion(2, 6).unwrap();
    assert_eq!((value, ends), (known.value, known.confidence_interval));
    // Student's t gives [0.12, 1.21] here.
    let (value, (low, high)) = analysis::mean_share(&[0.0, 1.0, 1.0, 1.0, 1.0, 0.0]).unwrap();
    assert!(low < 0.3 && value < high && high < 1.0, "{low} to {high}");
    let (_, (low, high)) = analysis::mean_share(&[0.4, 0.6, 0.5]).unwrap();
    assert!(0.0 < low && low < 0.5 && 0.5 < high && high < 1.0);
    assert_eq!(analysis::mean_share(&[]), None);
    assert_eq!(analysis::mean_share(&[0.5, 1.5]), None);
}
