//! Estimators against SciPy, statsmodels, R and metafor (`tests/reference`), and their properties for any data.

use std::collections::BTreeMap;

use analysis::{
    ArmSamples, Distribution, EffectError, EstimateError, LatencyMetric, LaunchEffect, LaunchSamples, PValueError,
    ResampledUnit, Resampling, SummaryError, a12, bootstrap, dominance, estimate, hodges_lehmann, holm,
    i_squared_interval, outliers, quantile_shift, random_effects, ratio_of_means, stationarity,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::reference::{assert_close, list, number, numbers, parse};

/// Values of SciPy and statsmodels.
const ESTIMATORS: &str = include_str!("../reference/estimators.json");
/// Values of R and metafor.
const RANKS: &str = include_str!("../reference/ranks.json");

fn distribution(value: &Value) -> Distribution {
    list(value).iter().map(|value| value.as_i64().expect("whole")).collect()
}

fn launches(arms: &[(Distribution, Distribution)]) -> Vec<LaunchSamples> {
    let of = |rtt: &Distribution| ArmSamples {
        rtt: rtt.clone(),
        ..ArmSamples::default()
    };
    arms.iter()
        .zip(0..)
        .map(|((baseline, arm), launch)| LaunchSamples {
            condition: "local-pod".to_owned(),
            launch,
            arms: BTreeMap::from([("unmodified".to_owned(), of(baseline)), ("scan".to_owned(), of(arm))]),
        })
        .collect()
}

#[test]
fn dominance_agrees_with_mannwhitneyu() {
    for row in list(&parse(ESTIMATORS)["a12"]) {
        let found = a12(&distribution(&row["baseline"]), &distribution(&row["arm"])).unwrap();
        assert_close("A12", found, number(&row["a12"]));
    }
    assert_eq!(a12(&Distribution::new(), &[1].into_iter().collect()), None);
}

#[test]
fn ratios_agree_with_scipy() {
    let row = &parse(ESTIMATORS)["ratio"];
    let arms: Vec<(Distribution, Distribution)> = list(&row["launches"])
        .iter()
        .map(|launch| (distribution(&launch["baseline"]), distribution(&launch["arm"])))
        .collect();
    let found = ratio_of_means(&launches(&arms), "unmodified", "scan", LatencyMetric::Rtt).unwrap();
    assert_close("ratio", found.value, number(&row["value"]));
    assert_close("low", found.confidence_interval.0, number(&row["low"]));
    assert_close("high", found.confidence_interval.1, number(&row["high"]));
    let logarithms: Vec<f64> = arms
        .iter()
        .map(|(one, other)| (other.mean().unwrap() / one.mean().unwrap()).ln())
        .collect();
    assert_close("p", estimate(&logarithms).unwrap().p_value(), number(&row["p"]));
    // A mean that is not above zero has no ratio.
    let negative = [
        (Distribution::from_iter([-5]), Distribution::from_iter([5])),
        arms[0].clone(),
    ];
    assert!(matches!(
        ratio_of_means(&launches(&negative), "unmodified", "scan", LatencyMetric::Rtt),
        Err(EffectError::Estimate(EstimateError::NotFinite { index: 0, .. }))
    ));
}

#[test]
fn adjusted_p_values_agree_with_statsmodels() {
    for row in list(&parse(ESTIMATORS)["holm"]) {
        let found = holm(&numbers(&row["p"])).unwrap();
        for (found, expected) in found.iter().zip(numbers(&row["adjusted"])) {
            assert_close("p", *found, expected);
        }
    }
    assert_eq!(holm(&[]), Ok(vec![]));
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(holm(&[0.5, bad]), Err(PValueError { index: 1, .. })));
    }
}

