//! Names of the files of a run: `RUN/manifest.json`, and `RUN/CONDITION/NNNN/` with the files of one launch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// File of the manifest in a run's folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// File of the launch record in a launch's folder.
pub const LAUNCH_RECORD_FILE: &str = "launch.json";
/// File of the observations in a launch's folder.
pub const OBSERVATIONS_FILE: &str = "observations.parquet";
/// File of the hook's calls in a launch's folder.
pub const HOOK_CALLS_FILE: &str = "hook_calls.parquet";
/// File of the server's own stamps in a launch's folder.
pub const SERVER_CALLS_FILE: &str = "server_calls.parquet";
/// File of the tight loops in a launch's folder.
pub const TIGHT_LOOPS_FILE: &str = "tight_loops.parquet";
/// File of the resource samples in a launch's folder.
pub const RESOURCES_FILE: &str = "resources.parquet";

/// Returns the folder of a launch relative to the run's folder: `CONDITION/NNNN`. The tables are partitioned by run,
/// condition and launch.
#[must_use]
pub fn launch_folder(condition: &str, launch: u32) -> String {
    format!("{condition}/{launch:04}")
}

/// The files of one launch, relative to the run's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaunchFiles {
    /// Table of the requests.
    pub observations: String,
    /// Table of the hook's calls; none where no arm's hook left records.
    pub hook_calls: Option<String>,
    /// Table of the server's own stamps; none where no arm's server left any.
    pub server_calls: Option<String>,
    /// Table of receive calls without a server; none where none were measured.
    pub tight_loops: Option<String>,
    /// Table of resource samples; none where resources were not watched.
    pub resources: Option<String>,
    /// Histograms of latencies under load; none where none were recorded.
    pub histograms: Option<String>,
}

impl LaunchFiles {
    /// Names the file of observations of a launch, and no other file.
    #[must_use]
    pub fn of_observations(condition: &str, launch: u32) -> Self {
        Self {
            observations: format!("{}/{OBSERVATIONS_FILE}", launch_folder(condition, launch)),
            ..Self::default()
        }
    }

    /// Returns all files, the observations first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let optional = [
            &self.hook_calls,
            &self.server_calls,
            &self.tight_loops,
            &self.resources,
            &self.histograms,
        ];
        std::iter::once(self.observations.as_str()).chain(optional.into_iter().flatten().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::LaunchFiles;

    #[test]
    fn a_launch_has_a_folder_in_its_conditions_folder() {
        let files = LaunchFiles {
            resources: Some("local-pod/0012/resources.parquet".to_owned()),
            ..LaunchFiles::of_observations("local-pod", 12)
        };
        assert_eq!(
            files.all().collect::<Vec<_>>(),
            [
                "local-pod/0012/observations.parquet",
                "local-pod/0012/resources.parquet"
            ]
        );
    }
}
