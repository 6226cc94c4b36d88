//! The Parquet schema and the run manifest: the only reader and writer of recorded data.
//!
//! A run is a folder: `manifest.json`, `observations/CONDITION-LAUNCH.parquet`, `launches/CONDITION-LAUNCH.json`, and
//! `hook_calls/CONDITION-LAUNCH.parquet` where an arm's hook left records, and `resources/CONDITION-LAUNCH.parquet` where
//! resources were watched. A grid is a folder of such folders, which `grid.json` names.
#![forbid(unsafe_code)]

mod error;
mod fault;
mod grid;
mod hook_calls;
mod host;
mod manifest;
mod observation;
mod observed;
mod reader;
mod recording;
mod resources;
mod ro_crate;
mod run;
mod schema;
mod server_calls;
mod slim;
pub mod ssp2023;
mod table;
mod tight_loops;
mod timings;
mod writer;

pub use error::Error;
pub use fault::{Fault, FaultKind, TRIED, Tried, TriedHook};
pub use grid::{CellRecord, GRID, Grid, GridIndex};
pub use hook_calls::{HOOK_CALLS_VERSION, read_hook_calls, write_hook_calls};
pub use host::HostFacts;
pub use manifest::{
    ArmRecord, Clock, ConditionRecord, ControlCheck, ControlVerdict, Coverage, FileRecord, LaunchRecord,
    MANIFEST_VERSION, Manifest, Resources, ServerSummary, TelemetrySummary, TightLoopSummary,
};
pub use observation::{Observation, Status};
pub use observed::{
    Agreement, Carried, NotFound, OBSERVED, OBSERVED_VERSION, Observed, ObservedServer, Passed, ServerKind,
};
pub use reader::ObservationReader;
pub use resources::{Measure, RESOURCES_VERSION, ResourceSample, Subject, Usage, read_resources, write_resources};
pub use ro_crate::{RO_CRATE, ro_crate};
pub use run::{Run, file_record, hexadecimal, sha256, write_file, write_json, write_manifest};
pub use schema::{FileHeader, OBSERVATIONS_VERSION, ROW_GROUP_ROWS, time_columns};
pub use server_calls::{SERVER_CALLS_VERSION, ServerCall, read_server_calls, write_server_calls};
pub use slim::slim;
pub use tight_loops::{Block, TIGHT_LOOPS_VERSION, read_tight_loops, write_tight_loops};
pub use timings::Timings;
pub use writer::ObservationWriter;
