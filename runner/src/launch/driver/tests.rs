//! The launch protocol over a backend that only records its calls.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{anyhow, ensure};
use model::{Condition, TightLoopBlock};

use super::*;
use crate::launch::backend::{
    ArmFiles, LoadGeneratorSite, LoopPlan, LoopSite, OwnPrograms, ProxySite, ServerSite, StoppedProcess,
};
use crate::launch::order::LaunchOrder;
use crate::launch::process::{ProcessStart, Readiness};
use crate::treatments::TreatmentSite;

/// The experiment of the integration tests with two arms, a tight loop, a neighbour and a relay.
fn experiment() -> Experiment {
    let more = "[micro]\ncalls = 2_000\n\n[neighbour]\ncommand = [\"stress\"]\n\n\
                [[proxy]]\ndelays = { source = \"none\", quantiles_ns = [0] }\n\n[sut]";
    let text = include_str!("../../../tests/common/small.toml").replacen("[sut]", more, 1);
    let mut experiment: Experiment = toml::from_str(&text.replace("\"sleep\"", "\"spin\"")).unwrap();
    experiment.arms.truncate(2);
    experiment
}

/// A summary without warnings. No arm has telemetry, so that no counts are compared.
const SUMMARY: &str = r#"{
    "rounds": 60, "observations": 120, "warm_up": 20, "requests_sent": { "unmodified": 60, "scan": 60 }, "errors": {},
    "first_failures": [], "error_share": 0.0, "reconnections": 0, "stamped_share": 1.0, "unstamped": 0,
    "no_kernel_stamps": null, "littles_law": 1.0, "between_requests_ns": 1000.0, "rate": null, "elapsed_s": 1.0,
    "writing_s": 0.0, "involuntary_context_switches": 0, "peak_memory_bytes": 1, "cpu": 1,
    "clocks": { "resolution_ns": 1, "stamp_cost_ns": 20.0, "kernel_minus_user_ns": 0, "change_ns": 0 },
    "checks": [], "finished": true, "output": "/observations"
}"#;

/// A backend that records its calls.
#[derive(Default)]
struct Notes {
    calls: Vec<String>,
    /// Number of the call that fails.
    fails: Option<usize>,
    running: BTreeSet<LaunchProcess>,
    removed: bool,
    shared: bool,
    /// The process that ends while the load generator works, and the limit for which it is killed.
    ends: Option<(LaunchProcess, Option<LimitKind>)>,
    plan: Option<LaunchPlan>,
}

impl Notes {
    fn note(&mut self, call: String) -> Result<()> {
        let number = self.calls.len();
        self.calls.push(call.clone());
        ensure!(self.fails != Some(number), "{call} fails");
        Ok(())
    }

    fn site() -> TreatmentSite {
        TreatmentSite {
            hook: "/hook.so".into(),
            ..TreatmentSite::default()
        }
    }
}

impl Backend for Notes {
    fn programs(&self) -> OwnPrograms {
        OwnPrograms {
            sut: "/sut".into(),
            runner: "/runner".into(),
        }
    }

    fn server_site(&mut self, arm: usize, port: u16, _: RecordRoom) -> Result<ServerSite> {
        self.note(format!("prepare server {arm}"))?;
        Ok(ServerSite {
            folder: "/own".into(),
            address: (Ipv4Addr::LOCALHOST, port).into(),
            stamps: None,
            treatment: Self::site(),
        })
    }

    fn proxy_site(&mut self, arm: usize, number: usize, port: u16) -> Result<ProxySite> {
        self.note(format!("prepare proxy {arm} {number}"))?;
        Ok(ProxySite {
            folder: "/own".into(),
            address: (Ipv4Addr::LOCALHOST, port).into(),
        })
    }

    fn start(&mut self, process: LaunchProcess, start: &ProcessStart) -> Result<SocketAddr> {
        self.note(format!("start {process}"))?;
        assert!(self.running.insert(process), "{process} runs already");
        let (Readiness::Announces(address) | Readiness::Serves(address) | Readiness::Listens(address)) =
            start.readiness
        else {
            return Ok((Ipv4Addr::LOCALHOST, 0).into());
        };
        Ok(address)
    }

