//! Tight loops: receive calls without a server around them. Each hooked arm's treatment is measured so in the launch that
//! measures it in a server.

use anyhow::Result;
use model::{Arm, Experiment, TightLoopBlock, TightLoopSettings, TightLoopSummary, Treatment};

use std::net::SocketAddr;

use super::backend::{Backend, LoopPlan};
use super::process::{ProcessStart, Readiness};
use super::programs;
use crate::treatments::{adapter_of, records};

/// Whether an arm's treatment is one whose cost a tight loop can tell: our own hook, without a delay.
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
    let records = room(micro, arm)?;
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
