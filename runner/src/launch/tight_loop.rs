//! Receive calls without a server around them: each hooked arm's treatment in a tight loop, in the launch that measures it in
//! a server.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use agent::TightLoopRequest;
use anyhow::{Result, ensure};
use dataset::TightLoopBlock;
use engines::Image;
use model::{
    AcceptFunction, Arm, Experiment, ReceiveFunction, ServerUnderTest, TightLoopSettings, TightLoopSummary, Treatment,
};

use crate::launch::local::server::starter;
use crate::launch::spec::LaunchSpec;
use crate::launch::sut;
use crate::launch::telemetry::{MemoryFile, Seen};
use crate::treatments::{environment, records};

/// Whether an arm's treatment is one whose cost a tight loop can tell: our own hook, without a delay.
fn applies(arm: &Arm) -> bool {
    arm.treatment.mode().is_some() && arm.treatment != Treatment::Delay
}

/// The blocks of an arm's loops, bare and hooked in turn; none where the experiment asks for none or the arm has no hook. To be
/// called where servers live, once they are gone.
pub(crate) fn run(
    spec: &LaunchSpec,
    experiment: &Experiment,
    arm: &Arm,
    address: SocketAddr,
) -> Result<Vec<TightLoopBlock>> {
    let Some(micro) = experiment.micro.filter(|_| applies(arm)) else {
        return Ok(Vec::new());
    };
    let payload = MemoryFile::create(c"payload", &experiment.request.bytes(address))?;
    let mut telemetry = MemoryFile::telemetry(room(micro, arm)?)?;
    let log = MemoryFile::create(c"hits", b"")?;
    let treatment = environment(arm, &spec.hook, spec.words.as_deref(), &log.path, Some(&telemetry.path));
    let command = command(&spec.binaries.join("sut"), &experiment.sut, micro, &payload.path);
    let starting = |environment: Vec<(String, OsString)>| -> Result<Command> {
        let mut starter = starter(spec.groups.arms.get(&arm.name))?;
        starter.arg("--cpu").arg(spec.cpus.arms.to_string());
        for (name, value) in environment {
            let mut variable = OsString::from(name + "=");
            variable.push(value);
            starter.arg("--env").arg(variable);
        }
        starter.arg("--").args(&command);
        Ok(starter)
    };
    let (bare, hooked) = (starting(Vec::new())?, starting(treatment)?);
    let (blocks, calls) = agent::run_alternately(bare, hooked, micro.blocks(), TightLoopSettings::BLOCK_CALLS)?;
    let seen = Seen::read(&telemetry.content()?, 0, 0)?.counters.payload_receives;
    ensure!(
        seen == calls,
        "the tight loop made {calls} calls, of which the hook saw {seen}"
    );
    Ok(blocks)
}

/// What the agent in an arm's container is asked for the same.
pub(crate) fn asked(
    experiment: &Experiment,
    arm: &Arm,
    address: SocketAddr,
    treatment: Vec<(String, String)>,
) -> Result<Option<TightLoopRequest>> {
    let Some(micro) = experiment.micro.filter(|_| applies(arm)) else {
        return Ok(None);
    };
    let payload = Path::new(Image::WORK).join(agent::PAYLOAD);
    let command = command(Path::new(Image::SUT), &experiment.sut, micro, &payload).into_iter();
    Ok(Some(TightLoopRequest {
        command: command.map(|word| word.to_string_lossy().into_owned()).collect(),
        treatment,
        payload: experiment.request.bytes(address),
        records: room(micro, arm)?,
        blocks: micro.blocks(),
        calls: TightLoopSettings::BLOCK_CALLS,
    }))
}

/// Room for the hook's records.
fn room(micro: TightLoopSettings, arm: &Arm) -> Result<u32> {
    if arm.has_records() {
        records(micro.calls.into())
    } else {
        Ok(0)
    }
}

/// What an arm's blocks come to; none without blocks.
#[expect(clippy::cast_precision_loss, reason = "times of some hundred calls")]
pub(crate) fn summary(blocks: &[TightLoopBlock]) -> Option<TightLoopSummary> {
    let median = |hooked: bool| {
        let of = blocks.iter().filter(|block| block.hooked == hooked);
        let mut per_call: Vec<f64> = of
            .map(|block| block.elapsed_ns as f64 / f64::from(block.calls))
            .collect();
        per_call.sort_by(f64::total_cmp);
        let (low, high) = (per_call.len().checked_sub(1)? / 2, per_call.len() / 2);
        Some(f64::midpoint(per_call[low], per_call[high]))
    };
    Some(TightLoopSummary {
        bare_ns_median: median(false)?,
        hooked_ns_median: median(true)?,
        blocks: blocks.len() as u64 / 2,
    })
}

fn command(program: &Path, sut: &ServerUnderTest, micro: TightLoopSettings, payload: &Path) -> Vec<OsString> {
    let (accept, receive) = match sut {
        ServerUnderTest::Synthetic(server) => (server.accept, micro.receive.unwrap_or(server.receive)),
        _ => (AcceptFunction::Accept4, micro.receive.unwrap_or(ReceiveFunction::Read)),
    };
    let mut words = vec![program.into()];
    words.extend(["--accept", accept.name(), "--receive", receive.name()].map(OsString::from));
    words.extend(sut::looping(payload, TightLoopSettings::BLOCK_CALLS));
    words
}
