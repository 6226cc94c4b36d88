//! Estimators, tests, figures and tables: pure functions over samples.
//!
//! [`Distribution`] holds the observations of one arm exactly; [`effect`] compares two arms with the launch as the unit of
//! inference; [`ssp2023`] recomputes the 2023 study; [`figures`] draws. Nothing here reads or writes a file. Times are
//! nanoseconds unless a name says otherwise.
#![forbid(unsafe_code)]

pub mod claims;
pub mod figures;
pub mod principles;
pub mod ssp2023;
pub mod stats;

pub use stats::{
    ArmSamples, Distribution, EffectError, Equivalence, EquivalenceError, EquivalenceVerdict, Estimate, EstimateError,
    FiveNumbers, LaunchSamples, Levels, Limits, Location, OrderSamples, Pilot, Proportion, ProportionError, Quantity,
    SegmentMedians, Split, Steadiness, Times, Turn, carry_over, difference_of_estimates, differences, effect, estimate,
    estimate_with, inverse_variance_interval, levels, paired_spread_ratio, proportion, spread_ratio, turn_effect,
    within_margin,
};
