//! Experiments: the arms, the load, the conditions, and the number of launches.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::arm::Arm;
use crate::condition::Condition;
use crate::contrast::{Contrast, ContrastRole};
use crate::error::ModelError;
use crate::exhibit::ExhibitKind;
use crate::factor::FactorLevel;
use crate::http_request::Keyword;
use crate::invalid_value::require;
use crate::launch_plan::{LaunchPlan, Target};
use crate::limits::{ExperimentLimits, ResourceLimits};
use crate::load::Load;
use crate::load_levels::LoadLevels;
use crate::message::Message;
use crate::neighbour::Neighbour;
use crate::proxy::Proxy;
use crate::server::ServerUnderTest;
use crate::tight_loop::TightLoopSettings;
use crate::treatment::Treatment;

/// Memory that a process needs to start, bytes.
const LEAST_PROCESS_BYTES: u64 = 1 << 20;
/// Memory that a container needs to start, bytes.
const LEAST_CONTAINER_BYTES: u64 = 6 << 20;

/// An experiment. Definitions are TOML files of this shape in `experiments/`; a run's manifest holds the experiment as it
/// was run, with the content of all files that the definition names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The experiment's name, which is also its file's.
    pub name: String,
    /// The question that the experiment answers.
    pub question: String,
    /// The figure and table with which the report shows the experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhibit: Option<ExhibitKind>,
    /// The level of each factor, if the experiment is a cell of a grid; empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cell: Vec<FactorLevel>,
    /// The conditions in which launches run.
    pub conditions: Vec<Condition>,
    /// The largest number of launches in each condition.
    pub launches: u32,
    /// The run stops after ten or more launches when half of each contrast's 95 % interval is at most this, ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision_ns: Option<f64>,
    /// No launch begins later than this after the start of the run, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_s: Option<f64>,
    /// The number of launches that begin even after the budget is spent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fewest_launches: u32,
    /// Seed of all permutations.
    pub seed: u64,
    /// Whether resources are sampled during each launch.
    #[serde(default = "yes")]
    pub monitor: bool,
    /// Limits of CPU time and memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<ExperimentLimits>,
    /// The load generator's work.
    pub load: Load,
    /// Levels of load, as shares of the capacity of the server without a hook. `[load]` then describes how the capacity is
    /// measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<LoadLevels>,
    /// The request that the load generator sends.
    pub request: Message,
    /// A keyword in the requests of a share of the rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<Keyword>,
    /// A file with the words for which the hook searches, one a line; without it the hook's built-in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<PathBuf>,
    /// Tight loops that measure each hooked arm's treatment without a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micro: Option<TightLoopSettings>,
    /// The server that every arm runs.
    pub sut: ServerUnderTest,
    /// The proxies between the load generator and each server, in this order.
    #[serde(rename = "proxies", alias = "proxy", default, skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<Proxy>,
    /// A program that competes with the servers for the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbour: Option<Neighbour>,
    /// The servers of every launch.
    #[serde(rename = "arms", alias = "arm")]
    pub arms: Vec<Arm>,
    /// The comparisons between arms.
    #[serde(rename = "contrasts", alias = "contrast", default)]
    pub contrasts: Vec<Contrast>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

const fn yes() -> bool {
    true
}

impl Experiment {
    /// Returns the load generator's plan, without the values that differ from launch to launch.
    #[must_use]
    pub fn launch_plan(&self, arms: Vec<Target>) -> LaunchPlan {
        let load = &self.load;
        LaunchPlan {
            run: String::new(),
            condition: String::new(),
            launch: 0,
            arms,
            request: self.request.clone(),
            keyword: self.keyword.clone(),
            schedule: load.schedule,
            arrivals: load.arrivals,
            connections: load.connections,
            threads: 1,
            connection: load.connection,
            rounds: load.rounds,
            warm_up_rounds: load.warm_up_rounds,
            segment_rounds: load.segment_rounds,
            wait: load.wait,
            kernel_stamps: load.kernel_stamps,
            cpu: None,
            seed: self.seed,
            timeout_ms: load.timeout_ms,
            max_error_share: load.max_error_share,
            output: PathBuf::from("observations.parquet"),
        }
    }

    /// Returns the arm of a name.
    #[must_use]
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// Returns whether the server of an arm stamps its requests.
    #[must_use]
    pub fn stamps(&self, arm: &Arm) -> bool {
        matches!(&self.sut, ServerUnderTest::Synthetic(server) if arm.stamps.unwrap_or(server.stamps))
    }

    /// Returns the limits of an arm: its own limits, completed by the limits of the experiment.
    #[must_use]
    pub fn arm_limits(&self, arm: &Arm) -> ResourceLimits {
        let of_all = self.limits.unwrap_or_default().arms();
        arm.limits.unwrap_or_default().or(of_all)
    }

    /// Returns the limits of the load generator.
    #[must_use]
    pub fn loadgen_limits(&self) -> ResourceLimits {
        self.limits.and_then(|limits| limits.loadgen).unwrap_or_default()
    }

