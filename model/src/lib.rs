//! Types of an experiment, a launch and a result, and their validation. No process, file or network access.
#![forbid(unsafe_code)]

mod arm;
mod condition;
mod contrast;
mod error;
mod exhibit;
mod http_request;
mod invalid_value;
mod isolation_level;
mod launch_plan;
mod limits;
mod load_summary;
mod message;
mod synthetic_server;
mod tight_loop;
mod topology;
mod treatment;

pub use arm::Arm;
pub use condition::Condition;
pub use contrast::{Contrast, ContrastRole, Location};
pub use error::ModelError;
pub use exhibit::ExhibitKind;
pub use http_request::{HttpRequest, Keyword, KeywordPosition};
pub use invalid_value::InvalidValue;
pub use isolation_level::IsolationLevel;
pub use launch_plan::{Arrivals, ConnectionPolicy, LaunchPlan, LaunchPlanError, Schedule, Target, WaitMethod};
pub use limits::{
    ExperimentLimits, LimitEnforcement, LimitHit, LimitKind, MissingColumns, MonitorRecord, ResourceLimits,
};
pub use load_summary::{
    CheckVerdict, Clocks, FirstFailure, LoadCheck, LoadCheckKind, LoadSummary, LoadWarning, RateSummary,
};
pub use message::{Message, Payload, ResponseEnd};
pub use synthetic_server::{AcceptFunction, ReceiveFunction, SyntheticServer};
pub use tight_loop::TightLoopSettings;
pub use topology::Topology;
pub use treatment::{PreloadedObject, Treatment};
