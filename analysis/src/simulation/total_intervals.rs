//! The coverage of total intervals under systematic errors of known size.

use rand_pcg::Pcg64;
use rayon::prelude::*;
use serde::Serialize;

use super::draw::draw_places;
use super::noise::normals;
use crate::claims::Interval;
use crate::claims::systematic::{bound, widened};
use crate::stats::bootstrap::generator;
use crate::stats::sorted::{mean, quantile};
use crate::{Estimate, EstimateError, Proportion, ProportionError, estimate, proportion};

/// The launches of a cell with both controls. Each list has one value for each launch, in the same order, ns, and a mean of
/// zero.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlledCell {
    /// The differences of the A/A control.
    pub a_a: Vec<f64>,
    /// The errors of the calibration.
    pub calibration: Vec<f64>,
    /// The differences of the effect.
    pub effect: Vec<f64>,
}

/// The relation of the systematic errors of the three contrasts of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SystematicErrors {
    /// All contrasts have the same error.
    #[strum(to_string = "shared by all contrasts")]
    Shared,
    /// The effect has the error of the calibration, and the A/A control has none.
    #[strum(to_string = "of calibration and effect, not of the A/A")]
    OfCalibration,
    /// The errors are independent and have the same distribution.
    #[strum(to_string = "independent of each other")]
    Independent,
}

impl SystematicErrors {
    /// All relations.
    pub const ALL: [Self; 3] = [Self::Shared, Self::OfCalibration, Self::Independent];

    /// The errors of the A/A control, the calibration and the effect, ns, normal with a standard deviation.
    fn draw(self, sd_ns: f64, generator: &mut Pcg64) -> [f64; 3] {
        let (one, other) = normals(generator);
        let (third, _) = normals(generator);
        let errors = match self {
            Self::Shared => [one, one, one],
            Self::OfCalibration => [0.0, one, one],
            Self::Independent => [one, other, third],
        };
        errors.map(|error| sd_ns * error)
    }
}

/// The coverage in one setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TotalCoverage {
    /// The relation of the errors.
    pub errors: SystematicErrors,
    /// The standard deviation of the systematic errors, ns.
    pub sd_ns: f64,
    /// The number of launches.
    pub launches: usize,
    /// The share of the statistical intervals that contain the true effect.
    pub statistical: Proportion,
    /// The share of the total intervals that contain the true effect.
    pub total: Proportion,
    /// The median half-width of the statistical intervals, ns.
    pub statistical_half_ns: f64,
    /// The median half-width of the total intervals, ns.
    pub total_half_ns: f64,
}

/// Draws experiments from cells: for each, a cell, `launches` of its launches with replacement, and the systematic errors of the
/// three contrasts. The true effect is zero. The outcome is the same on any number of processors.
///
/// # Errors
/// Without an experiment.
///
/// # Panics
/// Without a cell, or with fewer than two launches.
pub fn total_interval_study(
    cells: &[ControlledCell],
    (errors, sd_ns): (SystematicErrors, f64),
    launches: usize,
    experiments: u64,
    seed: u64,
) -> Result<TotalCoverage, ProportionError> {
    assert!(!cells.is_empty() && launches >= 2);
    let one = |number: u64| -> Result<[Interval; 2], EstimateError> {
        let mut generator = generator(seed, number);
        let cell = &cells[draw_places(cells.len(), 1, &mut generator)[0]];
        let drawn = draw_places(cell.effect.len(), launches, &mut generator);
        let [a_a, calibration, effect] = errors.draw(sd_ns, &mut generator);
        let of = |values: &[f64], error: f64| -> Result<Estimate, EstimateError> {
            estimate(&drawn.iter().map(|&place| values[place] + error).collect::<Vec<f64>>())
        };
        let controls = [of(&cell.a_a, a_a)?, of(&cell.calibration, calibration)?];
        let found = Interval::from(&of(&cell.effect, effect)?);
        let systematic = controls.iter().map(bound).fold(0.0, f64::max);
        Ok([found, widened(&found, systematic)])
    };
    let intervals: Vec<[Interval; 2]> = (0..experiments)
        .into_par_iter()
        .filter_map(|number| one(number).ok())
        .collect();
    let held = |kind: usize| {
        let held = intervals
            .iter()
            .filter(|one| one[kind].low <= 0.0 && 0.0 <= one[kind].high);
        proportion(held.count() as u64, experiments)
    };
    let half_ns = |kind: usize| {
        let halves = intervals.iter().map(|one| (one[kind].high - one[kind].low) / 2.0);
        let mut halves: Vec<f64> = halves.collect();
        halves.sort_unstable_by(f64::total_cmp);
        quantile(&halves, 0.5)
    };
    Ok(TotalCoverage {
        errors,
        sd_ns,
        launches,
        statistical: held(0)?,
        total: held(1)?,
        statistical_half_ns: half_ns(0),
        total_half_ns: half_ns(1),
    })
}

impl ControlledCell {
    /// A cell of recorded launches, each contrast less its mean.
    #[must_use]
    pub fn centred(a_a: &[f64], calibration: &[f64], effect: &[f64]) -> Self {
        let centred = |values: &[f64]| {
            let middle = mean(values);
            values.iter().map(|value| value - middle).collect()
        };
        Self {
            a_a: centred(a_a),
            calibration: centred(calibration),
            effect: centred(effect),
        }
    }
}