    fn require_mapped(&mut self, arm: usize, object: &Path) -> Result<()> {
        self.note(format!("require {} in server {arm}", object.display()))
    }

    fn counts_before(&mut self, arm: usize) -> Result<PreMeasurementCounts> {
        self.note(format!("count before {arm}"))?;
        Ok(PreMeasurementCounts::default())
    }

    fn load_generator(&mut self) -> Result<LoadGeneratorSite> {
        self.note("prepare load generator".to_owned())?;
        Ok(LoadGeneratorSite {
            processor: 1,
            shared: self.shared,
            observations: "/observations".into(),
        })
    }

    fn generate_load(&mut self, plan: &LaunchPlan, file: &Path) -> Result<LoadOutcome> {
        self.note("generate load".to_owned())?;
        assert!(file.exists());
        self.plan = Some(plan.clone());
        let failure = self.ends.filter(|(process, _)| *process != LaunchProcess::Neighbour);
        Ok(LoadOutcome {
            printed: SUMMARY.as_bytes().to_vec(),
            failure: failure.map(|_| "the load generator failed".to_owned()),
            watched: None,
            counted: Some(Vec::new()),
        })
    }

    fn stop(&mut self, process: LaunchProcess) -> Result<StoppedProcess> {
        self.note(format!("stop {process}"))?;
        assert!(self.running.remove(&process), "{process} does not run");
        let ended = self.ends.filter(|(ended, _)| *ended == process);
        let killed = ended.and_then(|(_, killed)| killed);
        let hit = killed.map(|kind| LimitHit {
            subject: process.to_string(),
            kind,
            count: 1,
            limit: None,
            throttling: None,
        });
        Ok(StoppedProcess {
            ended_early: ended.map(|_| anyhow!("it ended")),
            counted: Some(hit.into_iter().collect()),
        })
    }

    fn fetch_observations(&mut self, _: &Path) -> Result<()> {
        self.note("fetch observations".to_owned())
    }

    fn fetch_arm(&mut self, arm: usize) -> Result<ArmFiles> {
        self.note(format!("fetch arm {arm}"))?;
        Ok(ArmFiles::default())
    }

    fn loop_site(&mut self, arm: usize, _: &[u8], _: u32) -> Result<LoopSite> {
        self.note(format!("prepare loop {arm}"))?;
        Ok(LoopSite {
            payload: "/payload".into(),
            treatment: Self::site(),
        })
    }

    fn run_loop(&mut self, arm: usize, plan: &LoopPlan) -> Result<Vec<TightLoopBlock>> {
        assert!(self.running.is_empty(), "a server runs beside the loop");
        assert!(plan.hooked.environment.iter().any(|(name, _)| name == "LD_PRELOAD"));
        self.note(format!("run loop {arm}"))?;
        Ok(Vec::new())
    }

    fn remove(&mut self) -> Result<()> {
        assert!(!self.removed, "removed twice");
        self.removed = true;
        self.running.clear();
        self.note("remove".to_owned())
    }
}

/// Runs a launch of the experiment over a backend.
fn launched(backend: &mut Notes) -> Result<LaunchRecord> {
    let experiment = experiment();
    let folder = tempfile::tempdir().unwrap();
    let condition = Condition::Docker;
    let launch = Launch {
        experiment: &experiment,
        run: "run",
        condition,
        number: 0,
        order: LaunchOrder::draw(experiment.seed, condition, 0, experiment.arms.len()),
        folder: folder.path(),
    };
    let result = run(&launch, backend);
    assert!(backend.removed && backend.running.is_empty());
    assert_eq!(backend.calls.last().unwrap(), "remove");
    // The folder has only the plan: this backend has no observations.
    for entry in fs::read_dir(folder.path()).unwrap() {
        assert_eq!(entry.unwrap().file_name(), "plan.json");
    }
    result
}

