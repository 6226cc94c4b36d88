//! The claims of the ten recommendations of the 2023 study, stated before measuring in `claims.toml`, and their verdicts.
//!
//! [`Claims`] is the file. [`Evidence`] holds the measurements: quantities of any experiment with their intervals, and the
//! controls of their runs. [`judge`] judges the claims by the evidence. No verdict and no text of a verdict is written by
//! hand: both follow from the data.

mod control;
mod definition;
mod error;
mod evidence;
mod expectation;
mod interval;
mod judge;
mod judged;
mod margins;
mod provenance;
mod quantity;
mod verdict_text;

pub use control::{ControlResult, Misses, misses};
pub use definition::{Claim, Claims, Gates, Recommendation};
pub use error::ClaimsError;
pub use evidence::{Evidence, MeasuredQuantity, Reference, RepeatedLimitHit};
pub use expectation::{Direction, Expectation, Verdict};
pub use interval::{Interval, Unit};
pub use judge::judge;
pub use judged::{ClaimRow, Doubt, JudgedClaim, JudgedRecommendation};
pub use margins::{ControlKind, Margins};
pub use provenance::{Provenance, RunOrigin};
pub use quantity::{Quantity, QuantitySource, UnknownQuantity};
pub use verdict_text::table;
