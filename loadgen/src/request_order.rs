//! The order of the requests: which arm comes when, and which message it receives.

use model::{LaunchPlan, Schedule};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

/// A step of the order, which nothing interrupts: a round, or one request in a schedule that stays with an arm.
#[derive(Debug, PartialEq, Eq)]
pub struct OrderStep<'a> {
    /// Number of the round, from 0.
    pub round: u32,
    /// Indices of the arms, in the order of sending.
    pub arms: &'a [u16],
    /// Index of the message: 0 the plain one, 1 the one with the keyword.
    pub message: u16,
}

/// All steps of a run in order. The same seed gives the same order.
#[derive(Debug)]
pub struct RequestOrder {
    /// Number of rounds that stay with an arm before the next arm; `None` if each round has all arms.
    rounds_per_stay: Option<u32>,
    shuffles: bool,
    rounds: u32,
    order: Vec<u16>,
    generator: Pcg64,
    /// First round of the current stay.
    first_round: u32,
    next_round: u32,
    /// Position of the current arm in `order`, in a schedule that stays with an arm.
    position: usize,
    keywords: KeywordDraw,
}

/// Draws the rounds that carry the keyword. The draw depends on the round alone, so that all arms receive the same message
/// in a round.
#[derive(Clone, Copy, Debug)]
struct KeywordDraw {
    share: f64,
    seed: u64,
}

impl KeywordDraw {
    /// Returns the index of the message in a round.
    fn message(self, round: u32) -> u16 {
        if self.share <= 0.0 {
            return 0;
        }
        // A generator for each round, so that arms with separate stays receive the same draw in the same round.
        let mut generator = Pcg64::new(self.seed.into(), round.into());
        u16::from(generator.random::<f64>() < self.share)
    }
}

impl RequestOrder {
    /// Makes the order of a valid plan.
    #[must_use]
    pub fn new(plan: &LaunchPlan) -> Self {
        let arm_count = u16::try_from(plan.arms.len()).unwrap_or(u16::MAX);
        let rounds = u32::try_from(plan.rounds).unwrap_or(u32::MAX);
        let mut order = Self {
            rounds_per_stay: match plan.schedule {
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
            position: 0,
            keywords: KeywordDraw {
                share: plan.keyword.as_ref().map_or(0.0, |keyword| keyword.share),
                seed: plan.seed,
            },
        };
        order.shuffle();
        order
    }

    fn shuffle(&mut self) {
        if self.shuffles {
            self.order.shuffle(&mut self.generator);
        }
    }

    /// Returns the next step, or `None` after the last. This type is not an iterator because a step borrows from it.
    pub fn advance(&mut self) -> Option<OrderStep<'_>> {
        let Some(rounds_per_stay) = self.rounds_per_stay else {
            if self.next_round == self.rounds {
                return None;
            }
            if self.next_round > 0 {
                self.shuffle();
            }
            let round = self.next_round;
            self.next_round += 1;
            return Some(OrderStep {
                round,
                arms: &self.order,
                message: self.keywords.message(round),
            });
        };
        let end = self.first_round.saturating_add(rounds_per_stay).min(self.rounds);
        if self.next_round == end {
            self.position += 1;
            if self.position == self.order.len() {
                self.position = 0;
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
        Some(OrderStep {
            round,
            arms: &self.order[self.position..=self.position],
            message: self.keywords.message(round),
        })
    }
}
