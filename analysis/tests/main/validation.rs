//! Estimators against values from SciPy, NumPy and mpmath (`tests/reference`), whose script says how they were made.

use analysis::stats::{serial, student};
use analysis::{Distribution, FiveNumbers, estimate};
use model::Location;
use serde_json::Value;

use crate::reference::{assert_within, list, number, numbers, parse};

fn reference() -> Value {
    parse(include_str!("../reference/statistics.json"))
}

#[test]
fn tails_agree_with_scipy_and_below_its_reach_with_mpmath() {
    for row in list(&reference()["tails"]) {
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
            assert_within(&format!("p of t = {t}, df = {df}"), ln_p.exp(), number(&row["p"]), 1e-9);
        }
        assert!(
            (student::ln_two_sided_p(-t, df) - ln_p).abs() < f64::EPSILON,
            "two-sided is symmetric"
        );
    }
}

#[test]
fn quantiles_of_t_agree_with_scipy() {
    for row in list(&reference()["quantiles"]) {
        let (p, df) = (number(&row["p"]), number(&row["df"]));
        assert_within(
            &format!("t({p}, {df})"),
            student::quantile(p, df),
            number(&row["t"]),
            1e-9,
        );
    }
}

#[test]
fn estimates_agree_with_scipy() {
    for row in list(&reference()["estimates"]) {
        let estimate = estimate(&numbers(&row["values"])).expect("enough launches");
        assert_within("mean", estimate.value, number(&row["mean"]), 1e-12);
        assert_within("low", estimate.confidence_interval.0, number(&row["low"]), 1e-9);
        assert_within("high", estimate.confidence_interval.1, number(&row["high"]), 1e-9);
        assert_within("sd", estimate.launch_sd, number(&row["sd"]), 1e-12);
        assert_within("mde", estimate.mde, number(&row["mde"]), 1e-9);
    }
}

#[test]
fn distributions_agree_with_numpy() {
    for row in list(&reference()["samples"]) {
        let values: Vec<i64> = list(&row["values"])
            .iter()
            .map(|value| value.as_i64().expect("whole"))
            .collect();
        let distribution: Distribution = values.iter().copied().collect();
        assert_within(
            "mean",
            distribution.mean().expect("not empty"),
            number(&row["mean"]),
            1e-12,
        );
        match &row["variance"] {
            Value::Null => assert_eq!(distribution.variance(), None),
            variance => assert_within(
                "variance",
                distribution.variance().expect("two"),
                number(variance),
                1e-12,
            ),
        }
        let trimmed = distribution.location(Location::TrimmedMean).expect("not empty");
        assert_within("trimmed mean", trimmed, number(&row["trimmed_mean"]), 1e-12);
        for (p, expected) in row["quantiles"].as_object().expect("a map") {
            let found = distribution.quantile(p.parse().expect("a share")).expect("not empty");
            assert_within(&format!("quantile {p}"), found, number(expected), 1e-12);
        }
        let five = FiveNumbers::of(&distribution).expect("not empty");
        assert_within(
            "lower whisker",
            five.whisker_low,
            number(&row["whisker_low"]).min(five.q1),
            1e-12,
        );
        assert_within(
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
    assert_within(
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
fn variances_of_resamples_surround_the_variance_and_spread_more_for_dependent_values() {
    let values: Vec<f64> = (0..2_000_u32).map(|place| f64::from(place * 7_919 % 101)).collect();
    let mean = values.iter().sum::<f64>() / 2_000.0;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1_999.0;
    let resampled = |series: &[f64], seed| serial::block_bootstrap_variances(series, 50, 400, seed).unwrap();
    assert_eq!(resampled(&values, 1), resampled(&values, 1));
    assert_ne!(resampled(&values, 1), resampled(&values, 2));
    let range = |series: &[f64]| {
        let mut found = resampled(series, 1);
        found.sort_by(f64::total_cmp);
        (found[10], found[389])
    };
    let (low, high) = range(&values);
    assert!(low < variance && variance < high, "{low} {variance} {high}");
    // The same values in their order: a block then has values of one size.
    let mut sorted = values;
    sorted.sort_by(f64::total_cmp);
    let (sorted_low, sorted_high) = range(&sorted);
    assert!(
        sorted_high - sorted_low > 2.0 * (high - low),
        "{sorted_low} to {sorted_high}"
    );
    assert_eq!(serial::block_bootstrap_variances(&sorted, 0, 400, 1), None);
    assert_eq!(serial::block_bootstrap_variances(&sorted, 2_001, 400, 1), None);
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
