//! Samples, locations and launch-level effects.

mod changepoint;
pub mod components;
mod distribution;
mod effect;
mod equivalence;
mod estimate;
mod five_numbers;
mod location;
mod order;
mod page;
pub mod power;
mod proportion;
mod quantiles;
mod samples;
mod segments;
pub mod serial;
mod split;
mod spread;
pub mod student;

pub use changepoint::{Levels, Steadiness, levels};
pub use distribution::Distribution;
pub use effect::{EffectError, differences, effect};
pub use equivalence::{Equivalence, EquivalenceError, EquivalenceVerdict, within_margin};
pub use estimate::{Estimate, EstimateError, estimate, estimate_with};
pub use five_numbers::FiveNumbers;
pub use location::Location;
pub use order::{OrderSamples, Turn, carry_over, turn_effect};
pub use proportion::{Proportion, ProportionError, proportion};
pub use samples::{ArmSamples, LaunchSamples, Quantity, Times};
pub use segments::SegmentMedians;
pub(crate) use segments::median;
pub use split::{Limits, Pilot, Split};
pub use spread::{difference_of_estimates, inverse_variance_interval, paired_spread_ratio, spread_ratio};
