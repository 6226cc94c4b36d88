//! Load: the capacity of a server with and without hooks, and the latencies that hooks add at shares of the capacity. A known delay
//! beside a simulated queue shows at which levels the differences can be trusted.

use analysis::claims::MeasuredQuantity;
use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{
    Distribution, Estimate, LaunchSamples, QueueDiscipline, SimulatedArrivals, SimulatedServer, estimate,
    latency_quantile, mean,
};
use anyhow::{Context as _, Result};
use model::{CAPACITY_LEVEL, Contrast, ContrastRole, LOAD_FACTOR, LaunchRecord, LoadLevels, Location, Manifest};

use super::condition_cell::{ConditionCell, DrawnValue, above_zero, condition_cells};
use super::recorded_experiment::RecordedExperiment;
use super::table::Table;
use crate::contrasts::contrasts;
use crate::table::{microseconds, or_dash, signed};

/// The quantiles of which the gate decides.
const GATED: [f64; 2] = [0.5, 0.99];
/// The quantile that needs [`REQUESTS_FOR_TAIL`] requests of an arm in each launch.
const TAIL: f64 = 0.999;
const REQUESTS_FOR_TAIL: u64 = 10_000;
/// Largest share of requests that may be sent late.
const MOST_LATE: f64 = 0.01;
/// Largest half-width of the delay's interval, as a share of the prediction.
const MOST_HALF_WIDTH: f64 = 0.3;
/// Least number of simulated requests.
const SIMULATED: u64 = 200_000;
/// Seed of the simulation.
const SEED: u64 = 2_511;

pub(super) fn of(recorded: &RecordedExperiment) -> Result<(Figure, Table, Vec<MeasuredQuantity>)> {
    let cells = condition_cells(recorded);
    let is_capacity = |cell: &&ConditionCell<'_>| cell.run.level(LOAD_FACTOR) == CAPACITY_LEVEL;
    let capacity_cell = cells
        .iter()
        .find(is_capacity)
        .context("the capacity was not measured")?;
    let capacity = Capacity::of(*capacity_cell)?;
    let condition = &capacity_cell.condition.condition;
    let levels: Vec<MeasuredLoad<'_>> = cells
        .iter()
        .filter(|cell| !is_capacity(cell) && cell.condition.condition == *condition)
        .map(|cell| MeasuredLoad::of(*cell, &capacity))
        .collect::<Result<_>>()?;
    let queue = QueuePrediction::of(&levels, &capacity)?;
    let mut table = Table::new(["load", "latency", "bare, µs", "A/A, µs"]);
    let effects = levels.first().map(MeasuredLoad::effects).unwrap_or_default();
    table
        .headings
        .extend(effects.iter().map(|contrast| format!("{}, µs", contrast.name)));
    table
        .headings
        .extend(["delay, µs", "predicted, µs", "sent late", "valid"].map(str::to_owned));
    for level in &levels {
        for p in [GATED[0], GATED[1], TAIL] {
            if p < TAIL || level.fewest_requests() >= REQUESTS_FOR_TAIL {
                table.row(level.row(p, &queue));
            }
        }
    }
    table.notes.extend(capacity.notes());
    table.notes.push(format!(
        "Queue: {}, which reproduces the latencies of the server without a hook best of {} disciplines ({}).",
        queue.discipline,
        QueueDiscipline::ALL.len(),
        queue.compared
    ));
    if let Some(highest) = levels.iter().rfind(|level| level.late_share <= MOST_LATE) {
        table.notes.push(format!(
            "The load generator holds {:.0} requests a second ({}), the highest level at which it sends at most 1 % of the requests \
             late.",
            highest.rate_per_s,
            highest.cell.run.level(LOAD_FACTOR)
        ));
    }
    Ok((figure(recorded, &levels, &queue)?, table, Vec::new()))
}

/// The capacities of the arms, requests a second.
struct Capacity<'a> {
    launches: &'a [LaunchSamples],
    bare: String,
    /// Of the server without a hook.
    of_bare: Estimate,
}

impl<'a> Capacity<'a> {
    fn of(cell: ConditionCell<'a>) -> Result<Self> {
        let launches = cell.run.samples.launches_in(&cell.condition.condition);
        let plan = cell.run.manifest.plan.as_ref();
        let bare = plan.and_then(|plan| plan.bare_arm()).context("no A/A control")?;
        let throughputs: Vec<f64> = launches.iter().filter_map(|launch| throughput(launch, bare)).collect();
        Ok(Self {
            launches,
            bare: bare.to_owned(),
            of_bare: estimate(&throughputs)?,
        })
    }

