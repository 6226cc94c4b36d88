//! Stored data: the only reader and writer of Parquet tables and run folders.
//!
//! A run is a folder: `manifest.json`, `plan.json`, and for each launch a folder `CONDITION/NNNN` with `launch.json`,
//! `observations.parquet` and the tables that the launch has. A grid is a folder of runs, which `grid.json` names. The types of
//! manifest and launch record are in the crate `model`.
#![forbid(unsafe_code)]

mod atomic_file;
mod before_plan;
mod checksum;
mod error;
mod file_header;
mod file_version;
mod grid;
mod hook_calls;
mod launch_folder;
mod machine_facts;
mod observation;
mod observation_columns;
mod observation_reader;
mod observation_table;
mod observation_writer;
mod observed_servers;
mod preflight;
mod resources;
mod ro_crate;
mod run;
mod server_calls;
mod slim;
pub mod ssp2023;
mod ssp2023_recording;
mod start_costs;
mod table;
mod tight_loops;
mod timings;

pub use atomic_file::{write_file, write_json};
pub use checksum::{file_record, sha256, sha256_of};
pub use error::Error;
pub use file_header::FileHeader;
pub use grid::{GRID_FILE, Grid};
pub use hook_calls::{HOOK_CALLS_VERSION, hook_coverage, read_hook_calls, write_hook_calls};
pub use launch_folder::{UnfinishedLaunch, read_launch, remove_unfinished_launches};
pub use machine_facts::{this_host, this_machine};
pub use model::RequestOutcome;
pub use observation::Observation;
pub use observation_reader::ObservationReader;
pub use observation_table::{OBSERVATIONS_VERSION, time_columns};
pub use observation_writer::ObservationWriter;
pub use observed_servers::{
    InstrumentAgreement, OBSERVED_FILE, OBSERVED_VERSION, ObservedCalls, ObservedServer, ObservedServers, PayloadCount,
    ReceiveCalls, ServerKind, UnobservedServer,
};
pub use preflight::{PREFLIGHT_FILE, PreflightHook, PreflightRecord, ServerFault, ServerFaultKind};
pub use resources::{RESOURCES_VERSION, read_resources, write_resources};
pub use ro_crate::{RO_CRATE, ro_crate};
pub use run::{Run, write_manifest};
pub use server_calls::{SERVER_CALLS_VERSION, ServerCall, read_server_calls, write_server_calls};
pub use slim::slim;
pub use start_costs::{StartBlock, StartCosts};
pub use table::ROW_GROUP_ROWS;
pub use tight_loops::{TIGHT_LOOPS_VERSION, read_tight_loops, write_tight_loops};
pub use timings::Timings;
