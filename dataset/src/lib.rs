//! The Parquet schema and the run manifest: the only reader and writer of recorded data.
//!
//! A run is a folder: `manifest.json`, `observations/CONDITION-LAUNCH.parquet`, `launches/CONDITION-LAUNCH.json`.
#![forbid(unsafe_code)]

mod error;
mod host;
mod manifest;
mod observation;
mod reader;
mod recording;
mod run;
mod schema;
pub mod ssp2023;
mod writer;

pub use error::Error;
pub use host::HostFacts;
pub use manifest::{
    ArmRecord, Clock, ConditionRecord, FileRecord, LaunchRecord, MANIFEST_VERSION, Manifest, TelemetrySummary,
};
pub use observation::{Observation, Status};
pub use reader::ObservationReader;
pub use run::{Run, file_record, hexadecimal, sha256, write_file, write_json, write_manifest};
pub use schema::{FileHeader, OBSERVATIONS_VERSION, ROW_GROUP_ROWS};
pub use writer::ObservationWriter;
