//! Samples, locations and launch-level effects.

mod allocation;
pub(crate) mod bootstrap;
mod changepoint;
pub mod components;
mod cooling;
mod distribution;
mod dominance;
mod effect;
mod estimate;
mod five_numbers;
mod hodges_lehmann;
mod level_spread;
mod linear_contrast;
mod location;
mod multiple_testing;
mod order;
mod page;
pub mod power;
mod proportion;
pub(crate) mod quantiles;
mod queue;
mod random_effects;
mod ratio;
mod samples;
mod segments;
pub mod serial;
mod shift;
pub(crate) mod sorted;
pub(crate) mod spread;
mod stationarity;
mod stopping;
pub mod student;

pub use allocation::{Allocation, AllocationBounds, Pilot};
pub use bootstrap::{Bootstrap, FEWEST_LAUNCHES, LaunchEffect, ResampledUnit, Resampling, bootstrap};
pub use changepoint::{SeriesLevels, Steadiness, levels};
pub use cooling::{CacheCooling, DelayError};
pub use distribution::Distribution;
pub use dominance::{a12, dominance};
pub use effect::{EffectError, differences, effect};
pub use estimate::{Estimate, EstimateError, estimate, estimate_with};
pub use five_numbers::FiveNumbers;
pub use hodges_lehmann::{HodgesLehmann, hodges_lehmann};
pub use level_spread::{LevelSpread, relative_spread_between};
pub use linear_contrast::{linear_contrast, slope_coefficients};
pub use multiple_testing::{PValueError, holm};
pub use order::{OrderSamples, Turn, carry_over, turn_effect};
pub use proportion::{Proportion, ProportionError, mean_share, proportion};
pub use queue::{QueueDiscipline, SimulatedArrivals, SimulatedServer, latency_quantile};
pub use random_effects::{RandomEffects, SummaryError, i_squared_interval, random_effects, tau_squared_interval};
pub use ratio::{ratio_of_means, ratio_of_paired_means};
pub use samples::{ArmSamples, LatencyMetric, LaunchSamples, RequestTimes};
pub use segments::SegmentMedians;
pub(crate) use segments::median;
pub use shift::{QuantileShift, SHIFT_AT, ShiftPoint, quantile_shift, shift_of};
pub use sorted::mean;
pub use spread::{
    covariance_of_means, difference_of_estimates, inverse_variance_interval, paired_spread_ratio, ratio_of_estimates,
    spread_ratio,
};
pub use stationarity::{Outliers, Stationarity, outliers, stationarity};
pub use stopping::{FEWEST_TO_STOP, half_width_reached, may_stop};
