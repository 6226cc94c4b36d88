//! The choice of the interval of a ratio of spreads, by simulation with the launches of recorded runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use analysis::mean;
use analysis::simulation::{SpreadInterval, SpreadOutcome, SpreadPopulation, eligible, spread_study};
use anyhow::Result;

use crate::calibration::CalibrationResults;
use crate::layers::Layer;
use crate::recorded_launches::RecordedContrast;

/// Launches on each side of a simulated ratio.
const LAUNCHES: [usize; 3] = [10, 20, 40];
/// The fewest recorded launches of a condition whose distribution is used.
const FEWEST_RECORDED: usize = 24;
/// The fewest recorded launches of a condition that is a population of its own.
const FEWEST_ALONE: usize = 40;
/// Pairs of layers whose spreads claims compare.
const PAIRS: [(Layer, Layer); 3] = [
    (Layer::Rtt, Layer::WireTime),
    (Layer::WireTime, Layer::Handler),
    (Layer::Rtt, Layer::Hook),
];

/// One launch in this many is disturbed, and the factor of its difference.
const DISTURBED: (usize, f64) = (10, 20.0);
/// The contrasts that are compared with each other.
const HOOKED: &str = "all of it";
const A_A: &str = "A/A";

/// Simulates all populations.
///
/// # Errors
/// Without an experiment.
pub fn simulate(populations: &[SpreadPopulation], experiments: u32, seed: u64) -> Result<Vec<SpreadOutcome>> {
    let mut outcomes = Vec::new();
    for population in populations {
        for launches in LAUNCHES {
            eprintln!("simulating {}, {launches} launches", population.name);
            outcomes.push(spread_study(population, launches, u64::from(experiments), seed)?);
        }
    }
    Ok(outcomes)
}

/// The populations: for each contrast, the launches of all conditions with at least 24 launches, each condition divided by its
/// standard deviation; the one condition with the heaviest tail; the hooked arm against the A/A; and the errors of the coverage
/// experiment. Deviations are taken from the condition's mean. They are not made symmetric.
#[must_use]
pub fn populations(recorded: &[RecordedContrast], repeated: &[CalibrationResults]) -> Vec<SpreadPopulation> {
    let names: BTreeSet<&str> = recorded.iter().map(|one| one.contrast.name.as_str()).collect();
    let mut found = Vec::new();
    for name in names {
        let here = || recorded.iter().filter(|one| one.contrast.name == name);
        let pooled = pooled(here(), Layer::WireTime);
        if pooled.len() >= FEWEST_ALONE {
            found.push(same(name.to_owned(), pooled));
        }
        let alone = here()
            .filter_map(|one| Some((one, standardised(one.at(Layer::WireTime)?)?)))
            .filter(|(_, values)| values.len() >= FEWEST_ALONE)
            .max_by(|one, other| kurtosis(&one.1).total_cmp(&kurtosis(&other.1)));
        if let Some((one, values)) = alone {
            found.push(SpreadPopulation {
                decides: false,
                ..same(format!("{name} of {}, {}", one.experiment, one.condition), values)
            });
        }
        for (outer, inner) in PAIRS {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for contrast in here() {
                let both = contrast.at(outer).and_then(standardised);
                if let Some((first, second)) = both.zip(contrast.at(inner).and_then(standardised))
                    && first.len() >= FEWEST_RECORDED
                {
                    one.extend(first);
                    other.extend(second);
                }
            }
            if one.len() >= FEWEST_ALONE {
                found.push(SpreadPopulation {
                    name: format!("{name}, {outer} by {inner}"),
                    one,
                    other,
                    paired: true,
                    decides: inner == Layer::WireTime,
                });
            }
        }
    }
    let of = |name| pooled(recorded.iter().filter(|one| one.contrast.name == name), Layer::WireTime);
    found.push(SpreadPopulation {
        one: of(HOOKED),
        other: of(A_A),
        ..same(format!("{HOOKED} against {A_A}"), Vec::new())
    });
    // One launch in ten has twenty times its difference, as recorded launches beside a neighbour have.
    let mut disturbed = of(A_A);
    disturbed
        .iter_mut()
        .step_by(DISTURBED.0)
        .for_each(|value| *value *= DISTURBED.1);
    found.push(SpreadPopulation {
        decides: false,
        ..same(format!("{A_A}, one launch in ten disturbed"), disturbed)
    });
    let interleaved = repeated.iter().filter(|one| one.schedule == "interleaved");
    for control in interleaved.flat_map(|one| &one.repeated) {
        if let Some(values) = standardised(&control.errors_ns) {
            found.push(same(
                format!("{}, {} short launches", control.name, values.len()),
                values,
            ));
        }
    }
    found
}

