//! Simulated experiments whose true effect is known, and the share of their intervals that contain it.
//!
//! [`fit_within`] and [`fit_launches`] take the shape of the noise from recordings, [`SimulatedNoise`] makes launches of it, [`study`]
//! estimates their effects as a run's are estimated, the rule by which a run stops early included, and counts. The study's t
//! test over requests is put to the same requests.

mod count;
mod draw;
mod experiment;
mod fit;
mod noise;
mod scenario;
mod spreads;
mod total_intervals;

pub use count::{Coverage, Method};
pub use draw::Draw;
pub use fit::{FitError, LaunchFit, WithinFit, fit_launches, fit_within};
pub use noise::{Design, SimulatedLaunch, SimulatedNoise};
pub use scenario::{Scenario, ScenarioOutcome, Stopping, study};
pub use spreads::{
    SpreadCoverage, SpreadInterval, SpreadMeasure, SpreadOutcome, SpreadPopulation, eligible, spread_study,
};
pub use total_intervals::{ControlledCell, SystematicErrors, TotalCoverage, total_interval_study};