    /// A sentence for each arm.
    fn notes(&self) -> Vec<String> {
        let (low, high) = self.of_bare.confidence_interval;
        let mut notes = vec![format!(
            "Capacity of {}: {:.0} [{low:.0}, {high:.0}] requests a second, {} launches.",
            self.bare, self.of_bare.value, self.of_bare.launches
        )];
        let names = self.launches.first().into_iter().flat_map(|launch| launch.arms.keys());
        for arm in names.filter(|name| **name != self.bare) {
            let changes: Vec<f64> = self
                .launches
                .iter()
                .filter_map(|launch| Some(throughput(launch, arm)? / throughput(launch, &self.bare)? - 1.0))
                .collect();
            if let Ok(change) = estimate(&changes) {
                let percent = |share: f64| format!("{:+.1}", 100.0 * share).replace('-', "\u{2212}");
                let (low, high) = change.confidence_interval;
                notes.push(format!(
                    "Capacity of {arm}: {} [{}, {}] % of it.",
                    percent(change.value),
                    percent(low),
                    percent(high)
                ));
            }
        }
        notes
    }
}

fn throughput(launch: &LaunchSamples, arm: &str) -> Option<f64> {
    launch.arms.get(arm)?.throughput_per_s
}

/// A share of the capacity.
struct MeasuredLoad<'a> {
    cell: ConditionCell<'a>,
    contrasts: Vec<Contrast>,
    levels: &'a LoadLevels,
    rate_per_s: f64,
    utilisation: f64,
    /// Share of the requests that were sent more than 50 µs after their intended arrival.
    late_share: f64,
}

impl<'a> MeasuredLoad<'a> {
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    fn of(cell: ConditionCell<'a>, capacity: &Capacity<'_>) -> Result<Self> {
        let manifest: &'a Manifest = &cell.run.manifest;
        let plan = manifest.plan.as_ref().context("no plan")?;
        let rate_per_s = plan.load.arrivals.rate().context("no open loop")?;
        let launches = manifest.launches_in(&cell.condition.condition);
        let (mut late, mut sent) = (0, 0);
        for load in launches.filter_map(|launch| launch.loadgen.as_ref()) {
            late += load.rate.map_or(0, |rate| rate.late_sends);
            sent += load.observations;
        }
        Ok(Self {
            cell,
            contrasts: contrasts(manifest)?,
            levels: plan.levels.as_ref().context("no levels of load")?,
            rate_per_s,
            utilisation: rate_per_s / capacity.of_bare.value,
            late_share: late as f64 / f64::max(sent as f64, 1.0),
        })
    }

