//! Estimators against values from SciPy, NumPy and mpmath (`tests/reference`), whose script says how they were made.

use analysis::stats::{serial, student};
use analysis::{Distribution, FiveNumbers, estimate, within_margin};
use model::Location;
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/statistics.json")).expect("the reference is JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

#[track_caller]
fn assert_close(what: &str, found: f64, expected: f64, relative: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= relative * expected.abs().max(1e-300),
        "{what}: {found} instead of {expected}"
    );
}

#[test]
fn tails_agree_with_scipy_and_below_its_reach_with_mpmath() {
    for row in reference()["tails"].as_array().expect("a list") {
        let (t, df) = (number(&row["t"]), number(&row["df"]));
        let ln_p = student::ln_two_sided_p(t, df);
        // An error of ln p is a relative error of p.
        let error = (ln_p - number(&row["ln_p"])).abs();
        assert!(
            error < 1e-10,
            "t = {t}, df = {df}: ln p is {ln_p} instead of {}",
            row["ln_p"]
        );
        if number(&row["p"]) > 1e-290 {
            assert_close(&format!("p of t = {t}, df = {df}"), ln_p.exp(), number(&row["p"]), 1e-9);
        }
        assert!(
            (student::ln_two_sided_p(-t, df) - ln_p).abs() < f64::EPSILON,
            "two-sided is symmetric"
        );
    }
}

#[test]
fn quantiles_of_t_agree_with_scipy() {
    for row in reference()["quantiles"].as_array().expect("a list") {
        let (p, df) = (number(&row["p"]), number(&row["df"]));
        assert_close(
            &format!("t({p}, {df})"),
            student::quantile(p, df),
            number(&row["t"]),
            1e-9,
        );
    }
}

#[test]
fn estimates_and_equivalence_agree_with_scipy() {
    for row in reference()["estimates"].as_array().expect("a list") {
        let estimate = estimate(&numbers(&row["values"])).expect("enough launches");
        assert_close("mean", estimate.value, number(&row["mean"]), 1e-12);
        assert_close("low", estimate.confidence_interval.0, number(&row["low"]), 1e-9);
        assert_close("high", estimate.confidence_interval.1, number(&row["high"]), 1e-9);
        assert_close("sd", estimate.launch_sd, number(&row["sd"]), 1e-12);
        assert_close("mde", estimate.mde, number(&row["mde"]), 1e-9);
        let equivalence = within_margin(&estimate, number(&row["margin"])).expect("a margin");
        assert_close("TOST p", equivalence.p, number(&row["tost_p"]), 1e-8);
    }
}

#[test]
fn distributions_agree_with_numpy() {
    for row in reference()["samples"].as_array().expect("a list") {
        let values: Vec<i64> = row["values"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|value| value.as_i64().expect("whole"))
            .collect();
        let distribution: Distribution = values.iter().copied().collect();
        assert_close(
            "mean",
            distribution.mean().expect("not empty"),
            number(&row["mean"]),
            1e-12,
        );
        match &row["variance"] {
            Value::Null => assert_eq!(distribution.variance(), None),
            variance => assert_close(
                "variance",
                distribution.variance().expect("two"),
                number(variance),
                1e-12,
            ),
        }
        let trimmed = distribution.location(Location::TrimmedMean).expect("not empty");
        assert_close("trimmed mean", trimmed, number(&row["trimmed_mean"]), 1e-12);
        for (p, expected) in row["quantiles"].as_object().expect("a map") {
            let found = distribution.quantile(p.parse().expect("a share")).expect("not empty");
            assert_close(&format!("quantile {p}"), found, number(expected), 1e-12);
        }
        let five = FiveNumbers::of(&distribution).expect("not empty");
        assert_close(
            "lower whisker",
            five.whisker_low,
            number(&row["whisker_low"]).min(five.q1),
            1e-12,
        );
        assert_close(
            "upper whisker",
            five.whisker_high,
            number(&row["whisker_high"]).max(five.q3),
            1e-12,
        );
    }
}

#[test]
fn dependence_agrees_with_numpy() {
    let series = &reference()["series"];
    let values = numbers(&series["values"]);
    for (lag, expected) in series["autocorrelation"].as_object().expect("a map") {
        let lag = lag.parse().expect("a lag");
        let found = serial::autocorrelation(&values, lag).expect("pairs");
        assert!(
            (found - number(expected)).abs() < 1e-12,
            "lag {lag}: {found} instead of {expected}"
        );
    }
    let found = serial::effective_sample_size(&values, 20).expect("batches");
    assert_close(
        "effective sample size",
        found,
        number(&series["effective_n_batch_20"]),
        1e-9,
    );
}

#[test]
fn dependence_of_too_little_is_none() {
    assert_eq!(serial::autocorrelation(&[], 0), None);
    assert_eq!(serial::autocorrelation(&[1.0, 2.0], 2), None);
    assert_eq!(serial::autocorrelation(&[1.0, 1.0, 1.0], 1), None);
    assert_eq!(serial::effective_sample_size(&[1.0, 2.0, 3.0], 2), None);
    assert_eq!(serial::effective_sample_size(&[1.0, 2.0], 0), None);
    assert_eq!(serial::effective_sample_size(&[4.0; 100], 10), None);
    let series = [1.0, 2.0, 3.0, 4.0];
    for (block, resamples, confidence) in [(0, 200, 0.95), (5, 200, 0.95), (2, 99, 0.95), (2, 200, 1.0)] {
        assert_eq!(
            serial::block_bootstrap_difference(&series, &series, block, resamples, confidence, 1),
            None
        );
    }
}

#[test]
fn a_bootstrap_repeats_with_its_seed_and_covers_a_shift() {
    let baseline: Vec<f64> = (0..1_000_u32).map(|place| f64::from(place * 7_919 % 101)).collect();
    let shifted: Vec<f64> = baseline.iter().map(|value| value + 50.0).collect();
    let interval = |seed| serial::block_bootstrap_difference(&baseline, &shifted, 20, 500, 0.95, seed).unwrap();
    assert_eq!(interval(1), interval(1));
    assert_ne!(interval(1), interval(2));
    let (low, high) = interval(1);
    assert!(low < 50.0 && 50.0 < high && high - low < 10.0, "{low} to {high}");
}

#[test]
fn a_series_that_passes_by_resembles_itself_as_one_that_is_kept() {
    let mut passing = serial::Neighbours::default();
    let values: Vec<i64> = (0..1_000_i64)
        .map(|i| 1_700_000_000_000 + (i * i * 7919) % 1_013 + i / 3)
        .collect();
    for (index, value) in values.iter().enumerate() {
        passing.push(index as u64 / 100, *value);
    }
    let kept: Vec<f64> = values.iter().map(|value| (value - values[0]) as f64).collect();
    let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-9 * other.abs(), "{one} {other}");
    close(
        passing.autocorrelation().unwrap(),
        serial::autocorrelation(&kept, 1).unwrap(),
    );
    let distribution: analysis::Distribution = values.iter().copied().collect();
    let found =
        serial::effective_sample_size_of(1_000, distribution.variance().unwrap(), &passing.segment_means(), 100);
    close(found.unwrap(), serial::effective_sample_size(&kept, 100).unwrap());
    assert_eq!(serial::Neighbours::default().autocorrelation(), None);
}
