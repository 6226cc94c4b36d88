//! The experiments of the preflight, of the measurement and of the observation of a foreign server.

use model::{
    Arm, Arrivals, Condition, ConnectionPolicy, Contrast, ContrastRole, ExhibitKind, Experiment, Load, LoadLevels,
    Schedule, ServerUnderTest, Treatment, WaitMethod,
};

use super::command::{ForeignHook, ForeignHookCommand, TOPOLOGY};
use crate::command_line::run_options::MOST_LAUNCHES;
use crate::preflight::subject::ForeignServer;
use crate::preflight::{PreflightResult, REQUESTS};

/// The arm without a hook.
pub(crate) const BARE: &str = "unmodified";
/// The second arm without a hook: the A/A control.
pub(crate) const CONTROL: &str = "control";
/// The arm with the project's hook, whose counts show if the hook sees each request.
pub(crate) const OWN: &str = "track";
const NO_DELAY: &str = "delay-0";
const DELAY: &str = "delay-5us";
const DELAY_NS: u64 = 5_000;

/// The arm whose delay is a share of the time that the server needs for a request.
const LEVEL_DELAY: &str = "delay";
/// Levels of load, as shares of the capacity.
const UTILISATIONS: [f64; 4] = [0.1, 0.5, 0.8, 0.9];
/// Duration for which requests go to one arm, s.
const BLOCK_S: f64 = 0.5;
/// Blocks of each arm in a launch, without warm-up.
const BLOCKS: u32 = 4;
/// The delay, as a share of the mean time that the server needs for a request.
const DELAY_SHARE: f64 = 0.05;
/// Connections to each arm.
const CONNECTIONS: u16 = 16;
/// Range of the requests of a block in which the capacity is measured.
const SATURATED_REQUESTS: std::ops::RangeInclusive<u32> = 200..=40_000;

/// Smallest number of launches from which the variance between launches is estimated.
const FEWEST_LAUNCHES: u32 = 10;
/// Range of the rounds of a launch. More launches reduce the interval more than longer launches.
const ROUNDS: std::ops::RangeInclusive<u64> = 400..=5_000;
/// Duration of a launch without the start and the measurement of its servers, s.
const LAUNCH_S: f64 = 0.3;
/// A hooked server may take this time plus this multiple of the bare server's time to start, s.
const HURRY_S: f64 = 10.0;
const HURRY: f64 = 10.0;

/// Checks that the project's hook counts one payload receive for each request, so that its delay is a delay of each request.
///
/// # Errors
/// The reason why there is no calibration.
pub(super) fn calibration(own: &PreflightResult) -> Result<(), String> {
    if let Some(fault) = &own.fault {
        return Err(format!("with our own hook, {}", fault.what));
    }
    match own.receives {
        Some(REQUESTS) => Ok(()),
        Some(0) | None => Err(
            "our own hook sees no payload of this server, so that it cannot delay it; `cargo xtask observe` reports the reason"
                .to_owned(),
        ),
        Some(receives) => Err(format!(
            "our own hook sees {receives} payloads in {REQUESTS} requests, so that its delay is not one delay for each request"
        )),
    }
}

/// Returns the experiment of the preflights, with all arms.
pub(super) fn for_preflights(subject: &ForeignServer, hooks: &[ForeignHook]) -> Experiment {
    let arms = [
        vec![
            arm(BARE, Treatment::Unmodified),
            arm(CONTROL, Treatment::Unmodified),
            arm(OWN, Treatment::Track),
        ],
        hooks.iter().map(hooked).collect(),
    ];
    experiment(subject, arms.concat())
}

/// Returns the experiment of an observation: the server without a hook, and with the project's hook and its records.
pub(crate) fn for_observing(subject: &ForeignServer) -> Experiment {
    let own = Arm {
        records: true,
        ..arm(OWN, Treatment::Track)
    };
    experiment(subject, vec![arm(BARE, Treatment::Unmodified), own])
}

/// Limits the time in which a hooked server becomes ready, given the time of the bare server, s.
pub(crate) fn hurry(experiment: &mut Experiment, bare_ready_s: f64) {
    if let ServerUnderTest::Command(program) = &mut experiment.sut {
        program.ready_s = program.ready_s.min(HURRY_S + HURRY * bare_ready_s);
    }
}

/// Returns the experiment of the measurement, with as many rounds as fit into the budget. With `calibrated`, two arms with a known
/// difference of delays are measured too.
pub(super) fn for_measuring(
    subject: &ForeignServer,
    hooks: &[ForeignHook],
    calibrated: bool,
    slowest: &PreflightResult,
    options: &ForeignHookCommand,
) -> Experiment {
    let mut arms = vec![arm(BARE, Treatment::Unmodified), arm(CONTROL, Treatment::Unmodified)];
    arms.extend(hooks.iter().map(hooked));
    let contrast = |name: &str, baseline: &str, arm: &str, role| Contrast {
        name: name.to_owned(),
        baseline: baseline.to_owned(),
        arm: arm.to_owned(),
        role,
        location: model::Location::Median,
    };
    let mut contrasts = vec![contrast("A/A", BARE, CONTROL, ContrastRole::Control)];
    contrasts.extend(
        hooks
            .iter()
            .map(|hook| contrast(&hook.name, BARE, &hook.name, ContrastRole::Effect)),
    );
    if let Some((first, others)) = hooks.split_first() {
        contrasts.extend(others.iter().map(|other| {
            let name = format!("{} against {}", other.name, first.name);
            contrast(&name, &first.name, &other.name, ContrastRole::Effect)
        }));
    }
    if calibrated {
        for (name, delay_ns) in [(NO_DELAY, 0), (DELAY, DELAY_NS)] {
            arms.push(Arm {
                delay_ns: Some(delay_ns),
                ..arm(name, Treatment::Delay)
            });
        }
        contrasts.push(contrast(
            "calibration, 5 µs",
            NO_DELAY,
            DELAY,
            ContrastRole::Calibration,
        ));
    }
    let budget_s = options.budget / 1e9;
    let mut experiment = experiment(subject, arms);
    let rounds = rounds(budget_s, experiment.arms.len(), slowest);
    experiment.load.warm_up_rounds = subject.warm_up_rounds.unwrap_or(rounds / 10);
    experiment.load.rounds = rounds + experiment.load.warm_up_rounds;
    experiment.contrasts = contrasts;
    experiment.launches = MOST_LAUNCHES;
    experiment.fewest_launches = FEWEST_LAUNCHES;
    experiment.precision_ns = Some(options.precision);
    experiment.budget_s = Some(budget_s);
    experiment
}

