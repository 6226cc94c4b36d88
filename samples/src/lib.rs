//! From the observations of a run to the samples that `analysis` takes.
//!
//! [`ObservedLaunch`] is one pass over the observations of one launch: the samples of each arm, the [`LaunchTimeline`], and
//! on request the sequences that are drawn. [`RunSamples`] holds these of all launches of a run. [`StudyRecording`] holds
//! the round-trip times of two arms of one launch in their order, which is the form of the 2023 recordings. Memory does not
//! grow with the number of requests, except for [`StudyRecording`].
//!
//! The runner reads one launch after it has finished; the report reads whole runs. Both use this crate, so that they
//! agree on which rows count.
#![forbid(unsafe_code)]

mod error;
mod fold;
mod launch_timeline;
mod observed_launch;
mod run_samples;
mod study_recording;
mod throughput;

pub use error::SamplesError;
pub use fold::FoldSettings;
pub use launch_timeline::LaunchTimeline;
pub use observed_launch::ObservedLaunch;
pub use run_samples::{RunSamples, run_samples};
pub use study_recording::{StudyRecording, first_launches, imported_recordings, study_recordings};
