//! Which arm comes when, and which request it gets.

use model::{LaunchPlan, Schedule};
use rand::RngExt as _;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

/// What is measured without interruption: a round, or one request of the schedules that stay with an arm.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Number of the round, from 0.
    pub round: u32,
    /// Indices of the arms, in the order of sending.
    pub arms: &'a [u16],
    /// Which request: 0 the plain one, 1 the one with the keyword.
    pub request: u16,
}

/// All steps of a run, in order; the same for the same seed.
#[derive(Debug)]
pub struct Steps {
    /// Rounds that stay with an arm before the next one's turn; `None` where each round goes to all.
    stay: Option<u32>,
    shuffles: bool,
    rounds: u32,
    order: Vec<u16>,
    generator: Pcg64,
    /// First round of the current stay.
    first_round: u32,
    next_round: u32,
    /// Position in the order.
    next_arm: usize,
    keywords: Keywords,
}

/// Which rounds carry the keyword: drawn by round, so that all arms get the same.
#[derive(Clone, Copy, Debug)]
struct Keywords {
    share: f64,
    seed: u64,
}

impl Keywords {
    fn request(self, round: u32) -> u16 {
        if self.share <= 0.0 {
            return 0;
        }
        // A generator for each round: arms that are not next to each other in time get the same draw.
        let mut generator = Pcg64::new(self.seed.into(), round.into());
        u16::from(generator.random::<f64>() < self.share)
    }
}

impl Steps {
    /// For a plan that has been checked.
    #[must_use]
    pub fn new(plan: &LaunchPlan) -> Self {
        let arm_count = u16::try_from(plan.arms.len()).unwrap_or(u16::MAX);
        let rounds = u32::try_from(plan.rounds).unwrap_or(u32::MAX);
        let mut steps = Self {
            stay: match plan.schedule {
                Schedule::Interleaved | Schedule::Duet => None,
                Schedule::Runs(length) => Some(length),
                Schedule::Sequential => Some(rounds),
            },
            shuffles: plan.schedule != Schedule::Sequential,
            rounds,
            order: (0..arm_count).collect(),
            generator: Pcg64::seed_from_u64(plan.seed),
            first_round: 0,
            next_round: 0,
            next_arm: 0,
            keywords: Keywords {
                share: plan.keyword.as_ref().map_or(0.0, |keyword| keyword.share),
                seed: plan.seed,
            },
        };
        steps.shuffle();
        steps
    }

    fn shuffle(&mut self) {
        if self.shuffles {
            self.order.shuffle(&mut self.generator);
        }
    }

    /// The next step, `None` after the last. (No iterator: the step borrows the order.)
    pub fn advance(&mut self) -> Option<Step<'_>> {
        let Some(stay) = self.stay else {
            if self.next_round == self.rounds {
                return None;
            }
            if self.next_round > 0 {
                self.shuffle();
            }
            let round = self.next_round;
            self.next_round += 1;
            return Some(Step {
                round,
                arms: &self.order,
                request: self.keywords.request(round),
            });
        };
        let end = self.first_round.saturating_add(stay).min(self.rounds);
        if self.next_round == end {
            self.next_arm += 1;
            if self.next_arm == self.order.len() {
                self.next_arm = 0;
                self.first_round = end;
                self.shuffle();
            }
            self.next_round = self.first_round;
        }
        if self.first_round == self.rounds {
            return None;
        }
        let round = self.next_round;
        self.next_round += 1;
        Some(Step {
            round,
            arms: &self.order[self.next_arm..=self.next_arm],
            request: self.keywords.request(round),
        })
    }
}
