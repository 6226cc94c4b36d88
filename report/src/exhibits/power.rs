//! Power: the share of the variance between launches by the length of a launch, and the precision of more requests and of more
//! launches.

use analysis::claims::MeasuredQuantity;
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::stats::components::{Component, launch_share, of_segments};
use analysis::stats::power::{Goal, half_width as half_width_of};
use analysis::{AllocationBounds, Estimate, Pilot, estimate};
use anyhow::{Context as _, Result, ensure};

use crate::contrasts::plan;
use crate::table::{DASH, or_dash};

use super::condition_cell::{ConditionCell, DrawnValue, condition_cells};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;

/// The smallest number of launches with a trusted interval.
const FEWEST: usize = 10;
const CONFIDENCE: f64 = 0.95;

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let cell = cells.first().context("no condition was measured")?;
    let segments = segments(cell)?;
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
    let lengths: Vec<usize> = times.iter().copied().filter(|times| *times >= 2).collect();
    let shares: Vec<ConditionShares<'_>> = cells
        .iter()
        .map(|cell| ConditionShares::of(cell, &lengths))
        .collect::<Result<_>>()?;
    let segment_rounds = plan(&cell.run.manifest)?.load.segment_rounds;
    let rounds = |segments: &usize| segment_rounds * *segments as u64;
    let figure = response(&Response {
        name: recorded.experiment.clone(),
        caption: "Share of the variance of the A/A difference that lies between launches, by the number of measured rounds of a \
                  launch. All lengths are the beginnings of the same recorded launches. Above a half, twice the launches gain more \
                  precision than ten times the rounds."
            .to_owned(),
        x_title: "measured rounds of a launch".to_owned(),
        y_title: "launch share (%), 95 % CI".to_owned(),
        log: false,
        line: Some((50.0, "half of the variance".to_owned())),
        levels: lengths.iter().map(|length| rounds(length).to_string()).collect(),
        joined: true,
        series: shares
            .iter()
            .map(|one| ResponseSeries {
                name: one.condition.to_owned(),
                values: one.shares.iter().map(|share| share.map(percent)).collect(),
            })
            .collect(),
    })?;
    let mut table = Table::new(["", "longer launches", "more launches"]);
    let text = |(value, (low, high)): DrawnValue| format!("{value:.3} [{low:.3}, {high:.3}]");
    for times in &times {
        table.row([
            format!("half-width with {times} times the requests, µs"),
            or_dash(requests(times).map(text)),
            or_dash(launches(times).map(text)),
        ]);
    }
    // Longer launches reduce the first component; only more launches reduce the second.
    let components = of_segments(&segments)?;
    let [launch, segment] = &components;
    table.row([
        "SD between segments of a launch, µs".to_owned(),
        text(sd_us(segment)),
        DASH.to_owned(),
    ]);
    table.row([
        "SD between launches, µs".to_owned(),
        DASH.to_owned(),
        text(sd_us(launch)),
    ]);
    for one in &shares {
        for (length, share) in lengths.iter().zip(&one.shares) {
            let text = share.map(percent);
            let text = text.map(|(value, (low, high))| format!("{value:.0} [{low:.0}, {high:.0}]"));
            let name = format!(
                "share between launches, {}, {} rounds, %",
                one.condition,
                rounds(length)
            );
            table.row([name, or_dash(text), DASH.to_owned()]);
        }
    }
    cheapest(&mut table, cell, &components)?;
    Ok((figure, table, Vec::new()))
}

/// The share of the variance between launches of a condition, by the number of segments of a launch.
struct ConditionShares<'a> {
    condition: &'a str,
    /// `None` where a launch of the condition is shorter, or launches do not vary.
    shares: Vec<Option<DrawnValue>>,
}

impl<'a> ConditionShares<'a> {
    fn of(cell: &ConditionCell<'a>, lengths: &[usize]) -> Result<Self> {
        let segments = segments(cell)?;
        Ok(Self {
            condition: &cell.condition.condition,
            shares: lengths
                .iter()
                .map(|length| launch_share(&segments, *length).ok())
                .collect(),
        })
    }
}

