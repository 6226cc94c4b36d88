//! What the ten recommendations of the 2023 study claim, stated before measuring in `claims.toml`, and whether the data
//! show it.
//!
//! [`Claims`] is the file, [`Evidence`] what was measured: quantities of any experiment with their intervals, and the
//! controls of their runs. [`judge`] brings them together. Nothing in a verdict or its text is written by hand: change the
//! data and both change.

mod control;
mod definition;
mod error;
mod evidence;
mod expectation;
mod judge;
mod text;

pub use control::{Control, ControlKind, Misses, misses};
pub use definition::{Claim, Claims, Gates, Margins, Recommendation};
pub use error::ClaimsError;
pub use evidence::{Evidence, Interval, Measured, Provenance, Reference, Source, Unit};
pub use expectation::{Direction, Expectation, Verdict};
pub use judge::{Judged, JudgedRecommendation, Row, judge};
pub use text::table;
