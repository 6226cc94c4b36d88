//! Types of an experiment, a launch and a result, and their validation. No process, file or network access.
#![forbid(unsafe_code)]

mod application;
mod arm;
mod condition;
mod contrast;
mod delays;
mod error;
mod exhibit;
mod experiment;
mod factor;
mod grid;
mod http_request;
mod invalid_value;
mod isolation_level;
mod launch_plan;
mod limits;
mod load;
mod load_summary;
mod message;
mod neighbour;
mod program;
mod proxy;
mod server;
mod server_file;
mod synthetic_server;
mod tight_loop;
mod topology;
mod treatment;

pub use application::{
    ApplicationDefinition, ApplicationFront, ApplicationRequest, ManifestSource, Workload, WorkloadName,
};
pub use arm::Arm;
pub use condition::Condition;
pub use contrast::{Contrast, ContrastRole, Location};
pub use delays::DelayDistribution;
pub use error::ModelError;
pub use exhibit::ExhibitKind;
pub use experiment::Experiment;
pub use factor::FactorLevel;
pub use grid::{DefinitionError, GridExtent, parse_definition};
pub use http_request::{HttpRequest, Keyword, KeywordPosition};
pub use invalid_value::InvalidValue;
pub use isolation_level::IsolationLevel;
pub use launch_plan::{Arrivals, ConnectionPolicy, LaunchPlan, LaunchPlanError, Schedule, Target, WaitMethod};
pub use limits::{
    ExperimentLimits, LimitEnforcement, LimitHit, LimitKind, MissingColumns, MonitorRecord, ResourceLimits,
};
pub use load::Load;
pub use load_summary::{
    CheckVerdict, Clocks, FirstFailure, LoadCheck, LoadCheckKind, LoadSummary, LoadWarning, RateSummary,
};
pub use message::{Message, Payload, ResponseEnd};
pub use neighbour::{Neighbour, NeighbourCpus};
pub use program::{ProgramInstance, ServerProgram};
pub use proxy::{Proxy, ProxyProgram};
pub use server::ServerUnderTest;
pub use server_file::ServerFile;
pub use synthetic_server::{AcceptFunction, ReceiveFunction, SyntheticServer};
pub use tight_loop::TightLoopSettings;
pub use topology::Topology;
pub use treatment::{PreloadedObject, Treatment};
