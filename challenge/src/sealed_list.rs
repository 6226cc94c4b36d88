//! The sealed list: the delay of each trial, drawn before the first trial.

use anyhow::{Result, bail, ensure};
use rand::Rng;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use crate::dose::{DelayShare, SealedDelay};

/// The version of the list's form.
const VERSION: u32 = 1;
/// Trials of a whole challenge with processors kept awake.
pub const AWAKE: usize = 200;
/// Trials of a whole challenge with processors not kept awake.
pub const NOT_AWAKE: usize = 60;
/// Trials of a whole challenge that other load generators take too. They are some of the trials with processors kept awake.
pub(crate) const WITH_PEERS: usize = 40;

/// One trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedTrial {
    /// The number of the trial, from 0, in the order of measuring.
    pub number: u32,
    /// Whether processors are kept awake.
    pub kept_awake: bool,
    /// The delay of the sealed object.
    pub delay: SealedDelay,
    /// Whether other load generators take the trial too.
    pub with_peers: bool,
    /// The seed of the trial's permutations.
    pub seed: u32,
}

/// All trials of a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedList {
    /// The version of this form.
    pub version: u32,
    /// Random bytes, in hexadecimal. Without them, lists could be tried until one has the published hash.
    pub nonce: String,
    /// The trials in the order of measuring.
    pub trials: Vec<SealedTrial>,
}

impl SealedList {
    /// Draws a list of so many trials. Delays, processors kept awake and other load generators have the proportions of a whole
    /// challenge; the order and the remainders of the divisions are random.
    ///
    /// # Errors
    /// For no trial, or without a delay to draw.
    pub fn draw(trials: usize, delays: &[DelayShare], random: &mut impl Rng) -> Result<Self> {
        ensure!(
            trials > 0,
            "--trials 0: expected at least 1; {} are a whole challenge",
            AWAKE + NOT_AWAKE
        );
        ensure!(!delays.is_empty(), "there is no delay to draw");
        let parts = allocate(trials, &[AWAKE, NOT_AWAKE], random);
        let weights: Vec<usize> = delays.iter().map(|share| share.weight).collect();
        let mut drawn = Vec::new();
        for (kept_awake, count) in [(true, parts[0]), (false, parts[1])] {
            let counts = allocate(count, &weights, random);
            for (share, count) in delays.iter().zip(counts) {
                drawn.extend(std::iter::repeat_n((kept_awake, share.delay), count));
            }
        }
        drawn.shuffle(random);
        let mut awake: Vec<usize> = (0..drawn.len()).filter(|&index| drawn[index].0).collect();
        awake.shuffle(random);
        awake.truncate((awake.len() * WITH_PEERS).div_ceil(AWAKE));
        let trial = |(index, (kept_awake, delay)): (usize, (bool, SealedDelay))| {
            Ok(SealedTrial {
                number: u32::try_from(index)?,
                kept_awake,
                delay,
                with_peers: awake.contains(&index),
                seed: random.random(),
            })
        };
        let trials: Result<Vec<SealedTrial>> = drawn.into_iter().enumerate().map(trial).collect();
        Ok(Self {
            version: VERSION,
            trials: trials?,
            nonce: hex::encode(random.random::<[u8; 32]>()),
        })
    }

    /// Parses a list.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let list: Self = serde_json::from_slice(text)?;
        if list.version != VERSION {
            bail!("version {}; this program reads version {VERSION}", list.version);
        }
        Ok(list)
    }
}

/// Divides a count by weights. Each part is the exact share, rounded down or up. Parts with larger remainders are rounded up
/// first; the order of equal remainders is random.
fn allocate(count: usize, weights: &[usize], random: &mut impl Rng) -> Vec<usize> {
    let total: usize = weights.iter().sum();
    let mut parts: Vec<usize> = weights.iter().map(|weight| count * weight / total).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.shuffle(random);
    order.sort_by_key(|&index| std::cmp::Reverse(count * weights[index] % total));
    let missing = count - parts.iter().sum::<usize>();
    for index in order.into_iter().take(missing) {
        parts[index] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::SeedableRng as _;
    use rand_pcg::Pcg64;

    use super::*;
    use crate::dose::DELAYS;

    /// The numbers of trials by delay.
    fn counts(list: &SealedList, kept_awake: bool) -> BTreeMap<SealedDelay, usize> {
        let mut counts = BTreeMap::new();
        for trial in list.trials.iter().filter(|trial| trial.kept_awake == kept_awake) {
            *counts.entry(trial.delay).or_default() += 1;
        }
        counts
    }

    #[test]
    fn a_whole_challenge_has_the_published_numbers_of_trials() {
        for seed in 0..20 {
            let list = SealedList::draw(AWAKE + NOT_AWAKE, &DELAYS, &mut Pcg64::seed_from_u64(seed)).unwrap();
            for (kept_awake, expected) in [(true, [24, 24, 24, 24, 24, 80]), (false, [7, 7, 7, 7, 8, 24])] {
                let counts = counts(&list, kept_awake);
                assert_eq!(counts[&SealedDelay::NONE], expected[5]);
                let mut counts: Vec<usize> = counts.into_values().collect();
                counts.sort_unstable();
                assert_eq!(counts, expected);
            }
            let peers = list.trials.iter().filter(|trial| trial.with_peers);
            assert!(peers.clone().all(|trial| trial.kept_awake));
            assert_eq!(peers.count(), WITH_PEERS);
        }
    }

    #[test]
    fn any_number_of_trials_is_drawn_in_about_the_same_proportions() {
        for trials in 1..120 {
            let list = SealedList::draw(trials, &DELAYS, &mut Pcg64::seed_from_u64(trials as u64)).unwrap();
            assert_eq!(list.trials.len(), trials);
            let (awake, others) = (counts(&list, true), counts(&list, false));
            let (awake, others): (usize, usize) = (awake.values().sum(), others.values().sum());
            assert!(
                awake.abs_diff(trials * AWAKE / (AWAKE + NOT_AWAKE)) <= 1,
                "{awake} and {others}"
            );
        }
        assert!(SealedList::draw(0, &DELAYS, &mut Pcg64::seed_from_u64(1)).is_err());
    }

    #[test]
    fn two_lists_differ_and_a_list_of_another_form_is_refused() {
        let draw = |seed| SealedList::draw(60, &DELAYS, &mut Pcg64::seed_from_u64(seed)).unwrap();
        assert_ne!(draw(1).trials, draw(2).trials);
        let text = serde_json::to_string(&draw(1)).unwrap();
        assert_eq!(SealedList::parse(text.as_bytes()).unwrap(), draw(1));
        assert!(SealedList::parse(text.replace("nonce", "salt").as_bytes()).is_err());
        assert!(SealedList::parse(text.replace("\"version\":1", "\"version\":9").as_bytes()).is_err());
    }
}
