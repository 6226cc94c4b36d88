//! Samples, locations and launch-level effects.

mod distribution;
mod effect;
mod equivalence;
mod estimate;
mod five_numbers;
mod location;
mod page;
mod proportion;
mod samples;
pub mod serial;
pub mod student;

pub use distribution::Distribution;
pub use effect::{EffectError, differences, effect};
pub use equivalence::{Equivalence, EquivalenceError, EquivalenceVerdict, within_margin};
pub use estimate::{Estimate, EstimateError, estimate, estimate_with};
pub use five_numbers::FiveNumbers;
pub use location::Location;
pub use proportion::{Proportion, ProportionError, proportion};
pub use samples::{ArmSamples, LaunchSamples, Quantity, Times};
