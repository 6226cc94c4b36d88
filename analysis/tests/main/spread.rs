//! Ratios of spreads and differences of estimates against SciPy.

use analysis::{
    covariance_of_means, difference_of_estimates, estimate, inverse_variance_interval, paired_spread_ratio,
    ratio_of_estimates, ratio_of_paired_means, spread_ratio,
};
use serde_json::Value;

use crate::reference::{list, numbers, parse};

#[track_caller]
fn close(what: &str, found: &[f64], expected: &Value) {
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1e-6),
            "{what}: {found} instead of {expected}"
        );
    }
}

#[test]
fn they_agree_with_scipy() {
    for case in list(&parse(include_str!("../reference/spread.json"))["cases"]) {
        let (one, other) = (numbers(&case["one"]), numbers(&case["other"]));
        let (first, second) = (estimate(&one).unwrap(), estimate(&other).unwrap());
        let flat = |(value, (low, high))| [value, low, high];
        let found = flat(spread_ratio(&one, &other).unwrap());
        close("ratio", &found, &case["spread_ratio"]);
        let found = flat(difference_of_estimates(&first, &second).unwrap());
        close("difference", &found, &case["difference"]);
        let found = flat(ratio_of_estimates(&first, &second, 0.0).unwrap());
        close("ratio of means", &found, &case["ratio"]);
        match paired_spread_ratio(&one, &other) {
            Some(found) => close("paired", &flat(found), &case["paired"]),
            None => assert!(case["paired"].is_null()),
        }
        let (low, high) = inverse_variance_interval(0.25, one.len()).unwrap();
        close("inverse variance", &[low, high], &case["inverse_variance"]);
    }
}

#[test]
fn what_does_not_vary_has_no_ratio() {
    let wide = [1.0, 2.0, 3.0, 4.0, 5.0];
    assert_eq!(spread_ratio(&wide, &[5.0; 10]), None);
    assert_eq!(spread_ratio(&[5.0; 10], &wide), None);
    assert_eq!(spread_ratio(&wide, &[5.0, 5.0, 5.0, 5.0, 9.0]), None);
    assert_eq!(spread_ratio(&wide, &wide[..3]), None);
    assert_eq!(paired_spread_ratio(&[1.0, 2.0, 3.0, 4.0], &[1.0; 4]), None);
    assert_eq!(paired_spread_ratio(&[1.0, 2.0, 3.0], &[1.0, 2.0, 4.0]), None);
    assert_eq!(inverse_variance_interval(1.0, 1), None);
    // Two constant estimates differ by a constant.
    let flat = estimate(&[5.0; 10]).unwrap();
    assert_eq!(difference_of_estimates(&flat, &flat).unwrap(), (0.0, (0.0, 0.0)));
}

#[test]
fn a_divisor_that_may_be_zero_gives_no_ratio() {
    let near_zero = estimate(&[-1.0, 2.0, 0.5]).unwrap();
    let far = estimate(&[10.0, 11.0, 12.0]).unwrap();
    assert_eq!(ratio_of_estimates(&far, &near_zero, 0.0), None);
    let (ratio, (low, high)) = ratio_of_estimates(&near_zero, &far, 0.0).unwrap();
    assert!(low < 0.0 && 0.0 < ratio && ratio < high);
}

#[test]
fn a_ratio_of_means_ends_where_the_difference_ceases_to_hold_zero() {
    let observed = [700.0, 820.0, 640.0, 910.0, 760.0, 780.0];
    let predicted = [420.0, 450.0, 400.0, 470.0, 430.0, 410.0];
    let (value, (low, high)) = ratio_of_paired_means(&observed, &predicted).unwrap();
    assert!((value - 4_610.0 / 2_580.0).abs() < 1e-12);
    assert!(low < value && value < high);
    for end in [low, high] {
        let left: Vec<f64> = observed.iter().zip(&predicted).map(|(y, x)| y - end * x).collect();
        let (below, above) = estimate(&left).unwrap().confidence_interval;
        assert!(below.abs().min(above.abs()) < 1e-9, "{below} to {above}");
    }
    // Noise makes a launch negative: no logarithm is needed. What cannot be told from zero divides nothing.
    assert!(ratio_of_paired_means(&[-10.0, 30.0, 20.0], &[5.0, 5.1, 4.9]).is_some());
    assert_eq!(ratio_of_paired_means(&[30.0, 20.0, 25.0], &[-1.0, 2.0, 0.5]), None);
}

