//! The claims of the ten recommendations of the 2023 study, stated before measuring in `claims.toml`, and their verdicts.
//!
//! [`Claims`] is the file. [`Evidence`] holds the measurements: quantities of any experiment with their intervals, and the
//! controls of their runs. [`judge`] judges the claims by the evidence and the registered plan. No verdict and no text of a
//! verdict is written by hand: both follow from the data.

mod combination;
mod control;
mod definition;
mod error;
mod evidence;
mod expectation;
mod interval;
mod judge;
mod judged;
mod judged_rows;
mod machines;
mod provenance;
mod quantity;
mod stability;
pub mod systematic;
mod verdict_text;

pub use control::{ControlKind, ControlResult, Misses, misses};
pub use definition::{Claim, Claims, NeededControls, Recommendation};
pub use error::ClaimsError;
pub use evidence::{Evidence, MeasuredQuantity, Reference, RepeatedLimitHit, UNKNOWN_MACHINE};
pub use expectation::{Direction, Expectation, PValues, Verdict};
pub use interval::{Interval, IntervalScale, IntervalTail, Unit};
pub use judge::{CurrentPlan, judge};
pub use judged::{
    ClaimRow, Doubt, FEWEST_LAUNCHES, JudgedClaim, JudgedRecommendation, Judgement, MachineVerdict, OverMachines,
    RowRole,
};
pub use provenance::{Provenance, RunOrigin};
pub use quantity::{LAUNCH_SHARE_ROUNDS, Quantity, QuantitySource, UnknownQuantity};
pub use stability::{LeftOut, examine_stability};
pub use verdict_text::table;
