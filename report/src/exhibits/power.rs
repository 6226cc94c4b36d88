//! r09: what more requests and what more launches buy.

use analysis::claims::Measured;
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{Estimate, estimate};
use anyhow::{Context as _, Result, ensure};

use super::recorded::Recorded;
use super::spot::{Drawn, Spot, spots};
use super::table::Table;
use crate::results::Role;

/// Launches that an interval is trusted from.
const FEWEST: usize = 10;

pub(super) fn of(recorded: &Recorded) -> Result<(Figure, Table, Vec<Measured>)> {
    let spots = spots(recorded);
    let spot = spots.first().context("no condition was measured")?;
    let segments = segments(spot)?;
    let each = segments.iter().map(Vec::len).min().unwrap_or(0);
    let most = segments.len() / FEWEST;
    ensure!(
        each >= 2 && most >= 2,
        "{} launches of {each} segments; expected at least {} launches of 2",
        segments.len(),
        2 * FEWEST
    );
    let times: Vec<usize> = (0..)
        .map(|power| 1 << power)
        .take_while(|times| *times <= each.max(most))
        .collect();
    let requests = |times: &usize| {
        (*times <= each)
            .then(|| half_width(&segments, FEWEST, *times))
            .flatten()
    };
    let launches = |times: &usize| {
        (*times <= most)
            .then(|| half_width(&segments, FEWEST * times, 1))
            .flatten()
    };
    let figure = response(&Response {
        name: recorded.experiment.clone(),
        caption: format!(
            "Half of the 95 % interval of the A/A difference when the same budget of requests buys longer launches or more of \
             them, from {FEWEST} launches of one segment on. Subsamples of the same recorded launches."
        ),
        x_title: format!("times the requests of {FEWEST} launches of one segment"),
        y_title: "half-width (µs), 95 % CI".to_owned(),
        log: true,
        line: None,
        levels: times.iter().map(ToString::to_string).collect(),
        joined: true,
        series: vec![
            ResponseSeries {
                name: "more requests per launch".to_owned(),
                values: times.iter().map(requests).collect(),
            },
            ResponseSeries {
                name: "more launches".to_owned(),
                values: times.iter().map(launches).collect(),
            },
        ],
    })?;
    let mut table = Table::new([
        "requests",
        "half-width with longer launches, µs",
        "with more launches, µs",
    ]);
    for times in &times {
        let text = |drawn: Option<Drawn>| match drawn {
            Some((value, (low, high))) => format!("{value:.3} [{low:.3}, {high:.3}]"),
            None => "\u{2013}".to_owned(),
        };
        table.row([format!("{times} times"), text(requests(times)), text(launches(times))]);
    }
    Ok((figure, table, Vec::new()))
}

/// The A/A difference of each segment of each launch, ns.
fn segments(spot: &Spot<'_>) -> Result<Vec<Vec<f64>>> {
    let control = spot
        .condition
        .effects
        .iter()
        .find(|effect| effect.role == Role::Control);
    let control = control.context("the experiment has no A/A contrast")?;
    let courses = spot.cell.samples.courses_in(&spot.condition.condition);
    let differences = courses.map(|(_, course)| course.differences(&control.baseline, &control.arm));
    Ok(differences.collect())
}

/// Half of the interval that so many launches of so many segments give: the root of the mean square over all disjoint sets
/// of so many launches, with its interval from the spread of as many independent values as there are launches, µs.
fn half_width(segments: &[Vec<f64>], launches: usize, each: usize) -> Option<Drawn> {
    #[expect(clippy::cast_precision_loss, reason = "a count of segments")]
    let mean = |launch: &Vec<f64>| launch[..each].iter().sum::<f64>() / each as f64;
    let all: Vec<f64> = segments.iter().map(mean).collect();
    let all: Estimate = estimate(&all).ok()?;
    let (spread, (low, high)) = super::spot::spread_us(&all)?;
    let of_spread = analysis::stats::power::half_width(1.0, u32::try_from(launches).ok()?, all.confidence).ok()?;
    Some((spread * of_spread, (low * of_spread, high * of_spread)))
}