    fn launches(&self) -> &'a [LaunchSamples] {
        self.cell.run.samples.launches_in(&self.cell.condition.condition)
    }

    fn contrast(&self, role: ContrastRole) -> Option<&Contrast> {
        self.contrasts.iter().find(|contrast| contrast.role == role)
    }

    fn effects(&self) -> Vec<Contrast> {
        let effects = self
            .contrasts
            .iter()
            .filter(|contrast| contrast.role == ContrastRole::Effect);
        effects.cloned().collect()
    }

    fn fewest_requests(&self) -> u64 {
        let arms = self.launches().iter().flat_map(|launch| launch.arms.values());
        arms.map(|arm| arm.sojourn.len()).min().unwrap_or(0)
    }

    /// The difference of a quantile of both arms, ns, over launches.
    fn difference(&self, contrast: &Contrast, p: f64) -> Option<Estimate> {
        let of = |launch: &LaunchSamples, arm: &str| launch.arms.get(arm)?.sojourn.quantile(p);
        let differences: Option<Vec<f64>> = self
            .launches()
            .iter()
            .map(|launch| Some(of(launch, &contrast.arm)? - of(launch, &contrast.baseline)?))
            .collect();
        estimate(&differences?).ok()
    }

    /// The quantile of the server without a hook, ns, mean over launches.
    fn bare_ns(&self, p: f64) -> Option<f64> {
        let bare = &self.contrast(ContrastRole::Control)?.baseline;
        let quantiles: Option<Vec<f64>> = self
            .launches()
            .iter()
            .map(|launch| launch.arms.get(bare)?.sojourn.quantile(p))
            .collect();
        quantiles.map(|quantiles| mean(&quantiles))
    }

    /// The true delay of the arm that the calibration compares, ns: by the hook's records, or as it was set.
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a delay")]
    fn delay_ns(&self) -> Option<f64> {
        let contrast = self.contrast(ContrastRole::Calibration)?;
        let launches = self.cell.run.manifest.launches_in(&self.cell.condition.condition);
        let held = |launch: &LaunchRecord| launch.held_longer_ns(&contrast.arm, &contrast.baseline, Location::Mean);
        let held: Option<Vec<f64>> = launches.map(held).collect();
        let plan = self.cell.run.manifest.plan.as_ref()?;
        let set = || plan.arm(&contrast.arm)?.delay_ns.map(|delay_ns| delay_ns as f64);
        held.filter(|held| !held.is_empty())
            .map(|held| mean(&held))
            .or_else(set)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "requests of a block, which validation limits"
    )]
    fn arrivals(&self) -> SimulatedArrivals {
        let block = ((self.rate_per_s * self.levels.block_s).round() as usize).max(1);
        SimulatedArrivals {
            rate_per_s: self.rate_per_s,
            block,
            blocks: SIMULATED.div_ceil(block as u64),
        }
    }

    fn row(&self, p: f64, queue: &QueuePrediction) -> Vec<String> {
        let found = |contrast: Option<&Contrast>| contrast.and_then(|contrast| self.difference(contrast, p));
        let shown = |estimate: Option<Estimate>| or_dash(estimate.as_ref().map(microseconds));
        let (a_a, delay) = (
            found(self.contrast(ContrastRole::Control)),
            found(self.contrast(ContrastRole::Calibration)),
        );
        let predicted = queue.difference_ns(self, p);
        let refused = self.refusal_at(a_a.as_ref(), delay.as_ref(), predicted);
        let mut row = vec![
            self.cell.run.level(LOAD_FACTOR).to_owned(),
            quantile_name(p),
            or_dash(self.bare_ns(p).map(|ns| format!("{:.1}", ns / 1e3))),
            shown(a_a),
        ];
        row.extend(
            self.effects()
                .iter()
                .map(|contrast| shown(self.difference(contrast, p))),
        );
        row.extend([
            shown(delay),
            or_dash(predicted.map(signed)),
            format!("{:.2} %", 100.0 * self.late_share),
            match refused {
                _ if !GATED.contains(&p) => "not judged".to_owned(),
                None => "yes".to_owned(),
                Some(reason) => format!("no: {reason}"),
            },
        ]);
        row
    }

    /// The reason why the differences of a quantile at this level cannot be trusted; `None` if they can.
    fn refusal_at(&self, a_a: Option<&Estimate>, delay: Option<&Estimate>, predicted: Option<f64>) -> Option<String> {
        let (Some(a_a), Some(delay), Some(predicted)) = (a_a, delay, predicted) else {
            return Some("a control is missing".to_owned());
        };
        refusal(self.late_share, a_a, delay, predicted)
    }

    fn is_valid(&self, p: f64, queue: &QueuePrediction) -> bool {
        let found = |role| self.contrast(role).and_then(|contrast| self.difference(contrast, p));
        let (a_a, delay) = (found(ContrastRole::Control), found(ContrastRole::Calibration));
        self.refusal_at(a_a.as_ref(), delay.as_ref(), queue.difference_ns(self, p))
            .is_none()
    }
}

/// The reason why a level is not valid for a quantile; `None` if it is valid. All times in ns.
fn refusal(late_share: f64, a_a: &Estimate, delay: &Estimate, predicted: f64) -> Option<String> {
    let contains = |estimate: &Estimate, value: f64| {
        let (low, high) = estimate.confidence_interval;
        low <= value && value <= high
    };
    let (low, high) = delay.confidence_interval;
    let half_width = (high - low) / 2.0;
    if late_share > MOST_LATE {
        Some(format!("{:.1} % of the requests were sent late", 100.0 * late_share))
    } else if !contains(a_a, 0.0) {
        Some("the A/A leaves out zero".to_owned())
    } else if contains(delay, 0.0) {
        Some("the delay is not found".to_owned())
    } else if !contains(delay, predicted) {
        Some("the delay leaves out the prediction".to_owned())
    } else if half_width > MOST_HALF_WIDTH * predicted {
        Some(format!(
            "the delay is known to {:.0} % only",
            100.0 * half_width / predicted
        ))
    } else {
        None
    }
}

/// The simulated queue of the server without a hook.
struct QueuePrediction {
    server: SimulatedServer,
    discipline: QueueDiscipline,
    /// The errors of all disciplines, in words.
    compared: String,
}

