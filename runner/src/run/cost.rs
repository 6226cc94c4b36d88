//! Estimate of the duration of a run, which is printed before the run begins. The constants were fitted to recorded runs.

use std::time::Duration;

use model::{Condition, Experiment, Proxy, ServerUnderTest, WaitMethod};

/// Duration of a launch without its requests, s.
const LAUNCH_S: f64 = 0.7;
/// Time until a server of another project answers, s.
const PROGRAM_S: f64 = 1.0;
/// Time to create, query and remove a container, s.
const CONTAINER_S: f64 = 0.8;
/// Time from one request to the synthetic server until the next, s.
const REQUEST_S: f64 = 25e-6;
/// Additional time of a request to a server of another project, s.
const PROGRAM_REQUEST_S: f64 = 55e-6;
/// Time until a proxy or a relay listens, s.
const PROXY_S: f64 = 0.1;
/// Additional time of a request through a proxy, s.
const PROXY_REQUEST_S: f64 = 30e-6;
/// Additional time of a request if the load generator sleeps while it waits, s.
const SLEEP_S: f64 = 60e-6;

/// Numbers of launches and requests of a run, and its estimated duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunCost {
    pub(crate) launches: u64,
    pub(crate) requests: u64,
    pub(crate) time: Duration,
}

impl RunCost {
    /// Estimates the cost of an experiment in these conditions.
    pub(crate) fn of(experiment: &Experiment, conditions: impl Iterator<Item = Condition>) -> Self {
        let (arms, proxies) = (experiment.arms.len() as u64, experiment.proxies.len() as u64);
        // The rounds include the warm-up.
        let requests = arms * experiment.load.rounds;
        let (programs, more_s) = match experiment.sut {
            ServerUnderTest::Command(_) => (arms, PROGRAM_REQUEST_S),
            ServerUnderTest::Synthetic(ref server) => (0, number(server.work_ns) * 1e-9),
            _ => (0, 0.0),
        };
        let sleep_s = if experiment.load.wait == WaitMethod::Sleep {
            SLEEP_S
        } else {
            0.0
        };
        let proxies_s: f64 = experiment.proxies.iter().map(proxy_s).sum();
        let request_s = REQUEST_S + more_s + sleep_s + proxies_s;
        // The duration of all requests of a round, or of one request to a server that waits for its CPU quota.
        let round_s = experiment.arms.iter().fold(number(arms) * request_s, |round_s, arm| {
            let quota_cores = experiment.arm_limits(arm).quota_cores.unwrap_or(1.0);
            round_s.max(request_s / quota_cores)
        });
        let containers = arms * (1 + proxies) + u64::from(experiment.neighbour.is_some()) + 1;
        conditions
            .map(|condition| {
                let contained = !matches!(condition, Condition::Local(_));
                let launch_s = LAUNCH_S
                    + PROGRAM_S * number(programs)
                    + PROXY_S * number(arms * proxies)
                    + round_s * number(experiment.load.rounds)
                    + if contained {
                        CONTAINER_S * number(containers)
                    } else {
                        0.0
                    };
                let launches = u64::from(experiment.launches);
                Self {
                    launches,
                    requests: launches * requests,
                    time: Duration::from_secs_f64(launch_s * number(launches)),
                }
            })
            .sum()
    }
}

fn proxy_s(proxy: &Proxy) -> f64 {
    match proxy {
        Proxy::Delays(jitter) => PROXY_REQUEST_S + jitter.mean_ns() * 1e-9,
        _ => PROXY_REQUEST_S,
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
const fn number(count: u64) -> f64 {
    count as f64
}

impl std::iter::Sum for RunCost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |sum, cost| Self {
            launches: sum.launches + cost.launches,
            requests: sum.requests + cost.requests,
            time: sum.time + cost.time,
        })
    }
}

impl std::fmt::Display for RunCost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (launches, requests, s) = (self.launches, self.requests, self.time.as_secs());
        let plural = if launches == 1 { "" } else { "es" };
        write!(formatter, "{launches} launch{plural}, {requests} requests, about ")?;
        match s {
            0..90 => write!(formatter, "{} s", s.max(1)),
            90..5_400 => write!(formatter, "{} min", s.div_ceil(60)),
            _ => write!(formatter, "{} h", s.div_ceil(3_600)),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Topology;

    use super::*;

    #[test]
    fn containers_cost_more_time_and_costs_of_conditions_add_up() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments/r06.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let cells = model::parse_definition(&text, model::GridExtent::Default).unwrap();
        let local = Condition::Local(Topology::LocalPod);
        let here = RunCost::of(&cells[0], [local].into_iter());
        assert_eq!((here.launches, here.requests), (10, 10 * 9 * 3_000));
        let docker = RunCost::of(&cells[0], [Condition::Docker].into_iter());
        assert!(docker.time > here.time && docker.requests == here.requests);
        let both = RunCost::of(&cells[0], [local, Condition::Docker].into_iter());
        assert_eq!(both.time, here.time + docker.time);
        let one = RunCost {
            launches: 1,
            requests: 3,
            time: Duration::from_secs(91),
        };
        assert_eq!(one.to_string(), "1 launch, 3 requests, about 2 min");
        assert_eq!(RunCost::default().to_string(), "0 launches, 0 requests, about 1 s");
    }
}