#[test]
fn the_protocol_has_one_order() {
    let mut backend = Notes::default();
    let record = launched(&mut backend).unwrap();
    assert!(record.valid, "{:?}", record.warnings());
    let names: Vec<&str> = record.arms.iter().map(|arm| arm.arm.as_str()).collect();
    assert_eq!(names, ["unmodified", "scan"]);
    assert_eq!(record.arms[1].hook_mapped, Some(true));
    assert_eq!(record.arms[0].hook_mapped, None);
    let first = record.arms.iter().position(|arm| arm.start_order == 0).unwrap();
    let arms = [first, 1 - first];
    let mut expected = Vec::new();
    for arm in arms {
        expected.push(format!("prepare server {arm}"));
        expected.push(format!("start arm-{arm}"));
        if arm == 1 {
            expected.push("require /hook.so in server 1".to_owned());
        }
        expected.push(format!("prepare proxy {arm} 0"));
        expected.push(format!("start arm-{arm}-proxy-0"));
        expected.push(format!("count before {arm}"));
    }
    let load = [
        "start neighbour",
        "prepare load generator",
        "generate load",
        "stop neighbour",
    ];
    expected.extend(load.map(str::to_owned));
    for arm in arms {
        expected.extend([format!("stop arm-{arm}-proxy-0"), format!("stop arm-{arm}")]);
    }
    expected.push("fetch observations".to_owned());
    expected.extend(arms.map(|arm| format!("fetch arm {arm}")));
    expected.extend(["prepare loop 1", "run loop 1", "remove"].map(str::to_owned));
    assert_eq!(backend.calls, expected);
    let plan = backend.plan.unwrap();
    assert_eq!((plan.arms.len(), plan.cpu, plan.wait), (2, Some(1), WaitMethod::Spin));
    assert_eq!(plan.condition, "docker");
}

#[test]
fn a_failure_of_any_step_removes_everything_at_once() {
    let mut whole = Notes::default();
    launched(&mut whole).unwrap();
    for number in 0..whole.calls.len() {
        let mut backend = Notes {
            fails: Some(number),
            ..Notes::default()
        };
        let error = format!("{:#}", launched(&mut backend).unwrap_err());
        let call = &whole.calls[number];
        assert!(error.contains(&format!("{call} fails")), "{call}: {error}");
        if call != "remove" {
            assert_eq!(backend.calls[..=number], whole.calls[..=number]);
            assert_eq!(backend.calls.len(), number + 2, "{:?}", backend.calls);
        }
    }
}

#[test]
fn a_server_that_ends_under_load_is_named_and_one_that_was_killed_makes_the_launch_invalid() {
    let server = LaunchProcess::Server(1);
    let mut backend = Notes {
        ends: Some((server, None)),
        ..Notes::default()
    };
    let error = format!("{:#}", launched(&mut backend).unwrap_err());
    assert_eq!(error, "arm scan: it ended");
    let mut backend = Notes {
        ends: Some((server, Some(LimitKind::OomKill))),
        ..Notes::default()
    };
    let record = launched(&mut backend).unwrap();
    assert!(!record.valid);
    let warnings: Vec<String> = record.warnings().iter().map(ToString::to_string).collect();
    let killed = "scan: 1 process was killed because memory ran out, under no limit of its own";
    assert_eq!(warnings, [killed]);
    let proxy = LaunchProcess::Proxy { arm: 0, number: 0 };
    let mut backend = Notes {
        ends: Some((proxy, None)),
        ..Notes::default()
    };
    let error = format!("{:#}", launched(&mut backend).unwrap_err());
    assert_eq!(error, "arm unmodified, proxy relay: it ended");
}

#[test]
fn a_neighbour_that_ends_makes_the_launch_invalid() {
    let mut backend = Notes {
        ends: Some((LaunchProcess::Neighbour, None)),
        ..Notes::default()
    };
    let record = launched(&mut backend).unwrap();
    assert!(!record.valid);
    let how = "it ended".to_owned();
    assert_eq!(record.anomalies, [Anomaly::NeighbourEnded { how }]);
}

#[test]
fn a_load_generator_on_the_processor_of_the_arms_sleeps() {
    let mut backend = Notes {
        shared: true,
        ..Notes::default()
    };
    let record = launched(&mut backend).unwrap();
    assert_eq!(backend.plan.unwrap().wait, WaitMethod::Sleep);
    assert_eq!(record.anomalies, [Anomaly::SharedProcessor]);
    assert!(record.valid);
}