/// Turns the experiment of a measurement into the one that measures capacities, and latencies at shares of the capacity.
pub(super) fn under_load(mut experiment: Experiment, subject: &ForeignServer, slowest: &PreflightResult) -> Experiment {
    for arm in experiment.arms.iter_mut().filter(|arm| arm.name == DELAY) {
        LEVEL_DELAY.clone_into(&mut arm.name);
    }
    for contrast in experiment.contrasts.iter_mut().filter(|contrast| contrast.arm == DELAY) {
        LEVEL_DELAY.clone_into(&mut contrast.arm);
        LEVEL_DELAY.clone_into(&mut contrast.name);
    }
    let requests = saturated_requests(slowest);
    experiment.name = "measure-load".to_owned();
    experiment.question = format!("What do hooks cost {} under load?", subject.name);
    experiment.exhibit = Some(ExhibitKind::Load);
    experiment.launches = FEWEST_LAUNCHES;
    experiment.fewest_launches = 0;
    experiment.precision_ns = None;
    experiment.budget_s = None;
    experiment.levels = Some(LoadLevels {
        utilisations: UTILISATIONS.to_vec(),
        block_s: BLOCK_S,
        blocks: BLOCKS,
        // A server that needs more rounds to warm up compiles its program while it runs.
        warm_up_blocks: if subject.warm_up_rounds.is_some() { BLOCKS } else { 1 },
        delay_share: DELAY_SHARE,
    });
    experiment.load = Load {
        arrivals: Arrivals::Saturated,
        schedule: Schedule::Runs(requests),
        connections: CONNECTIONS,
        rounds: u64::from(requests) * u64::from(BLOCKS + 1),
        warm_up_rounds: requests.into(),
        segment_rounds: requests.into(),
        ..experiment.load
    };
    experiment
}

/// Returns about the requests of [`BLOCK_S`] with a request in progress on every connection, from the time of one request.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, clamped to a range"
)]
fn saturated_requests(slowest: &PreflightResult) -> u32 {
    let one_by_one = BLOCK_S * 1e9 / slowest.rtt_ns.max(1) as f64;
    ((2.0 * one_by_one) as u32).clamp(*SATURATED_REQUESTS.start(), *SATURATED_REQUESTS.end())
}

/// Returns the number of rounds with which enough launches fit into the budget.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, clamped to a range"
)]
fn rounds(budget_s: f64, arms: usize, slowest: &PreflightResult) -> u64 {
    let launch_s = budget_s / f64::from(FEWEST_LAUNCHES + 2);
    let left_s = launch_s - LAUNCH_S - slowest.ready_s * arms as f64;
    let round_s = slowest.rtt_ns.max(1) as f64 / 1e9 * arms as f64;
    ((left_s / round_s).max(0.0) as u64).clamp(*ROUNDS.start(), *ROUNDS.end())
}

fn arm(name: &str, treatment: Treatment) -> Arm {
    Arm {
        name: name.to_owned(),
        treatment,
        delay_ns: None,
        delay_every: None,
        records: false,
        stamps: None,
        limits: None,
        preload: None,
    }
}

fn hooked(hook: &ForeignHook) -> Arm {
    Arm {
        preload: Some(hook.preload.clone()),
        ..arm(&hook.name, Treatment::Preload)
    }
}

fn experiment(subject: &ForeignServer, arms: Vec<Arm>) -> Experiment {
    Experiment {
        name: "measure".to_owned(),
        question: format!("What do hooks cost {}?", subject.name),
        exhibit: None,
        cell: Vec::new(),
        conditions: vec![Condition::Local(TOPOLOGY)],
        launches: 1,
        precision_ns: None,
        budget_s: None,
        fewest_launches: 0,
        seed: 2310,
        // The monitor samples the first process, which a server may leave. The resources of an arm are read before and after.
        monitor: false,
        limits: None,
        load: Load {
            schedule: Schedule::Interleaved,
            arrivals: Arrivals::Closed,
            connections: 1,
            connection: ConnectionPolicy::KeepAlive,
            rounds: *ROUNDS.start(),
            warm_up_rounds: 0,
            segment_rounds: 100,
            wait: WaitMethod::Spin,
            kernel_stamps: true,
            keep_awake: true,
            timeout_ms: 5_000,
            max_error_share: 0.0,
        },
        levels: None,
        request: subject.request.clone(),
        keyword: None,
        words: None,
        micro: None,
        sut: ServerUnderTest::Command(Box::new(subject.program.clone())),
        proxies: Vec::new(),
        neighbour: None,
        arms,
        contrasts: Vec::new(),
    }
}
