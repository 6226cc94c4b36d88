//! Which arm comes when.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use crate::plan::{Plan, Schedule};

/// What is measured without interruption: a round, or one request of the sequential schedule.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Number of the round, from 0.
    pub round: u32,
    /// Indices of the arms, in the order of sending.
    pub arms: &'a [u16],
}

/// All steps of a run, in order; the same for the same seed.
#[derive(Debug)]
pub struct Steps {
    schedule: Schedule,
    rounds: u32,
    arm_count: u16,
    order: Vec<u16>,
    generator: Pcg64,
    next_round: u32,
    next_arm: u16,
}

impl Steps {
    /// For a plan that has been checked.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let arm_count = u16::try_from(plan.arms.len()).unwrap_or(u16::MAX);
        Self {
            schedule: plan.schedule,
            rounds: u32::try_from(plan.rounds).unwrap_or(u32::MAX),
            arm_count,
            order: (0..arm_count).collect(),
            generator: Pcg64::seed_from_u64(plan.seed),
            next_round: 0,
            next_arm: 0,
        }
    }

    /// The next step, `None` after the last. (No iterator: the step borrows the order.)
    pub fn advance(&mut self) -> Option<Step<'_>> {
        match self.schedule {
            Schedule::Interleaved => {
                if self.next_round == self.rounds {
                    return None;
                }
                self.order.shuffle(&mut self.generator);
                let round = self.next_round;
                self.next_round += 1;
                Some(Step {
                    round,
                    arms: &self.order,
                })
            }
            Schedule::Sequential => {
                if self.next_round == self.rounds {
                    self.next_round = 0;
                    self.next_arm += 1;
                }
                if self.next_arm >= self.arm_count {
                    return None;
                }
                let round = self.next_round;
                self.next_round += 1;
                let arm = usize::from(self.next_arm);
                Some(Step {
                    round,
                    arms: &self.order[arm..=arm],
                })
            }
        }
    }
}
