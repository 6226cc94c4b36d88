//! Effects with known values, and the errors of data without an effect.

use std::collections::BTreeMap;

use analysis::{
    ArmSamples, EffectError, Estimate, EstimateError, LatencyMetric, LaunchSamples, differences, effect, estimate,
    estimate_with,
};
use model::Location;

fn arm(wire_ns: &[i64]) -> ArmSamples {
    ArmSamples {
        rtt: wire_ns.iter().map(|value_ns| value_ns + 1_000).collect(),
        wire: wire_ns.iter().copied().collect(),
        ..ArmSamples::default()
    }
}

fn launch(number: u32, baseline: &[i64], hook: &[i64]) -> LaunchSamples {
    LaunchSamples {
        condition: "local-pod".to_owned(),
        launch: number,
        arms: BTreeMap::from([("unmodified".to_owned(), arm(baseline)), ("scan".to_owned(), arm(hook))]),
    }
}

fn launches() -> Vec<LaunchSamples> {
    vec![
        launch(0, &[100, 110, 120], &[150, 160, 170]),
        launch(1, &[200, 210, 9_000], &[259, 262, 300]),
    ]
}

/// The effect of the arm `scan`.
fn scan_effect(launches: &[LaunchSamples], metric: LatencyMetric, location: Location) -> Result<Estimate, EffectError> {
    effect(launches, "unmodified", "scan", metric, location)
}

#[test]
fn an_effect_is_the_mean_of_the_differences_within_launches() {
    let found = scan_effect(&launches(), LatencyMetric::WireTime, Location::Median).unwrap();
    assert_eq!(
        differences(
            &launches(),
            "unmodified",
            "scan",
            LatencyMetric::WireTime,
            Location::Median
        ),
        Ok(vec![50.0, 52.0])
    );
    assert_eq!((found.value, found.launches, found.confidence), (51.0, 2, 0.95));
    // s = sqrt(2), se = 1, t(0.975, 1) = 12.7062, t(0.8, 1) = 1.3764.
    assert!((found.launch_sd - 2.0_f64.sqrt()).abs() < 1e-12);
    assert!((found.confidence_interval.0 - (51.0 - 12.706_204_736)).abs() < 1e-8);
    assert!((found.mde - (12.706_204_736 + 1.376_381_920)).abs() < 1e-8);
    let rtt = scan_effect(&launches(), LatencyMetric::Rtt, Location::Median).unwrap();
    assert!((rtt.value - found.value).abs() < 1e-9);
    let back = effect(
        &launches(),
        "scan",
        "unmodified",
        LatencyMetric::WireTime,
        Location::Median,
    )
    .unwrap();
    assert!((back.value + found.value).abs() < 1e-9);
}

#[test]
fn too_few_launches_are_refused() {
    for count in 0..2 {
        let error = scan_effect(&launches()[..count], LatencyMetric::Rtt, Location::Mean).unwrap_err();
        assert_eq!(
            error,
            EffectError::Estimate(EstimateError::TooFewLaunches { found: count, least: 2 })
        );
        assert!(error.to_string().contains("measure more launches"), "{error}");
    }
}

#[test]
fn a_missing_arm_is_named_with_those_that_are_there() {
    let error = effect(&launches(), "unmodified", "log", LatencyMetric::Rtt, Location::Mean).unwrap_err();
    assert_eq!(
        error.to_string(),
        "condition local-pod, launch 0: no arm `log`; it has scan, unmodified"
    );
}

#[test]
fn an_empty_sample_is_named_with_what_became_of_its_requests() {
    let mut launches = launches();
    let samples = launches[1].arms.get_mut("scan").unwrap();
    samples.wire = std::iter::empty().collect();
    samples.unstamped = 3;
    let error = scan_effect(&launches, LatencyMetric::WireTime, Location::P99).unwrap_err();
    assert!(
        matches!(
            &error,
            EffectError::EmptySample {
                launch: 1,
                unstamped: 3,
                ..
            }
        ),
        "{error}"
    );
    assert!(scan_effect(&launches, LatencyMetric::Rtt, Location::P99).is_ok());
}

#[test]
fn conditions_are_not_mixed() {
    let mut launches = launches();
    launches[1].condition = "local-bridge".to_owned();
    let error = scan_effect(&launches, LatencyMetric::Rtt, Location::Mean).unwrap_err();
    assert!(matches!(error, EffectError::MixedConditions { .. }), "{error}");
}

#[test]
fn no_estimate_is_ever_not_a_number() {
    assert!(matches!(
        estimate(&[1.0, f64::NAN]),
        Err(EstimateError::NotFinite { index: 1, .. })
    ));
    assert!(matches!(
        estimate(&[f64::INFINITY, 1.0]),
        Err(EstimateError::NotFinite { index: 0, .. })
    ));
    assert_eq!(estimate(&[f64::MAX, f64::MAX, -f64::MAX]), Err(EstimateError::Overflow));
    for confidence in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(matches!(
            estimate_with(&[1.0, 2.0], confidence),
            Err(EstimateError::Confidence(_))
        ));
    }
    let same = estimate(&[7.0, 7.0, 7.0]).unwrap();
    assert_eq!((same.value, same.confidence_interval, same.mde), (7.0, (7.0, 7.0), 0.0));
}