#[test]
fn stationarity_agrees_with_statsmodels() {
    for row in list(&parse(ESTIMATORS)["stationarity"]) {
        let found = stationarity(&numbers(&row["series"])).unwrap();
        assert_close("statistic", found.statistic, number(&row["statistic"]));
        assert_close("p", found.p, number(&row["p"]));
        assert_eq!(Some(found.lags as u64), row["lags"].as_u64());
    }
    assert_eq!(stationarity(&[1.0; 100]), None);
    assert_eq!(stationarity(&[1.0, 2.0, 3.0]), None);
    assert_eq!(stationarity(&[f64::NAN; 100]), None);
}

#[test]
fn hodges_lehmann_agrees_with_r() {
    for row in list(&parse(RANKS)["hodges_lehmann"]) {
        let found = hodges_lehmann(&numbers(&row["values"])).unwrap();
        assert_close("value", found.value, number(&row["value"]));
        let (low, high) = found.confidence_interval.unwrap();
        assert_close("low", low, number(&row["low"]));
        assert_close("high", high, number(&row["high"]));
    }
    assert_eq!(hodges_lehmann(&[1.0, 3.0, 2.0]).unwrap().confidence_interval, None);
    assert!(matches!(
        hodges_lehmann(&[]),
        Err(EstimateError::TooFewLaunches { found: 0, least: 1 })
    ));
    assert!(matches!(
        hodges_lehmann(&[f64::NAN]),
        Err(EstimateError::NotFinite { index: 0, .. })
    ));
}

#[test]
fn summaries_over_conditions_agree_with_metafor() {
    for row in list(&parse(RANKS)["random_effects"]) {
        let effects: Vec<(f64, f64)> = numbers(&row["effects"])
            .into_iter()
            .zip(numbers(&row["errors"]))
            .collect();
        let found = random_effects(&effects).unwrap();
        assert_close("value", found.value, number(&row["value"]));
        assert_close("low", found.confidence_interval.0, number(&row["low"]));
        assert_close("high", found.confidence_interval.1, number(&row["high"]));
        assert_close("tau2", found.tau_squared, number(&row["tau2"]));
        assert_close("I2", found.i_squared, number(&row["i2"]));
        let (low, high) = i_squared_interval(&effects).unwrap();
        assert_close("lower I2", low, number(&row["i2_low"]));
        assert_close("upper I2", high, number(&row["i2_high"]));
        assert_close("Q", found.q, number(&row["q"]));
        assert_close("p of Q", found.q_p_value(), number(&row["q_p"]));
        match found.prediction_interval {
            None => assert!(row["prediction_low"].is_null()),
            Some((low, high)) => {
                assert_close("prediction", low, number(&row["prediction_low"]));
                assert_close("prediction", high, number(&row["prediction_high"]));
            }
        }
    }
    assert_eq!(random_effects(&[(1.0, 1.0)]), Err(SummaryError::TooFewConditions(1)));
    for bad in [(f64::NAN, 1.0), (1.0, 0.0), (1.0, f64::INFINITY), (1.0, -1.0)] {
        assert!(matches!(
            random_effects(&[(1.0, 1.0), bad]),
            Err(SummaryError::Condition { index: 1, .. })
        ));
    }
}

#[test]
fn far_out_values_are_counted_and_kept() {
    let values: Distribution = (0..100).chain([10_000, -10_000, 20_000]).collect();
    let found = outliers(&values).unwrap();
    assert_eq!((found.low, found.high, found.of), (1, 2, 103));
    assert_eq!(values.len(), 103);
    assert_eq!(outliers(&Distribution::new()), None);
}

fn effects(values: &[f64]) -> Vec<LaunchEffect> {
    let of = |value: &f64| LaunchEffect {
        value: *value,
        segments: (0..8).map(|segment| value + f64::from(segment % 3)).collect(),
    };
    values.iter().map(of).collect()
}

const DRAWN: [ResampledUnit; 2] = [ResampledUnit::Launches, ResampledUnit::LaunchesAndSegments];

fn resampling(drawn: ResampledUnit) -> Resampling {
    Resampling {
        drawn,
        resamples: 499,
        ..Resampling::default()
    }
}