/// A/A differences of recorded launches, ns: `r04` with a neighbour that uses half a processor, and without a neighbour. Snedecor's F
/// gives 15.3 [7.6, 30.7], which rests on one launch.
#[test]
fn one_disturbed_launch_of_ten_shows_no_spread() {
    let neighbour = [195.5, -115.5, -241.0, 81.0, -4221.5, -10.0, 19.5, -54.5, 0.0, 0.5];
    let none = [128.0, 180.5, 14.5, -50.0, 101.0, 0.0, 20.0, 94.5, -111.0, 10.0];
    let (ratio, (low, high)) = spread_ratio(&neighbour, &none).unwrap();
    assert!(ratio > 10.0 && low < 1.0 && high > 100.0, "{ratio} [{low}, {high}]");
}

#[test]
fn a_ratio_does_not_depend_on_units_or_on_the_side_that_comes_first() {
    let one = [3.0, -1.0, 4.0, 1.0, -5.0, 9.0];
    let other = [2.0, 7.0, -1.0, 8.0, 2.0, -8.0];
    for ratio in [spread_ratio, paired_spread_ratio] {
        let (value, (low, high)) = ratio(&one, &other).unwrap();
        let (inverse, (least, most)) = ratio(&other, &one).unwrap();
        for (one, other) in [(value, inverse), (low, most), (high, least)] {
            assert!((one * other - 1.0).abs() < 1e-12);
        }
        let moved: Vec<f64> = one.iter().map(|value| 1_000.0 * value + 77.0).collect();
        assert!((ratio(&moved, &other).unwrap().0 / value - 1_000.0).abs() < 1e-6);
    }
}

/// The divisor's launches share a part with the numerator's, as the cost of a proxy and the cost of a hook share the unmodified
/// arm of the cell without a proxy: (w - u) / (h - u) for w = 3, u = 1, h = 2.
#[test]
fn the_interval_of_a_ratio_with_a_shared_arm_takes_the_covariance_into_account() {
    let unmodified: [f64; 6] = [0.0, 2.0, 0.5, 1.5, 1.2, 0.8];
    let hook: Vec<f64> = unmodified.iter().map(|u| 1.0 + u + 0.05 * (u - 1.0).powi(2)).collect();
    let proxy = estimate(&[3.1, 2.9, 3.05, 2.95, 3.0, 3.0]).unwrap();
    let hooks: Vec<f64> = hook
        .iter()
        .zip(&unmodified)
        .map(|(hook, unmodified)| hook - unmodified)
        .collect();
    let less: Vec<f64> = unmodified.iter().map(|unmodified| -unmodified).collect();
    let shared = estimate(&less).unwrap();
    let mut cost = proxy;
    cost.value += shared.value;
    cost.launch_sd = proxy.launch_sd.hypot(shared.launch_sd);
    let divisor = estimate(&hooks).unwrap();
    let covariance = covariance_of_means(&less, &hooks);
    let (ratio, (low, high)) = ratio_of_estimates(&cost, &divisor, covariance).unwrap();
    // The ends are where the difference of both is just significant, covariance included.
    for end in [low, high] {
        let variance =
            (cost.standard_error().powi(2) + (end * divisor.standard_error()).powi(2) - 2.0 * end * covariance).sqrt();
        let t = (cost.value - end * divisor.value).abs() / variance;
        assert!((t - 2.570_581_835_636_314).abs() < 1e-6, "{t}");
    }
    assert!(low < ratio && ratio < high);
}
