//! Types of an experiment, its launches and their results, with validation.
//!
//! The crate is the vocabulary of the project. It has no process, file or network access: the runner reads the files and
//! starts the programs, `dataset` writes and reads the recordings, `analysis` and `report` compute.
//!
//! # An experiment
//!
//! An [`Experiment`] answers one question. Its definition is a TOML file in `experiments/`. Each *arm* is one server with one
//! *treatment*. A *launch* starts fresh processes for all arms in one *condition*; the load generator sends each arm the same
//! requests, in a random order. A *contrast* names two arms whose difference is estimated.
//!
//! ```text
//! Experiment                    a file of experiments/, or one cell of its grid
//! ├─ conditions: [Condition]    where a launch runs: docker, kind, eks-pod, local-pod, …
//! │  └─ Local(Topology)         the embedded network layouts; at an IsolationLevel
//! ├─ sut: ServerUnderTest       the server that every arm runs
//! │  ├─ SyntheticServer         the project's server: AcceptFunction, ReceiveFunction, …
//! │  ├─ ServerProgram           any program: command, environment, files
//! │  └─ ApplicationDefinition   several Kubernetes workloads
//! ├─ arms: [Arm]                name, Treatment, delay, ResourceLimits, PreloadedObject
//! ├─ contrasts: [Contrast]      two arms, ContrastRole, Location
//! ├─ proxies: [Proxy]           between load generator and server: ProxyProgram, DelayDistribution
//! ├─ neighbour: Neighbour       a program that competes for the machine
//! ├─ limits: ExperimentLimits   CPU time and memory
//! ├─ request: Message           the bytes that are sent; Keyword for a share of them
//! ├─ load: Load                 Schedule, Arrivals, rounds, warm-up, WaitMethod
//! ├─ micro: TightLoopSettings   receive calls without a server
//! ├─ exhibit: ExhibitKind       the figure and table of the report
//! └─ cell: [FactorLevel]        the coordinates in a grid
//! ```
//!
//! [`parse_definition`] turns the text of a definition into experiments: one, or one for each combination of the levels of
//! its factors. [`Experiment::validate`] checks an experiment and names the key, the value and the values expected
//! ([`ModelError`]). An unknown key is an error.
//!
//! # A launch
//!
//! [`Experiment::launch_plan`] makes the [`LaunchPlan`] that the load generator takes as JSON, with a [`Target`] for each
//! arm. The load generator ends with a [`LoadSummary`]: counts, rates, clocks, and the [`LoadCheck`]s of its own soundness.
//! [`LimitHit`]s and the [`MonitorRecord`] say which resources ran short meanwhile.
//!
//! # A run
//!
//! A run is all launches of one experiment on one [`Machine`]. Its folder holds a [`Manifest`] and one folder per launch:
//!
//! ```text
//! Manifest                      RUN/manifest.json
//! ├─ plan: Experiment           the experiment as it was run; none for imported recordings
//! ├─ machine: Machine           the processors that identify a machine; host: Host beside it
//! ├─ conditions                 each condition with its isolation, or the reason why it did not run
//! └─ launches: [LaunchRecord]   also in RUN/CONDITION/NNNN/launch.json
//!    ├─ arms                    addresses, order, limits, and whether the hook was mapped and counted
//!    ├─ loadgen: LoadSummary    counts, rates, clocks, checks
//!    ├─ controls                values whose expectation is zero, with their margins
//!    └─ files: LaunchFiles      tables of observations, calls and resources
//! ```
//!
//! # A registered plan
//!
//! A [`RegisteredPlan`] fixes, before recording, which runs are recorded and which of their rows decide each claim:
//!
//! ```text
//! RegisteredPlan                experiments/plan.toml
//! ├─ budget: PlanBudget         minutes for each part
//! ├─ runs: [PlannedRun]         definition with its SHA-256, conditions, launches, rounds, doses
//! └─ claims: [PlannedClaim]     least effect of interest, and the PrimaryRows
//! LedgerEntry                   a line of data/reference/ledger.jsonl
//! ```
//!
//! [`LaunchWarning`]s name the circumstances that a reader of the results should know. Some make a launch invalid.
#![forbid(unsafe_code)]

