//! Tight loops: receive calls without a server. A launch measures the treatment of each hooked arm in a server and then in a
//! tight loop.

use std::net::SocketAddr;

use anyhow::Result;
use model::{Arm, Experiment, TightLoopBlock, TightLoopSettings, TightLoopSummary, Treatment};

use super::backend::{Backend, LoopPlan};
use super::process::{ProcessStart, Readiness};
use super::programs;
use super::telemetry::median;
use crate::treatments::{adapter_of, telemetry_records};

/// Returns true if a tight loop can measure the cost of an arm's treatment: the project's hook without a delay.
fn applies(arm: &Arm) -> bool {
    arm.treatment.mode().is_some() && arm.treatment != Treatment::Delay
}

/// Runs the tight loop of an arm's treatment, bare and hooked in turn, and returns its blocks. There are none if the experiment
/// asks for none, or the arm has no hook. `address` is where the arm was reached.
///
/// # Errors
/// If the backend cannot run the loop.
pub(crate) fn run(
    experiment: &Experiment,
    backend: &mut dyn Backend,
    index: usize,
    address: SocketAddr,
) -> Result<Vec<TightLoopBlock>> {
    let arm = &experiment.arms[index];
    let Some(micro) = experiment.micro.filter(|_| applies(arm)) else {
        return Ok(Vec::new());
    };
    let payload = experiment.request.bytes(address);
    let records = telemetry_records(arm, micro.calls.into())?;
    let site = backend.loop_site(index, &payload, records)?;
    let own = backend.programs();
    let command = programs::tight_loop(
        experiment,
        &own,
        micro.receive,
        &site.payload,
        TightLoopSettings::BLOCK_CALLS,
    );
    let mut hooked = ProcessStart::new(command, Readiness::Runs);
    adapter_of(arm).attach(&site.treatment, &mut hooked);
    let plan = LoopPlan {
        hooked,
        payload,
        records,
        blocks: micro.blocks(),
        block_calls: TightLoopSettings::BLOCK_CALLS,
    };
    backend.run_loop(index, &plan)
}

/// Returns the summary of an arm's blocks; none without blocks.
#[expect(clippy::cast_precision_loss, reason = "times of some hundred calls")]
pub(crate) fn summary(blocks: &[TightLoopBlock]) -> Option<TightLoopSummary> {
    let median = |hooked: bool| {
        let blocks = blocks.iter().filter(|block| block.hooked == hooked);
        median(blocks.map(|block| block.elapsed_ns as f64 / f64::from(block.calls)))
    };
    Some(TightLoopSummary {
        bare_ns_median: median(false)?,
        hooked_ns_median: median(true)?,
        blocks: blocks.len() as u64 / 2,
    })
}