/// A population whose two sides have the same distribution.
fn same(name: String, values: Vec<f64>) -> SpreadPopulation {
    SpreadPopulation {
        name,
        one: values.clone(),
        other: values,
        paired: false,
        decides: true,
    }
}

/// The launches of all conditions with at least 24 launches.
pub(crate) fn pooled<'a>(contrasts: impl Iterator<Item = &'a RecordedContrast>, layer: Layer) -> Vec<f64> {
    contrasts
        .filter_map(|contrast| contrast.at(layer))
        .filter(|values| values.len() >= FEWEST_RECORDED)
        .filter_map(standardised)
        .flatten()
        .collect()
}

/// The deviations from the mean, divided by the standard deviation; `None` for values that do not vary.
fn standardised(values: &[f64]) -> Option<Vec<f64>> {
    let middle = mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - middle).powi(2)).collect();
    let sd = mean(&squares).sqrt();
    (sd > 0.0).then(|| values.iter().map(|value| (value - middle) / sd).collect())
}

/// The mean fourth power of standardised values.
fn kurtosis(standardised: &[f64]) -> f64 {
    let powers: Vec<f64> = standardised.iter().map(|value| value.powi(4)).collect();
    mean(&powers)
}

/// The outcomes as a table for a terminal: the lowest and the highest coverage over all populations, and the mean factor between
/// a ratio and the ends of its interval.
#[must_use]
pub fn text(outcomes: &[SpreadOutcome]) -> String {
    let mut text = String::new();
    for (paired, decides) in [(false, true), (true, true), (false, false), (true, false)] {
        let here = |launches| {
            outcomes
                .iter()
                .filter(move |one| (one.paired, one.decides) == (paired, decides) && one.launches == launches)
        };
        let Some(first) = here(LAUNCHES[0]).next() else {
            continue;
        };
        let of = if paired {
            "two quantities of the same launches"
        } else {
            "two samples of launches"
        };
        _ = writeln!(
            text,
            "\nratio of the spreads of {of}, {} populations of {}",
            here(LAUNCHES[0]).count(),
            if decides {
                "several experiments"
            } else {
                "one experiment or with disturbed launches"
            }
        );
        for candidate in &first.coverage {
            _ = write!(text, "  {:46}", candidate.interval.to_string());
            for launches in LAUNCHES {
                let settings =
                    here(launches).flat_map(|one| one.coverage.iter().filter(|one| one.interval == candidate.interval));
                let (mut shares, mut widths) = (Vec::new(), Vec::new());
                for setting in settings {
                    shares.push(100.0 * setting.held.value);
                    widths.push(setting.half_width);
                }
                shares.sort_by(f64::total_cmp);
                let ends = shares.first().zip(shares.last());
                let (low, high) = ends.map_or((f64::NAN, f64::NAN), |(low, high)| (*low, *high));
                _ = write!(
                    text,
                    "  {launches}: {low:5.1} to {high:5.1} %, ×{:.2}",
                    mean(&widths).exp()
                );
            }
            _ = writeln!(text);
        }
        if !decides {
            continue;
        }
        let names: Vec<String> = eligible(outcomes, paired)
            .iter()
            .map(SpreadInterval::to_string)
            .collect();
        _ = writeln!(
            text,
            "  93 to 97 % in each of these, the narrowest first: {}",
            names.join("; ")
        );
    }
    text
}