impl QueuePrediction {
    /// Chooses the discipline by the latencies of the server without a hook alone.
    fn of(levels: &[MeasuredLoad<'_>], capacity: &Capacity<'_>) -> Result<Self> {
        let lowest = levels.first().context("no level of load was measured")?;
        let mut low_load = Distribution::default();
        for launch in lowest.launches() {
            low_load.merge(&launch.arms.get(&capacity.bare).context("no bare arm")?.sojourn);
        }
        let server =
            SimulatedServer::of(&low_load, capacity.of_bare.value).context("no latency at the lowest level")?;
        let error = |discipline: QueueDiscipline| -> Result<(f64, QueueDiscipline)> {
            let mut errors = Vec::new();
            for level in levels {
                let simulated = server.latencies_ns(discipline, level.arrivals(), 0.0, SEED);
                for p in GATED {
                    let measured = level.bare_ns(p).context("no latency of the bare server")?;
                    errors.push((latency_quantile(&simulated, p) / measured).ln().powi(2));
                }
            }
            Ok((mean(&errors).sqrt(), discipline))
        };
        let errors: Vec<(f64, QueueDiscipline)> = QueueDiscipline::ALL.into_iter().map(error).collect::<Result<_>>()?;
        let best = errors.iter().min_by(|one, other| one.0.total_cmp(&other.0));
        let (_, discipline) = best.context("no discipline")?;
        let compared = errors
            .iter()
            .map(|(error, one)| format!("{one}: {:.0} %", 100.0 * error.exp_m1()));
        Ok(Self {
            discipline: *discipline,
            compared: compared.collect::<Vec<_>>().join("; "),
            server,
        })
    }

    /// The difference of a quantile that the delay makes, ns.
    fn difference_ns(&self, level: &MeasuredLoad<'_>, p: f64) -> Option<f64> {
        let at = |added_ns| {
            let latencies = self
                .server
                .latencies_ns(self.discipline, level.arrivals(), added_ns, SEED);
            latency_quantile(&latencies, p)
        };
        Some(at(level.delay_ns()?) - at(0.0))
    }
}

fn quantile_name(p: f64) -> String {
    format!("p{}", 100.0 * p)
}

fn figure(recorded: &RecordedExperiment, levels: &[MeasuredLoad<'_>], queue: &QueuePrediction) -> Result<Figure> {
    let drawn = |estimate: Estimate| -> Option<DrawnValue> {
        let (low, high) = estimate.confidence_interval;
        above_zero((estimate.value / 1e3, (low / 1e3, high / 1e3)))
    };
    let mut series = Vec::new();
    for p in GATED {
        let name = quantile_name(p);
        let effects = levels.first().map(MeasuredLoad::effects).unwrap_or_default();
        series.extend(effects.last().map(|effect| {
            ResponseSeries {
                name: format!("{}, {name}", effect.name),
                values: levels
                    .iter()
                    .map(|level| drawn(level.difference(effect, p).filter(|_| level.is_valid(p, queue))?))
                    .collect(),
            }
        }));
        series.push(ResponseSeries {
            name: format!("known delay, {name}"),
            values: levels
                .iter()
                .map(|level| drawn(level.difference(level.contrast(ContrastRole::Calibration)?, p)?))
                .collect(),
        });
        series.push(ResponseSeries {
            name: format!("known delay as the queue predicts it, {name}"),
            values: levels
                .iter()
                .map(|level| {
                    let predicted = queue.difference_ns(level, p)? / 1e3;
                    above_zero((predicted, (predicted, predicted)))
                })
                .collect(),
        });
    }
    series.retain(|one| one.values.iter().any(Option::is_some));
    Ok(response(&Response {
        name: recorded.experiment.clone(),
        caption: "Differences of latencies, counted from the intended arrival, by the share of the capacity of the server without a \
                  hook. A known delay stands beside the difference that a simulated queue predicts for it. The differences that the \
                  hook makes are drawn where the known delay and the A/A control validate the level; the table has the others and the \
                  reasons."
            .to_owned(),
        x_title: "load, share of the capacity".to_owned(),
        y_title: "difference of latencies (µs), 95 % CI".to_owned(),
        log: true,
        line: None,
        levels: levels
            .iter()
            .map(|level| format!("{:.0} %", 100.0 * level.utilisation))
            .collect(),
        joined: true,
        series,
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: [f64; 4]) -> Estimate {
        estimate(&values).unwrap()
    }

    #[test]
    fn a_level_is_valid_only_if_both_controls_say_so() {
        let a_a = of([-10.0, 10.0, -5.0, 5.0]);
        let delay = of([990.0, 1_010.0, 1_000.0, 1_005.0]);
        assert_eq!(refusal(0.001, &a_a, &delay, 1_000.0), None);
        for (late, a_a, delay, predicted, reason) in [
            (0.02, a_a, delay, 1_000.0, "sent late"),
            (0.0, of([90.0, 100.0, 95.0, 105.0]), delay, 1_000.0, "A/A"),
            (0.0, a_a, of([-900.0, 1_000.0, 0.0, 500.0]), 1_000.0, "not found"),
            (0.0, a_a, delay, 2_000.0, "prediction"),
            (0.0, a_a, of([400.0, 1_600.0, 900.0, 1_100.0]), 1_000.0, "only"),
        ] {
            let refused = refusal(late, &a_a, &delay, predicted).unwrap();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
