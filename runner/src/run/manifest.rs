//! The manifest at a run's end: the plan, the host, and every file with its checksum.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use dataset::file_record;
use model::{
    Clock, Condition, ConditionRecord, LAUNCH_RECORD_FILE, LaunchRecord, LimitEnforcement, MANIFEST_VERSION, Manifest,
    Revision, launch_folder,
};

use crate::run::availability::{ConditionAccess, ConditionAccesses};
use crate::run::context::RunContext;
use crate::run::folder::{PLAN, RunFolder};
use crate::run::words::WORDS;

/// Returns the record of a condition of the run.
fn condition_record(
    condition: Condition,
    access: &Result<ConditionAccess, String>,
    setting: &RunContext<'_>,
) -> ConditionRecord {
    // The guard against idle states works on this machine, and not on the nodes of a cluster.
    let here = matches!(access, Ok(ConditionAccess::Local(..))) || (access.is_ok() && condition == Condition::Docker);
    let awake = setting.awake.as_ref().filter(|_| here);
    let (limits_by, mut missing) = match access {
        Ok(ConditionAccess::Local(_, _, missing)) => {
            let no_limits = setting
                .limits_by
                .as_ref()
                .err()
                .map(|reason| format!("limits: {reason}"));
            let missing: Vec<String> = missing.iter().cloned().chain(no_limits).collect();
            (setting.limits_by.clone().unwrap_or_default(), missing)
        }
        Ok(ConditionAccess::Engine(_)) => (LimitEnforcement::Engine, Vec::new()),
        Err(_) => (LimitEnforcement::None, Vec::new()),
    };
    missing.extend(awake.and_then(|kept| kept.as_ref().err()).cloned());
    ConditionRecord {
        name: condition.name().to_owned(),
        level: access.as_ref().map_or("none", ConditionAccess::level).to_owned(),
        limits_by,
        kept_awake: awake.is_some_and(Result::is_ok),
        missing: (!missing.is_empty()).then(|| missing.join("; ")),
        not_run: access.as_ref().err().cloned(),
    }
}

/// A run all of whose launches are finished.
pub(super) struct FinishedRun<'a> {
    pub(super) folder: &'a RunFolder,
    pub(super) levels: &'a ConditionAccesses,
    pub(super) setting: &'a RunContext<'a>,
    pub(super) revision: Option<Revision>,
}

impl FinishedRun<'_> {
    /// Returns the manifest of a finished run.
    ///
    /// # Errors
    /// If a file of the run cannot be read.
    pub(super) fn manifest(self, launches: Vec<LaunchRecord>, ended: Option<String>) -> Result<Manifest> {
        let Self {
            folder,
            levels,
            setting,
            revision,
        } = self;
        let mut names = vec![PLAN.to_owned()];
        names.extend(setting.words.as_ref().map(|_| WORDS.to_owned()));
        for launch in &launches {
            names.extend(launch.files.all().map(str::to_owned));
            let folder = launch_folder(&launch.condition, launch.launch);
            names.push(format!("{folder}/{LAUNCH_RECORD_FILE}"));
        }
        let files = names
            .iter()
            .map(|name| Ok(file_record(&folder.path, name)?))
            .collect::<Result<_>>()?;
        let experiment = &folder.plan.experiment;
        let conditions = levels
            .iter()
            .map(|(condition, access)| condition_record(*condition, access, setting));
        let mut tools = crate::run::revision::tools(&folder.plan.hook_sha256);
        for (condition, access) in levels {
            if let Ok(ConditionAccess::Engine(ready)) = access {
                let facts = ready.facts.iter();
                tools.extend(facts.map(|(name, value)| (format!("{condition}: {name}"), value.clone())));
            }
        }
        Ok(Manifest {
            schema_version: MANIFEST_VERSION,
            run_id: folder.run_id(),
            experiment: experiment.name.clone(),
            plan: Some(experiment.clone()),
            plan_sha256: folder
                .plan
                .registration
                .as_ref()
                .map(|registration| registration.plan_sha256.clone()),
            clock: Clock::Monotonic,
            revision,
            command_line: std::env::args().collect(),
            started_unix_ns: folder.plan.started_unix_ns,
            finished_unix_ns: now_unix_ns(),
            machine: dataset::this_machine(),
            host: dataset::this_host(),
            tools,
            conditions: conditions.collect(),
            launches,
            files,
            notes: ended.into_iter().collect(),
        })
    }
}

pub(crate) fn now_unix_ns() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
}
