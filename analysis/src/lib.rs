//! Estimators, tests, figures and tables: pure functions over samples.
//!
//! [`Distribution`] holds the observations of one arm exactly; [`effect`] compares two arms with the launch as the unit of
//! inference; [`ssp2023`] recomputes the 2023 study; [`simulation`] counts how often intervals hold; [`figures`] draws. Nothing here reads or writes a file. Times are
//! nanoseconds unless a name says otherwise.
#![forbid(unsafe_code)]

pub mod claims;
pub mod figures;
pub mod principles;
pub mod simulation;
pub mod ssp2023;
pub mod stats;

pub use stats::{
    Allocation, AllocationBounds, ArmSamples, Bootstrap, BootstrapError, Distribution, EffectError, Equivalence,
    EquivalenceError, EquivalenceVerdict, Estimate, EstimateError, FEWEST_LAUNCHES, FEWEST_TO_STOP, FiveNumbers,
    HodgesLehmann, LatencyMetric, LaunchEffect, LaunchSamples, OrderSamples, Outliers, PValueError, Pilot, Proportion,
    ProportionError, QuantileShift, RandomEffects, RequestTimes, ResampledUnit, Resampling, SHIFT_AT, SegmentMedians,
    SeriesLevels, ShiftError, ShiftPoint, Stationarity, Steadiness, SummaryError, Turn, a12, bootstrap, carry_over,
    difference_of_estimates, differences, dominance, effect, estimate, estimate_with, half_width_reached,
    hodges_lehmann, holm, i_squared_interval, inverse_variance_interval, levels, may_stop, outliers,
    paired_spread_ratio, proportion, quantile_shift, random_effects, ratio_of_estimates, ratio_of_means,
    ratio_of_paired_means, shift_of, spread_ratio, stationarity, turn_effect, within_margin,
};