#[test]
fn resampling_is_the_same_on_one_processor_and_on_two() {
    let launches = effects(&[3.0, 5.5, 4.0, 9.0, 2.5, 7.0, 3.5]);
    let on = |threads: usize, drawn| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bootstrap(&launches, resampling(drawn)).unwrap())
    };
    for drawn in DRAWN {
        assert_eq!(on(1, drawn), on(2, drawn));
    }
    let other = Resampling {
        seed: 7,
        ..resampling(ResampledUnit::Launches)
    };
    assert_ne!(
        bootstrap(&launches, other).unwrap().bca,
        on(1, ResampledUnit::Launches).bca
    );
    assert_ne!(on(1, DRAWN[0]).percentile_t, on(1, DRAWN[1]).percentile_t);
}

#[test]
fn what_cannot_be_resampled_says_why() {
    let found = |values: &[f64]| bootstrap(&effects(values), resampling(ResampledUnit::Launches));
    assert_eq!(
        found(&[1.0; 4]),
        Err(EstimateError::TooFewLaunches { found: 4, least: 5 })
    );
    assert_eq!(found(&[]), Err(EstimateError::TooFewLaunches { found: 0, least: 5 }));
    assert!(matches!(
        found(&[1.0, 2.0, 3.0, 4.0, f64::NAN]),
        Err(EstimateError::NotFinite { index: 4, .. })
    ));
    let same = found(&[2.0; 6]).unwrap();
    assert_eq!((same.percentile_t, same.bca), ((2.0, 2.0), (2.0, 2.0)));
    assert_eq!(found(&[2.0, 2.0, 2.0, 2.0, 2.0, 3.0]), Err(EstimateError::NoSpread));
    let few = Resampling {
        resamples: 99,
        ..Resampling::default()
    };
    assert_eq!(bootstrap(&effects(&[1.0; 6]), few), Err(EstimateError::Resamples(99)));
    let sure = Resampling {
        confidence: 1.0,
        ..Resampling::default()
    };
    assert_eq!(
        bootstrap(&effects(&[1.0; 6]), sure),
        Err(EstimateError::Confidence(1.0))
    );
}

fn shifted(baseline: &[i64], by: i64) -> (Distribution, Distribution) {
    (
        baseline.iter().copied().collect(),
        baseline.iter().map(|value| value + by).collect(),
    )
}

#[test]
fn a_shift_is_found_at_every_quantile_and_the_band_holds_each_interval() {
    let arms: Vec<(Distribution, Distribution)> = (0..8)
        .map(|launch| {
            shifted(
                &(0..200).map(|value| value * value % 997).collect::<Vec<_>>(),
                50 + launch % 3,
            )
        })
        .collect();
    let found = quantile_shift(&launches(&arms), "unmodified", "scan", LatencyMetric::Rtt, 1).unwrap();
    for point in &found.points {
        assert!((point.value - 50.875).abs() < 1e-9, "{point:?}");
        assert!(point.band.0 <= point.confidence_interval.0 && point.confidence_interval.1 <= point.band.1);
        assert!(point.band.0 < 51.0 && 51.0 < point.band.1);
    }
    let error = quantile_shift(&launches(&arms[..4]), "unmodified", "scan", LatencyMetric::Rtt, 1).unwrap_err();
    assert!(error.to_string().contains("measure more launches"), "{error}");
    let error = quantile_shift(&launches(&arms), "unmodified", "log", LatencyMetric::Rtt, 1).unwrap_err();
    assert!(error.to_string().contains("no arm `log`"), "{error}");
}

