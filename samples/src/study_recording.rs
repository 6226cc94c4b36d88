//! The round-trip times of two arms in the order of their requests: the form of the 2023 recordings.

use std::path::Path;

use analysis::ssp2023::RecordingOrder;
use dataset::Run;
use model::LaunchRecord;
use rayon::prelude::*;

use crate::error::SamplesError;
use crate::fold::rtt_ns;
use crate::observed_launch::{in_launch, open};

/// The two recordings of one condition of the 2023 study, in the order of recording.
#[derive(Clone, Debug)]
pub struct StudyRecording {
    /// `docker`, `kind`, `eks-pod` or `eks-nodes`; of our own run the name of its condition.
    pub condition: String,
    /// Response times of the unmodified program, ns.
    pub unmodified_ns: Vec<i64>,
    /// Response times of the hooked program, ns.
    pub hook_ns: Vec<i64>,
    /// The times at which the recordings began.
    pub order: RecordingOrder,
}

/// The imported 2023 recordings, in the study's order of conditions.
///
/// # Errors
/// When `directory` is not the imported study or a file of it is damaged.
pub fn study_recordings(directory: &Path) -> Result<Vec<StudyRecording>, SamplesError> {
    let run = Run::open(directory)?;
    let launches = run.manifest.launches.par_iter();
    launches
        .map(|launch| two_arms(&run, launch, |arm| Some(usize::from(arm != "unmodified"))))
        .collect()
}

/// The imported 2023 recordings; `None` if `directory` has no manifest, because the study was not imported.
///
/// # Errors
/// When the manifest is not the manifest of the imported study, or a file is damaged.
pub fn imported_recordings(directory: &Path) -> Result<Option<Vec<StudyRecording>>, SamplesError> {
    if !directory.join("manifest.json").exists() {
        return Ok(None);
    }
    study_recordings(directory).map(Some)
}

/// The arms `unmodified` and `hook` of the first launch of each condition of a run: as much as the study recorded of a
/// condition.
///
/// # Errors
/// When a file is missing or damaged.
pub fn first_launches(run: &Run, (unmodified, hook): (&str, &str)) -> Result<Vec<StudyRecording>, SamplesError> {
    let mut launches: Vec<&LaunchRecord> = Vec::new();
    for launch in &run.manifest.launches {
        if !launches.iter().any(|known| known.condition == launch.condition) {
            launches.push(launch);
        }
    }
    let which = |arm: &str| [unmodified, hook].iter().position(|name| *name == arm);
    launches
        .into_iter()
        .map(|launch| two_arms(run, launch, which))
        .collect()
}

/// The round-trip times of the arms for which `which` returns 0, unmodified, or 1, hooked.
fn two_arms(
    run: &Run,
    launch: &LaunchRecord,
    which: impl Fn(&str) -> Option<usize>,
) -> Result<StudyRecording, SamplesError> {
    let reader = open(&run.directory.join(&launch.files.observations), launch)?;
    let mut recordings = [Vec::new(), Vec::new()];
    let mut began_ns = [0, 0];
    let recording_of_arm: Vec<Option<usize>> = reader.header().arms.iter().map(|arm| which(arm)).collect();
    let read = reader.for_each_timings(|rows| {
        for row in 0..rows.len() {
            let recording = recording_of_arm[usize::from(rows.arm[row])];
            if let Some(recording) = recording.filter(|_| rows.answered[row]) {
                if recordings[recording].is_empty() {
                    began_ns[recording] = rows.user_send_ns[row];
                }
                recordings[recording].push(rtt_ns(rows, row));
            }
        }
    });
    read.map_err(in_launch(launch))?;
    let [unmodified_ns, hook_ns] = recordings;
    let [unmodified_unix_ns, hook_unix_ns] = began_ns;
    Ok(StudyRecording {
        condition: launch.condition.clone(),
        unmodified_ns,
        hook_ns,
        order: RecordingOrder {
            unmodified_unix_ns,
            hook_unix_ns,
        },
    })
}