fn percent((value, (low, high)): DrawnValue) -> DrawnValue {
    (100.0 * value, (100.0 * low, 100.0 * high))
}

/// The standard deviation that a level adds, µs.
fn sd_us(component: &Component) -> DrawnValue {
    let us = |variance: f64| variance.sqrt() / 1e3;
    let (low, high) = component.confidence_interval;
    (us(component.variance), (us(low), us(high)))
}

/// Notes the costs of a launch and of a round, and the cheapest designs that are as precise as the recorded one and twice as
/// precise. `runner plan` chooses in the same way.
fn cheapest(table: &mut Table, cell: &ConditionCell<'_>, components: &[Component; 2]) -> Result<()> {
    let manifest = &cell.run.manifest;
    let load = &plan(manifest)?.load;
    let (rounds, warm_up) = (load.rounds, load.warm_up_rounds);
    let (segment, measured) = (load.segment_rounds, rounds.saturating_sub(warm_up));
    let Some((launch_s, round_s)) = manifest.costs_s(rounds, warm_up) else {
        let unknown = "The launch records have no durations, so the cheapest design is unknown.";
        table.notes.push(unknown.to_owned());
        return Ok(());
    };
    let pilot = Pilot::new(components, segment, launch_s, round_s)?;
    let limits = AllocationBounds::of_pilot(segment, measured);
    let launches = u32::try_from(cell.condition.launches)?;
    let recorded = half_width_of(pilot.launch_sd(measured), launches, CONFIDENCE)?;
    #[expect(clippy::cast_precision_loss, reason = "a count of rounds")]
    let recorded_s = f64::from(launches) * (launch_s + measured as f64 * round_s);
    let best = pilot.best_rounds(&limits)?;
    let bounded = match best {
        best if best == limits.least_rounds => ", the fewest that these launches can predict",
        best if best == limits.most_rounds => ", the most that these launches can predict",
        _ => "",
    };
    table.notes.push(format!(
        "A launch costs {launch_s:.3} s around its measured rounds and {:.1} µs for each of them. For any precision the least \
         time is spent on launches of {best} rounds{bounded}.",
        round_s * 1e6,
    ));
    table.notes.push(format!(
        "As recorded, {launches} launches of {measured} rounds: a half-width of {:.3} µs in {recorded_s:.1} s.",
        recorded / 1e3
    ));
    for (precise, half_width) in [("As precise", recorded), ("Twice as precise", recorded / 2.0)] {
        let design = pilot.allocate(Goal::HalfWidth(half_width), CONFIDENCE, &limits)?;
        table.notes.push(format!(
            "{precise} at the least cost, {} launches of {} rounds: {:.3} µs in {:.1} s.",
            design.launches,
            design.rounds,
            design.half_width / 1e3,
            design.seconds
        ));
    }
    Ok(())
}

/// The A/A difference of each segment of each launch, ns.
fn segments(cell: &ConditionCell<'_>) -> Result<Vec<Vec<f64>>> {
    let control = cell.condition.control().context("the experiment has no A/A contrast")?;
    let timelines = cell.run.samples.timelines_in(&cell.condition.condition);
    let differences = timelines.map(|(_, timeline)| timeline.differences(&control.baseline, &control.arm));
    Ok(differences.collect())
}

/// The half-width of the interval of `launches` launches with `each` segments: the root of the mean square over all disjoint
/// sets of launches, with the interval of the spread over all launches, µs.
fn half_width(segments: &[Vec<f64>], launches: usize, each: usize) -> Option<DrawnValue> {
    #[expect(clippy::cast_precision_loss, reason = "a count of segments")]
    let mean = |launch: &Vec<f64>| launch[..each].iter().sum::<f64>() / each as f64;
    let all: Vec<f64> = segments.iter().map(mean).collect();
    let all: Estimate = estimate(&all).ok()?;
    let (spread, (low, high)) = super::condition_cell::spread_us(&all)?;
    let of_spread = half_width_of(1.0, u32::try_from(launches).ok()?, all.confidence).ok()?;
    Some((spread * of_spread, (low * of_spread, high * of_spread)))
}