    /// Returns the limits of the neighbour.
    #[must_use]
    pub fn neighbour_limits(&self) -> ResourceLimits {
        let limits = self.neighbour.as_ref().and_then(|neighbour| neighbour.limits);
        limits.unwrap_or_default()
    }

    /// Returns whether anything has limits.
    #[must_use]
    pub fn has_limits(&self) -> bool {
        self.loadgen_limits().any()
            || self.neighbour_limits().any()
            || self.arms.iter().any(|arm| self.arm_limits(arm).any())
    }

    /// Checks that the experiment can be run.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub fn validate(&self) -> Result<(), ModelError> {
        self.validate_launches()?;
        self.validate_arms()?;
        for contrast in &self.contrasts {
            for arm in [&contrast.baseline, &contrast.arm] {
                if self.arm(arm).is_none() {
                    let table = format!("[[contrast]] {}", contrast.name);
                    return Err(ModelError::Problem(format!("there is no arm {arm}")).within(table));
                }
            }
        }
        self.validate_limits()?;
        if let Some(levels) = &self.levels {
            let mut contrasts = self.contrasts.iter();
            levels.validate(contrasts.any(|contrast| contrast.role == ContrastRole::Control))?;
        }
        self.micro.map_or(Ok(()), TightLoopSettings::validate)?;
        match &self.sut {
            ServerUnderTest::Command(program) => program.validate().map_err(|error| error.within("[sut]"))?,
            ServerUnderTest::Application(_) => self.validate_application()?,
            ServerUnderTest::Synthetic(_) | ServerUnderTest::File { .. } => {}
        }
        self.neighbour.as_ref().map_or(Ok(()), Neighbour::validate)?;
        for proxy in &self.proxies {
            proxy.validate().map_err(|error| error.within("[[proxy]]"))?;
        }
        let target = |arm: &Arm| Target {
            arm: arm.name.clone(),
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            namespace: None,
        };
        // The launch plan checks [load], [request] and [keyword].
        Ok(self.launch_plan(self.arms.iter().map(target).collect()).validate()?)
    }

    fn validate_launches(&self) -> Result<(), ModelError> {
        let expected = "at least one, such as \"local-pod\"";
        require(!self.conditions.is_empty(), "conditions", "none", expected)?;
        let expected = "at least 1, and 10 for an interval to be trusted";
        require(self.launches > 0, "launches", 0, expected)?;
        for (key, value) in [("precision_ns", self.precision_ns), ("budget_s", self.budget_s)] {
            if let Some(value) = value {
                require(value.is_finite() && value > 0.0, key, value, "more than 0")?;
            }
        }
        if self.precision_ns.is_some() && self.contrasts.is_empty() {
            return Err(ModelError::Problem(
                "precision_ns: the experiment has no [[contrast]] whose interval could become narrow enough; add one"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    fn validate_arms(&self) -> Result<(), ModelError> {
        require(!self.arms.is_empty(), "[[arm]]", "none", "at least one")?;
        for (index, arm) in self.arms.iter().enumerate() {
            let within =
                |problem: &str| ModelError::Problem(problem.to_owned()).within(format!("[[arm]] {}", arm.name));
            if self.arms[..index].iter().any(|other| other.name == arm.name) {
                return Err(within("two arms have this name; give each arm its own"));
            }
            arm.validate()?;
            if arm.stamps == Some(true) && !matches!(self.sut, ServerUnderTest::Synthetic(_)) {
                return Err(within(
                    "only the synthetic server stamps its requests; remove the key stamps",
                ));
            }
        }
        Ok(())
    }

    fn validate_limits(&self) -> Result<(), ModelError> {
        let is_local = |condition: &Condition| matches!(condition, Condition::Local(_));
        let least_bytes = if self.conditions.iter().all(is_local) {
            LEAST_PROCESS_BYTES
        } else {
            LEAST_CONTAINER_BYTES
        };
        let arms = self.arms.iter().map(|arm| (arm.name.as_str(), self.arm_limits(arm)));
        let others = [
            ("loadgen", self.loadgen_limits()),
            ("neighbour", self.neighbour_limits()),
        ];
        for (name, limits) in arms.chain(others) {
            limits
                .validate(least_bytes)
                .map_err(|error| error.within(format!("limits of {name}")))?;
        }
        Ok(())
    }

    /// Checks the restrictions of an application. Its pods hold no program of the project, so that no records and stamps can
    /// be fetched from them.
    fn validate_application(&self) -> Result<(), ModelError> {
        for condition in &self.conditions {
            let has_nodes = matches!(condition, Condition::KubernetesNode | Condition::KubernetesNodes);
            let expected = "kubernetes-node or kubernetes-nodes (--topology node or nodes) for an application";
            require(has_nodes, "conditions", condition, expected)?;
        }
        for arm in &self.arms {
            let has_treatment = matches!(
                arm.treatment,
                Treatment::Unmodified | Treatment::Forward | Treatment::Track | Treatment::Scan
            );
            if !has_treatment || arm.records || self.stamps(arm) {
                return Err(ModelError::Problem(
                    "an application takes the treatments unmodified, forward, track and scan, without records or stamps"
                        .to_owned(),
                )
                .within(format!("[[arm]] {}", arm.name)));
            }
        }
        for (is_set, key) in [
            (!self.proxies.is_empty(), "[[proxy]]"),
            (self.neighbour.is_some(), "[neighbour]"),
            (self.micro.is_some(), "[micro]"),
            (self.words.is_some(), "words"),
        ] {
            if is_set {
                return Err(ModelError::Problem(format!(
                    "{key}: an application does not support it; remove it"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::RelayDelays;

    const OVERHEAD: &str = include_str!("../../experiments/overhead.toml");

    /// Returns the error of the definition `overhead` after a change.
    fn refused(change: impl FnOnce(&mut Experiment)) -> String {
        let mut experiment: Experiment = toml::from_str(OVERHEAD).unwrap();
        experiment.validate().unwrap();
        change(&mut experiment);
        experiment.validate().unwrap_err().to_string()
    }

    #[test]
    fn an_experiment_that_cannot_be_run_is_refused_with_the_key() {
        for (error, words) in [
            (refused(|one| one.conditions.clear()), "`conditions`: none"),
            (refused(|one| one.launches = 0), "`launches`: 0; expected at least 1"),
            (refused(|one| one.budget_s = Some(f64::NAN)), "`budget_s`: NaN"),
            (
                refused(|one| {
                    one.precision_ns = Some(100.0);
                    one.contrasts.clear();
                }),
                "no [[contrast]]",
            ),
            (refused(|one| one.arms.clear()), "`[[arm]]`: none"),
            (
                refused(|one| one.arms[1].name = one.arms[0].name.clone()),
                "two arms have this name",
            ),
            (
                refused(|one| one.arms[0].delay_ns = Some(1)),
                "only for the treatment delay",
            ),
            (refused(|one| one.arms[0].records = true), "records come from the hook"),
            (
                refused(|one| one.contrasts[0].arm = "bare".to_owned()),
                "there is no arm bare",
            ),
            (refused(|one| one.load.rounds = 0), "`rounds`: 0"),
            (
                refused(|one| {
                    one.arms[0].limits = Some(ResourceLimits {
                        quota_cores: Some(0.0),
                        memory_bytes: None,
                    });
                }),
                "`quota_cores`: 0",
            ),
        ] {
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn containers_need_more_memory_than_processes() {
        let mut experiment: Experiment = toml::from_str(OVERHEAD).unwrap();
        experiment.limits = Some(ExperimentLimits {
            memory_bytes: Some(2 << 20),
            ..ExperimentLimits::default()
        });
        experiment.conditions = vec!["local-pod".parse().unwrap()];
        experiment.validate().unwrap();
        experiment.conditions.push(Condition::Docker);
        let error = experiment.validate().unwrap_err().to_string();
        assert!(error.contains("expected at least 6291456"), "{error}");
    }

    #[test]
    fn the_recorded_form_reads_back_and_an_unknown_key_is_an_error() {
        let experiment: Experiment = toml::from_str(OVERHEAD).unwrap();
        let recorded = serde_json::to_string(&experiment).unwrap();
        assert_eq!(serde_json::from_str::<Experiment>(&recorded).unwrap(), experiment);
        let error = serde_json::from_str::<Experiment>(&recorded.replacen("\"seed\"", "\"sead\"", 1)).unwrap_err();
        assert!(error.to_string().contains("`sead`"), "{error}");
    }

    #[test]
    fn an_application_takes_only_what_its_pods_can_have() {
        let mut experiment: Experiment = toml::from_str(OVERHEAD).unwrap();
        experiment.sut = serde_json::from_value(serde_json::json!({
            "program": "application", "name": "shop", "version": "1",
            "source": { "repository": "none", "revision": "0".repeat(40), "manifests": ["shop.yaml"] },
            "front": { "workload": "deployment/web", "port": 80 },
            "request": { "method": "GET", "path": "/" },
            "workloads": [{ "name": "deployment/web", "hook": true }],
        }))
        .unwrap();
        experiment.conditions = vec![Condition::KubernetesNode];
        experiment
            .arms
            .retain(|arm| matches!(arm.treatment, Treatment::Unmodified | Treatment::Scan));
        experiment.contrasts.clear();
        experiment.validate().unwrap();
        let refused = |change: &dyn Fn(&mut Experiment)| {
            let mut experiment = experiment.clone();
            change(&mut experiment);
            experiment.validate().unwrap_err().to_string()
        };
        for (error, words) in [
            (
                refused(&|one| one.conditions.push(Condition::Docker)),
                "`conditions`: docker",
            ),
            (
                refused(&|one| one.arms[2].treatment = Treatment::Log),
                "an application takes the treatments",
            ),
            (refused(&|one| one.arms[2].records = true), "without records"),
            (
                refused(&|one| one.words = Some("words.txt".into())),
                "words: an application",
            ),
            (
                refused(&|one| one.proxies = vec![Proxy::Relay(RelayDelays::File("delays.toml".into()))]),
                "[[proxy]]: an application",
            ),
        ] {
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