mod application;
mod arm;
mod condition;
mod contrast;
mod control_check;
mod delays;
mod error;
mod exhibit;
mod experiment;
mod factor;
mod grid;
mod grid_index;
mod http_request;
mod invalid_value;
mod isolation_level;
mod launch_files;
mod launch_plan;
mod launch_record;
mod launch_warning;
mod ledger;
mod limits;
mod load;
mod load_levels;
mod load_summary;
mod loaded_experiment;
mod machine;
mod manifest;
mod message;
mod neighbour;
mod planned_claim;
mod planned_run;
mod program;
mod proxy;
mod registered_plan;
mod request_outcome;
mod resources;
mod server;
mod server_file;
mod synthetic_server;
mod tight_loop;
mod topology;
mod treatment;
mod warning_kind;

pub use application::{
    ApplicationDefinition, ApplicationFront, ApplicationRequest, ManifestSource, Workload, WorkloadName,
};
pub use arm::Arm;
pub use condition::Condition;
pub use contrast::{Contrast, ContrastRole, Location};
pub use control_check::ControlCheck;
pub use delays::{DelayDistribution, SlowComponent};
pub use error::ModelError;
pub use exhibit::ExhibitKind;
pub use experiment::Experiment;
pub use factor::FactorLevel;
pub use grid::{DefinitionError, GridExtent, parse_definition};
pub use grid_index::{CellRecord, GridIndex};
pub use http_request::{HttpRequest, Keyword, KeywordPosition};
pub use invalid_value::InvalidValue;
pub use isolation_level::IsolationLevel;
pub use launch_files::{
    HOOK_CALLS_FILE, LAUNCH_RECORD_FILE, LaunchFiles, MANIFEST_FILE, OBSERVATIONS_FILE, RESOURCES_FILE,
    SERVER_CALLS_FILE, TIGHT_LOOPS_FILE, launch_folder,
};
pub use launch_plan::{Arrivals, ConnectionPolicy, LaunchPlan, LaunchPlanError, Schedule, Target, WaitMethod};
pub use launch_record::{
    ArmRecord, HookCoverage, HostLoad, LaunchRecord, ProcessResources, ServerSummary, TelemetrySummary,
    TightLoopSummary,
};
pub use launch_warning::{Anomaly, LaunchWarning};
pub use ledger::{LedgerEntry, LedgerError, LedgerEvent, RecordingEnd};
pub use limits::{
    ExperimentLimits, LimitEnforcement, LimitHit, LimitKind, MissingColumns, MonitorRecord, ResourceLimits, Throttling,
};
pub use load::Load;
pub use load_levels::{CAPACITY_LEVEL, LOAD_FACTOR, LoadLevels};
pub use load_summary::{
    CheckVerdict, Clocks, FirstFailure, LoadCheck, LoadCheckKind, LoadSummary, LoadWarning, RateSummary,
};
pub use machine::{Host, Machine};
pub use manifest::{Clock, ConditionRecord, FileRecord, MANIFEST_VERSION, Manifest, Revision};
pub use message::{Message, Payload, ResponseEnd};
pub use neighbour::{Neighbour, NeighbourCpus};
pub use planned_claim::{PlannedClaim, PrimaryRow, RowCombination, RowCondition};
pub use planned_run::{PlanPart, PlannedCell, PlannedRun};
pub use program::{ProgramInstance, ServerProgram};
pub use proxy::{Proxy, ProxyProgram, RelayDelays, ScaledDelays};
pub use registered_plan::{PlanBudget, REGISTERED_PLAN_VERSION, RegisteredPlan, RegisteredPlanError};
pub use request_outcome::RequestOutcome;
pub use resources::{Measure, ResourceSample, ResourceSubject, Usage};
pub use server::ServerUnderTest;
pub use server_file::ServerFile;
pub use synthetic_server::{AcceptFunction, ReceiveFunction, SyntheticServer};
pub use tight_loop::{TightLoopBlock, TightLoopSettings};
pub use topology::Topology;
pub use treatment::{PreloadedObject, Treatment};
pub use warning_kind::{WarningKind, flagged_line};
