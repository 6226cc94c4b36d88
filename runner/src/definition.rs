//! An experiment's definition: TOML in, checked before anything is started.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use model::{
    Arm, Arrivals, Condition, ConnectionPolicy, Contrast, ExperimentLimits, Keyword, LaunchPlan, Message, Schedule,
    SyntheticServer, Target, TightLoopSettings, WaitMethod,
};
use provisioning::application::Application;
use serde::{Deserialize, Serialize};

use crate::grid::{self, Extent, Setting};
use crate::launch::container::application;
use crate::launch::local::neighbour::Neighbour;
use crate::program::{Program, ServerFile};
use crate::proxies::Hop;

/// What is measured, where, and how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiment {
    pub(crate) name: String,
    pub(crate) question: String,
    /// The exhibit with which the report shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exhibit: Option<model::ExhibitKind>,
    /// Which cell of a grid it is; empty where the definition has no factors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cell: Vec<Setting>,
    pub(crate) conditions: Vec<Condition>,
    /// The most launches of each condition.
    pub(crate) launches: u32,
    /// Fewer will do when, after ten, half of each contrast's 95 % interval is at most this, ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) precision_ns: Option<f64>,
    /// No launch begins later than this, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) budget_s: Option<f64>,
    /// So many launches are begun even when the budget is spent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) fewest_launches: u32,
    pub(crate) seed: u64,
    /// Whether resources are watched while it is measured.
    #[serde(default = "yes")]
    pub(crate) monitor: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<ExperimentLimits>,
    pub(crate) load: Load,
    pub(crate) request: Message,
    /// A share of the rounds sends the request with a keyword.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keyword: Option<Keyword>,
    /// List of words that the hook searches for, one a line, instead of those that it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) words: Option<PathBuf>,
    /// Each hooked arm's treatment is also measured without a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) micro: Option<TightLoopSettings>,
    pub(crate) sut: Sut,
    /// What stands between the prober and each server, in the order from the prober.
    #[serde(rename = "hops", alias = "hop", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hops: Vec<Hop>,
    /// What works beside servers and prober while they are measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) neighbour: Option<Neighbour>,
    #[serde(rename = "arms", alias = "arm")]
    pub(crate) arms: Vec<Arm>,
    #[serde(rename = "contrasts", alias = "contrast", default)]
    pub(crate) contrasts: Vec<Contrast>,
}

/// How the prober works; see `loadgen`'s plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    pub(crate) schedule: Schedule,
    #[serde(default)]
    pub(crate) arrivals: Arrivals,
    #[serde(default = "one")]
    pub(crate) connections: u16,
    #[serde(default)]
    pub(crate) connection: ConnectionPolicy,
    pub(crate) rounds: u64,
    pub(crate) warm_up_rounds: u64,
    pub(crate) segment_rounds: u64,
    pub(crate) wait: WaitMethod,
    #[serde(default = "yes")]
    pub(crate) kernel_stamps: bool,
    /// Whether this machine's processors are kept from idle states between requests, where that is permitted.
    #[serde(default = "yes")]
    pub(crate) keep_awake: bool,
    pub(crate) timeout_ms: u64,
    pub(crate) max_error_share: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

const fn yes() -> bool {
    true
}

const fn one() -> u16 {
    1
}

/// Which server, and how it works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "program", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Sut {
    /// The synthetic one, with its flags.
    Synthetic(SyntheticServer),
    /// Any program.
    Command(Box<Program>),
    /// A program that a file describes, such as `sut/macro/nginx.toml`; recorded plans have what the file says.
    File { file: PathBuf },
    /// An application of several workloads, in Kubernetes; asked for by --macro, which says the request, too.
    Application(Box<Application>),
}

impl Sut {
    /// As its tag in a definition, by which margins are found.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Synthetic(_) => "synthetic",
            Self::Command(_) => "command",
            Self::File { .. } => "file",
            Self::Application(_) => "application",
        }
    }
}

impl Experiment {
    /// Reads a definition: one experiment, or one for each cell of its grid.
    pub(crate) fn read(path: &Path, extent: Extent) -> Result<Vec<Self>> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; the definitions are in experiments/", path.display()))?;
        let mut experiments = grid::read(path, &text, extent)?;
        for experiment in &mut experiments {
            experiment.resolve()?;
        }
        Ok(experiments)
    }

    /// Puts what other files say in the place of their names.
    fn resolve(&mut self) -> Result<()> {
        if let Sut::File { file } = &self.sut {
            self.sut = Sut::Command(Box::new(ServerFile::read(file)?.server));
        }
        self.hops.iter_mut().try_for_each(Hop::resolve)
    }

    /// Reads the form that is kept in manifests.
    pub(crate) fn from_plan(plan: &serde_json::Value) -> Result<Self> {
        Self::deserialize(plan).context("the recorded plan is no experiment of this version")
    }

    /// The prober's plan, but for what differs from launch to launch.
    pub(crate) fn plan(&self, arms: Vec<Target>) -> LaunchPlan {
        let load = &self.load;
        LaunchPlan {
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

    /// Whether an arm's server stamps its requests.
    pub(crate) fn stamps(&self, arm: &Arm) -> bool {
        matches!(&self.sut, Sut::Synthetic(server) if arm.stamps.unwrap_or(server.stamps))
    }

    /// Checks what types cannot, after the command line's overrides.
    pub(crate) fn validate(&self) -> Result<()> {
        ensure!(
            !self.conditions.is_empty(),
            "conditions: none; expected at least one, such as \"local-pod\""
        );
        ensure!(
            self.launches > 0,
            "launches: 0; expected at least 1, and 10 for an interval to be trusted"
        );
        for (key, value) in [("precision_ns", self.precision_ns), ("budget_s", self.budget_s)] {
            ensure!(
                value.is_none_or(|value| value.is_finite() && value > 0.0),
                "{key}: {}; expected more than 0",
                value.unwrap_or_default()
            );
        }
        ensure!(
            self.precision_ns.is_none() || !self.contrasts.is_empty(),
            "precision_ns: there is no [[contrast]] whose interval could be narrow enough"
        );
        ensure!(!self.arms.is_empty(), "no [[arm]]; expected at least one");
        for (index, arm) in self.arms.iter().enumerate() {
            let name = &arm.name;
            ensure!(
                !self.arms[..index].iter().any(|other| other.name == *name),
                "[[arm]] {name}: the name stands there twice; give each arm its own"
            );
            arm.validate()?;
            ensure!(
                arm.stamps != Some(true) || matches!(self.sut, Sut::Synthetic(_)),
                "[[arm]] {name}: stamps are those of the synthetic server, and no other leaves any; remove it"
            );
        }
        for contrast in &self.contrasts {
            for arm in [&contrast.baseline, &contrast.arm] {
                ensure!(
                    self.arms.iter().any(|known| known.name == *arm),
                    "[[contrast]] {}: there is no arm {arm}",
                    contrast.name
                );
            }
        }
        self.validate_limits()?;
        if let Some(micro) = &self.micro {
            micro.validate()?;
        }
        if let Sut::Command(program) = &self.sut {
            program.validate().context("[sut]")?;
        }
        if let Sut::Application(_) = &self.sut {
            application::validate(self)?;
        }
        self.neighbour.as_ref().map_or(Ok(()), Neighbour::validate)?;
        for hop in &self.hops {
            hop.validate().context("[[hop]]")?;
        }
        let target = |arm: &Arm| Target {
            arm: arm.name.clone(),
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            namespace: None,
        };
        // The prober says what it needs of [load] and [request].
        Ok(self.plan(self.arms.iter().map(target).collect()).validate()?)
    }
}
