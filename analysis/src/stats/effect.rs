//! The effect of one arm against another.

use model::Location;

use super::{ArmSamples, Distribution, Estimate, EstimateError, LatencyMetric, LaunchSamples, estimate};

/// The reason why an effect cannot be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EffectError {
    /// An arm that a launch does not have.
    #[error("condition {condition}, launch {launch}: no arm `{arm}`; it has {present}")]
    MissingArm {
        /// The condition.
        condition: String,
        /// The number of the launch.
        launch: u32,
        /// The arm that was asked for.
        arm: String,
        /// The arms that the launch has.
        present: String,
    },
    /// An arm without an observation of the metric.
    #[error(
        "condition {condition}, launch {launch}, arm `{arm}`: no observation of {metric} after warm-up \
         ({errors} errors, {unstamped} answers without kernel stamps)"
    )]
    EmptySample {
        /// The condition.
        condition: String,
        /// The number of the launch.
        launch: u32,
        /// The arm.
        arm: String,
        /// The metric without observations.
        metric: LatencyMetric,
        /// Requests that failed.
        errors: u64,
        /// Answers that carried no stamps.
        unstamped: u64,
    },
    /// Launches of several conditions, whose effects differ and have no common mean.
    #[error("launches of `{first}` and of `{other}` in one effect; take one condition at a time")]
    MixedConditions {
        /// The first launch's condition.
        first: String,
        /// Another one's.
        other: String,
    },
    /// The launches do not make an estimate.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
}

/// The effect of `arm` against `baseline`, ns: the mean over launches of the within-launch difference of a location, with
/// a t interval over launches ([`super::estimate_with`]).
///
/// The launch is the unit of inference: the difference between two processes of a program is constant within a launch,
/// and no number of requests removes it. The launches must be of one condition.
///
/// # Errors
/// For an arm that a launch does not have or that observed nothing, launches of more than one condition, or fewer than
/// two launches.
pub fn effect(
    launches: &[LaunchSamples],
    baseline: &str,
    arm: &str,
    metric: LatencyMetric,
    location: Location,
) -> Result<Estimate, EffectError> {
    Ok(estimate(&differences(launches, baseline, arm, metric, location)?)?)
}

/// One within-launch difference `arm - baseline` per launch, ns, in the order of the launches.
///
/// # Errors
/// For an arm that a launch does not have or that has no observation, and for launches of more than one condition.
pub fn differences(
    launches: &[LaunchSamples],
    baseline: &str,
    arm: &str,
    metric: LatencyMetric,
    location: Location,
) -> Result<Vec<f64>, EffectError> {
    per_launch(launches, baseline, arm, metric, |baseline, arm| {
        Some(arm.location(location)? - baseline.location(location)?)
    })
}

/// One number per launch from its two arms' distributions, in the order of the launches.
///
/// # Errors
/// The errors of [`differences`].
pub(super) fn per_launch(
    launches: &[LaunchSamples],
    baseline: &str,
    arm: &str,
    metric: LatencyMetric,
    compare: impl Fn(&Distribution, &Distribution) -> Option<f64>,
) -> Result<Vec<f64>, EffectError> {
    if let Some(other) = launches.iter().find(|launch| launch.condition != launches[0].condition) {
        return Err(EffectError::MixedConditions {
            first: launches[0].condition.clone(),
            other: other.condition.clone(),
        });
    }
    launches
        .iter()
        .map(|launch| {
            let one = samples(launch, baseline)?;
            let other = samples(launch, arm)?;
            compare(one.of(metric), other.of(metric)).ok_or_else(|| {
                let (arm, samples) = if other.of(metric).is_empty() {
                    (arm, other)
                } else {
                    (baseline, one)
                };
                EffectError::EmptySample {
                    condition: launch.condition.clone(),
                    launch: launch.launch,
                    arm: arm.to_owned(),
                    metric,
                    errors: samples.errors,
                    unstamped: samples.unstamped,
                }
            })
        })
        .collect()
}

fn samples<'a>(launch: &'a LaunchSamples, arm: &str) -> Result<&'a ArmSamples, EffectError> {
    launch.arms.get(arm).ok_or_else(|| EffectError::MissingArm {
        condition: launch.condition.clone(),
        launch: launch.launch,
        arm: arm.to_owned(),
        present: launch.arms.keys().cloned().collect::<Vec<_>>().join(", "),
    })
}
