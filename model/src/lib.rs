//! Types of an experiment, a launch and a result, and their validation. No process, file or network access.
#![forbid(unsafe_code)]

mod exhibit;
mod http_request;
mod invalid_value;
mod launch_plan;
mod load_summary;
mod message;

pub use exhibit::ExhibitKind;
pub use http_request::{HttpRequest, Keyword, KeywordPosition};
pub use invalid_value::InvalidValue;
pub use launch_plan::{Arrivals, ConnectionPolicy, LaunchPlan, LaunchPlanError, Schedule, Target, WaitMethod};
pub use load_summary::{
    CheckVerdict, Clocks, FirstFailure, LoadCheck, LoadCheckKind, LoadSummary, LoadWarning, RateSummary,
};
pub use message::{Message, Payload, ResponseEnd};
