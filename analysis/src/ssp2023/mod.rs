//! The statistics of the 2023 study, recomputed from its recordings, and an assessment of its method.
//!
//! Kahlhofer, Kern, Henning & Rass, *Benchmarking Function Hook Latency in Cloud-Native Environments*
//! (<https://doi.org/10.48550/arXiv.2310.12702>): per condition one recording of 50,000 requests of the unmodified
//! program and one of the hooked program, compared by Student's t test over requests from iteration 4,000 on. [`method`]
//! shows from the same recordings why that test misleads here: requests are not independent, and the arms were recorded
//! one after the other.

mod answer;
mod expected;
pub mod method;
mod p_value;
mod spread;
mod student_t;
mod study_row;
mod table;

pub use answer::{RecordingOrder, StudyAnswer, Told, answer, answers_text};
pub use expected::{Check, EXPECTED, Expected, check};
pub use method::{BLOCK, CUTS, Dependence, HalvesRow, a_a_by_halves, cut_sensitivity, dependence, significant_halves};
pub use p_value::PValue;
pub use spread::{ConditionRecordings, SdRatio, sd_ratios};
pub use student_t::requests_differ;
pub use study_row::{StudyError, StudyRow, WARM_UP_ROWS, recompute};
pub use table::{method_table, table};
