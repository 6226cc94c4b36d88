//! The cells of an experiment with levels of load: its capacity, and shares of it.

use crate::contrast::ContrastRole;
use crate::experiment::Experiment;
use crate::factor::FactorLevel;
use crate::launch_plan::{Arrivals, Schedule};
use crate::load_levels::{CAPACITY_LEVEL, LOAD_FACTOR, LoadLevels};
use crate::treatment::Treatment;

impl Experiment {
    /// The arm whose capacity is the unit of the levels: the baseline of the A/A control. `None` without a control.
    #[must_use]
    pub fn bare_arm(&self) -> Option<&str> {
        let mut contrasts = self.contrasts.iter();
        let control = contrasts.find(|contrast| contrast.role == ContrastRole::Control)?;
        Some(&control.baseline)
    }

    /// The experiment that measures capacities: every connection has a request in progress, and arms with a delay are left out.
    #[must_use]
    pub fn at_capacity(&self) -> Self {
        let mut one = self.clone();
        one.load.arrivals = Arrivals::Saturated;
        one.arms.retain(|arm| arm.treatment != Treatment::Delay);
        let names: Vec<String> = one.arms.iter().map(|arm| arm.name.clone()).collect();
        one.contrasts
            .retain(|contrast| names.contains(&contrast.baseline) && names.contains(&contrast.arm));
        one.cell.push(level(CAPACITY_LEVEL));
        one
    }

    /// The experiment at a share of the capacity, requests per second: arrivals at random times, and the delay of the arm that the
    /// calibration compares.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "requests of a block, which validation limits"
    )]
    pub fn at_utilisation(&self, levels: &LoadLevels, utilisation: f64, capacity_per_s: f64) -> Self {
        let mut one = self.clone();
        let rate = utilisation * capacity_per_s;
        let requests = ((rate * levels.block_s).round() as u32).max(1);
        one.load.arrivals = Arrivals::Poisson(rate);
        one.load.schedule = Schedule::Runs(requests);
        one.load.rounds = u64::from(requests) * u64::from(levels.blocks + levels.warm_up_blocks);
        one.load.warm_up_rounds = u64::from(requests) * u64::from(levels.warm_up_blocks);
        one.load.segment_rounds = requests.into();
        let calibrations = self
            .contrasts
            .iter()
            .filter(|contrast| contrast.role == ContrastRole::Calibration);
        let delayed: Vec<&str> = calibrations.map(|contrast| contrast.arm.as_str()).collect();
        for arm in one.arms.iter_mut().filter(|arm| delayed.contains(&arm.name.as_str())) {
            arm.delay_ns = Some((levels.delay_share * 1e9 / capacity_per_s) as u64);
        }
        one.cell.push(level(&format!("{} %", 100.0 * utilisation)));
        one
    }
}

fn level(name: &str) -> FactorLevel {
    FactorLevel {
        factor: LOAD_FACTOR.to_owned(),
        level: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment() -> Experiment {
        toml::from_str(include_str!("../../experiments/load.toml")).unwrap()
    }

    #[test]
    #[expect(
        clippy::cast_sign_loss,
        reason = "requests of a block, and the nanoseconds of a delay"
    )]
    fn a_level_has_the_rate_the_blocks_and_the_delay_of_its_share() {
        let experiment = experiment();
        let levels = experiment.levels.clone().unwrap();
        let half = experiment.at_utilisation(&levels, 0.5, 20_000.0);
        half.validate().unwrap();
        assert_eq!(half.load.arrivals, Arrivals::Poisson(10_000.0));
        let requests = (10_000.0 * levels.block_s).round() as u32;
        assert_eq!(half.load.schedule, Schedule::Runs(requests));
        assert_eq!(
            half.load.rounds,
            u64::from(requests) * u64::from(levels.blocks + levels.warm_up_blocks)
        );
        assert_eq!(
            half.arm("delay").unwrap().delay_ns,
            Some((levels.delay_share * 50_000.0) as u64)
        );
        assert_eq!(half.arm("delay-0").unwrap().delay_ns, Some(0));
        assert_eq!(half.cell.last().unwrap().level, "50 %");
        let capacity = experiment.at_capacity();
        capacity.validate().unwrap();
        assert!(capacity.arm("delay").is_none() && capacity.bare_arm() == Some("unmodified"));
    }

    #[test]
    fn levels_that_cannot_be_measured_are_refused_with_the_key() {
        let refused = |change: &dyn Fn(&mut LoadLevels)| {
            let mut experiment = experiment();
            change(experiment.levels.as_mut().unwrap());
            experiment.validate().unwrap_err().to_string()
        };
        for (error, words) in [
            (refused(&|levels| levels.utilisations.clear()), "levels.utilisations"),
            (refused(&|levels| levels.utilisations = vec![0.5, 0.1]), "ascending"),
            (refused(&|levels| levels.utilisations = vec![1.0]), "below 1"),
            (refused(&|levels| levels.block_s = 0.0), "levels.block_s"),
            (refused(&|levels| levels.blocks = 0), "levels.blocks"),
            (refused(&|levels| levels.delay_share = 0.5), "levels.delay_share"),
        ] {
            assert!(error.contains(words), "{words}: {error}");
        }
        let mut without = experiment();
        without
            .contrasts
            .retain(|contrast| contrast.role != ContrastRole::Control);
        assert!(without.validate().unwrap_err().to_string().contains("role control"));
    }
}