fn values() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![4 => 0_i64..40, 1 => -1_000_i64..100_000], 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn dominance_mirrors_when_arms_are_swapped_and_ignores_shift_and_scale(
        one in values(), other in values(), shift in -1_000_i64..1_000, scale in 1_i64..50,
    ) {
        let of = |values: &[i64]| values.iter().copied().collect::<Distribution>();
        let share = a12(&of(&one), &of(&other)).unwrap();
        prop_assert!((share + a12(&of(&other), &of(&one)).unwrap() - 1.0).abs() < 1e-12);
        let moved = |values: &[i64]| values.iter().map(|value| value * scale + shift).collect::<Distribution>();
        prop_assert_eq!(a12(&moved(&one), &moved(&other)), Some(share));
        let samples = launches(&[(of(&one), of(&other)), (of(&one), of(&other))]);
        let found = dominance(&samples, "unmodified", "scan", LatencyMetric::Rtt).unwrap();
        prop_assert!((found.value - share).abs() < 1e-12);
    }

    #[test]
    fn locations_move_with_their_values(
        values in prop::collection::vec(-100.0_f64..100.0, 6..15), shift in -1e3_f64..1e3, scale in 0.01_f64..100.0,
    ) {
        let moved: Vec<f64> = values.iter().map(|value| value * scale + shift).collect();
        let close = |one: f64, other: f64| (one * scale + shift - other).abs() < 1e-8 * (1.0 + scale * 100.0 + shift.abs());
        let (one, other) = (hodges_lehmann(&values).unwrap(), hodges_lehmann(&moved).unwrap());
        prop_assert!(close(one.value, other.value));
        prop_assert!(close(one.confidence_interval.unwrap().0, other.confidence_interval.unwrap().0));
        // Where nearly all values are one, there is no interval.
        let apart = values.iter().filter(|value| (**value - values[0]).abs() > 1.0).count();
        prop_assume!(apart >= 3);
        let of = |values: &[f64]| values.iter().map(|&value| LaunchEffect { value, segments: vec![] }).collect::<Vec<_>>();
        let (one, other) = (
            bootstrap(&of(&values), resampling(ResampledUnit::Launches)).unwrap(),
            bootstrap(&of(&moved), resampling(ResampledUnit::Launches)).unwrap(),
        );
        prop_assert!(close(one.percentile_t.0, other.percentile_t.0) && close(one.percentile_t.1, other.percentile_t.1));
        prop_assert!(close(one.bca.0, other.bca.0) && close(one.bca.1, other.bca.1));
    }

    #[test]
    fn swapped_arms_mirror_effects(values in prop::collection::vec(-100.0_f64..100.0, 6..15)) {
        let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
        let (one, other) = (hodges_lehmann(&values).unwrap(), hodges_lehmann(&mirrored).unwrap());
        prop_assert!((one.value + other.value).abs() < 1e-12);
        let apart = values.iter().filter(|value| (**value - values[0]).abs() > 1.0).count();
        prop_assume!(apart >= 3);
        let of = |values: &[f64]| bootstrap(&effects(values), resampling(ResampledUnit::Launches)).unwrap();
        let (one, other) = (of(&values), of(&mirrored));
        prop_assert!((one.percentile_t.0 + other.percentile_t.1).abs() < 1e-9);
        prop_assert!((one.bca.0 + other.bca.1).abs() < 1e-9);
    }

    #[test]
    fn order_within_a_level_does_not_matter(values in prop::collection::vec(-100.0_f64..100.0, 6..15)) {
        let mut reversed = values.clone();
        reversed.reverse();
        let (one, other) = (estimate(&values).unwrap(), estimate(&reversed).unwrap());
        prop_assert!((one.value - other.value).abs() < 1e-9 && (one.p_value() - other.p_value()).abs() < 1e-9);
        let (one, other) = (hodges_lehmann(&values).unwrap(), hodges_lehmann(&reversed).unwrap());
        prop_assert_eq!(one, other);
        let pairs = |values: &[f64]| values.iter().map(|value| (*value, 1.0 + value.abs())).collect::<Vec<_>>();
        let (one, other) = (random_effects(&pairs(&values)).unwrap(), random_effects(&pairs(&reversed)).unwrap());
        prop_assert!((one.value - other.value).abs() < 1e-9 && (one.tau_squared - other.tau_squared).abs() < 1e-6);
    }
}
