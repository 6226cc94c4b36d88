//! A simulated server under random arrivals: the latencies that its service times and its discipline predict.
//!
//! The service times come from latencies at a low load, less the part of the latency that does not occupy the server. That part is
//! the difference of their mean and the mean time that the server needs for a request at its capacity.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rand::RngExt;
use rand_pcg::Pcg64;
use serde::Serialize;

use super::Distribution;
use super::bootstrap::generator;
use super::sorted::{mean, quantile};

/// Number of quantiles of the measured latencies from which service times are drawn.
const TABLE: u32 = 2_000;
/// Least service time, as a share of the mean service time. Latencies below the part that does not occupy the server would give
/// negative service times.
const LEAST_SERVICE: f64 = 0.05;

/// The order in which a server works on waiting requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum QueueDiscipline {
    /// One worker, first come, first served.
    #[strum(to_string = "one worker, first come first served")]
    OneWorker,
    /// Two workers, each with a processor of its own, first come, first served.
    #[strum(to_string = "two workers, first come first served")]
    TwoWorkers,
    /// All requests share one processor equally.
    #[strum(to_string = "threads that share a processor")]
    SharedProcessor,
}

impl QueueDiscipline {
    /// All disciplines.
    pub const ALL: [Self; 3] = [Self::OneWorker, Self::TwoWorkers, Self::SharedProcessor];
}

/// A server as a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedServer {
    /// Service times, ns, ascending; a request's is drawn from them.
    services_ns: Vec<f64>,
    /// The part of a latency that does not occupy the server, ns.
    outside_ns: f64,
}

/// The arrivals of a simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimulatedArrivals {
    /// Mean requests a second; the times between them are exponential.
    pub rate_per_s: f64,
    /// Requests of a block. The server is idle when a block begins.
    pub block: usize,
    /// Number of blocks.
    pub blocks: u64,
}

impl SimulatedServer {
    /// The server whose latencies at a low load are given and which completes `capacity_per_s` requests a second. `None` without
    /// latencies, and for a capacity that is not above zero.
    #[must_use]
    pub fn of(low_load: &Distribution, capacity_per_s: f64) -> Option<Self> {
        let table: Option<Vec<f64>> = (0..TABLE)
            .map(|step| low_load.quantile((f64::from(step) + 0.5) / f64::from(TABLE)))
            .collect();
        let latencies_ns = table.filter(|_| capacity_per_s > 0.0)?;
        let service_ns = 1e9 / capacity_per_s;
        let outside_ns = (mean(&latencies_ns) - service_ns).max(0.0);
        let least_ns = LEAST_SERVICE * service_ns;
        let mut services_ns: Vec<f64> = latencies_ns
            .iter()
            .map(|latency| (latency - outside_ns).max(least_ns))
            .collect();
        // The least service time, and latencies shorter than the service time at capacity, change the mean.
        let correction = service_ns / mean(&services_ns);
        services_ns.iter_mut().for_each(|service| *service *= correction);
        Some(Self {
            services_ns,
            outside_ns,
        })
    }

    /// Simulates latencies, ns, ascending, of a server whose requests all take `added_ns` longer. The same seed draws the same
    /// arrivals and the same service times for every discipline and every `added_ns`.
    #[must_use]
    pub fn latencies_ns(
        &self,
        discipline: QueueDiscipline,
        arrivals: SimulatedArrivals,
        added_ns: f64,
        seed: u64,
    ) -> Vec<f64> {
        let mut latencies = Vec::new();
        for block in 0..arrivals.blocks {
            let mut generator = generator(seed, block);
            let mut now_ns = 0.0;
            let requests: Vec<(f64, f64)> = (0..arrivals.block)
                .map(|_| {
                    now_ns += -(1.0 - generator.random::<f64>()).ln() * 1e9 / arrivals.rate_per_s;
                    (now_ns, self.service_ns(&mut generator) + added_ns)
                })
                .collect();
            let ends = match discipline {
                QueueDiscipline::OneWorker => first_come_first_served(&requests, 1),
                QueueDiscipline::TwoWorkers => first_come_first_served(&requests, 2),
                QueueDiscipline::SharedProcessor => shared(&requests),
            };
            latencies.extend(
                requests
                    .iter()
                    .zip(ends)
                    .map(|((arrival, _), end)| end - arrival + self.outside_ns),
            );
        }
        latencies.sort_unstable_by(f64::total_cmp);
        latencies
    }

    fn service_ns(&self, generator: &mut Pcg64) -> f64 {
        self.services_ns[generator.random_range(0..self.services_ns.len())]
    }
}

/// The quantile of simulated latencies, ns.
///
/// # Panics
/// Without a latency.
#[must_use]
pub fn latency_quantile(ascending_ns: &[f64], p: f64) -> f64 {
    assert!(!ascending_ns.is_empty());
    quantile(ascending_ns, p)
}

/// The ends of requests, each an arrival and a service time, that workers take in the order of their arrivals.
fn first_come_first_served(requests: &[(f64, f64)], workers: usize) -> Vec<f64> {
    let mut free: Vec<f64> = vec![0.0; workers];
    let end = |&(arrival, service): &(f64, f64)| {
        let first = (0..workers)
            .min_by(|one, other| free[*one].total_cmp(&free[*other]))
            .unwrap_or(0);
        free[first] = free[first].max(arrival) + service;
        free[first]
    };
    requests.iter().map(end).collect()
}

/// A virtual time, ordered.
#[derive(Clone, Copy, PartialEq)]
struct VirtualTime(f64);

impl Eq for VirtualTime {}

impl Ord for VirtualTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for VirtualTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The ends of requests that share one processor equally. Each unit of work that every request in progress receives is a unit of
/// virtual time; a request ends when virtual time has advanced by its service time.
fn shared(requests: &[(f64, f64)]) -> Vec<f64> {
    let mut ends = vec![0.0; requests.len()];
    // Virtual times of the ends of requests in progress, with the indices of the requests.
    let mut in_progress: BinaryHeap<Reverse<(VirtualTime, usize)>> = BinaryHeap::new();
    let (mut now, mut virtual_now) = (0.0, 0.0);
    let arrivals = requests.iter().map(|(arrival, _)| *arrival);
    for (next, until) in arrivals.chain([f64::INFINITY]).enumerate() {
        while let Some(&Reverse((end, index))) = in_progress.peek() {
            #[expect(clippy::cast_precision_loss, reason = "requests in progress")]
            let sharing = in_progress.len() as f64;
            let takes = (end.0 - virtual_now) * sharing;
            if now + takes > until {
                virtual_now += (until - now) / sharing;
                break;
            }
            now += takes;
            virtual_now = end.0;
            ends[index] = now;
            in_progress.pop();
        }
        now = until;
        if let Some((_, service)) = requests.get(next) {
            in_progress.push(Reverse((VirtualTime(virtual_now + service), next)));
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Latencies of a server whose every request takes `service_ns`, as the load approaches zero.
    fn constant(service_ns: i64) -> Distribution {
        let mut latencies = Distribution::default();
        latencies.insert_times(service_ns, 1_000);
        latencies
    }

    /// Exponential latencies with a mean of 20 µs, of 20,000 requests.
    fn exponential() -> Distribution {
        let mut generator = generator(5, 1);
        let mut latencies = Distribution::default();
        #[expect(clippy::cast_possible_truncation, reason = "times of some microseconds")]
        for _ in 0..20_000 {
            latencies.insert((-(1.0 - generator.random::<f64>()).ln() * 20_000.0) as i64);
        }
        latencies
    }

    fn mean_wait_ns(server: &SimulatedServer, discipline: QueueDiscipline, utilisation: f64) -> f64 {
        let arrivals = SimulatedArrivals {
            rate_per_s: utilisation * 50_000.0,
            block: 200_000,
            blocks: 4,
        };
        mean(&server.latencies_ns(discipline, arrivals, 0.0, 3)) - 20_000.0
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 0.06, "{found} instead of {expected}");
    }

    /// Pollaczek and Khinchine: the mean wait is ρ s (1 + c²) / (2 (1 - ρ)) with the coefficient of variation c of service times.
    #[test]
    fn one_worker_waits_as_the_formula_of_pollaczek_and_khinchine_says() {
        let server = SimulatedServer::of(&constant(20_000), 50_000.0).unwrap();
        near(mean_wait_ns(&server, QueueDiscipline::OneWorker, 0.5), 10_000.0);
        near(mean_wait_ns(&server, QueueDiscipline::OneWorker, 0.8), 40_000.0);
        let server = SimulatedServer::of(&exponential(), 50_000.0).unwrap();
        near(mean_wait_ns(&server, QueueDiscipline::OneWorker, 0.5), 20_000.0);
    }

    /// The mean latency of requests that share a processor is s / (1 - ρ) for every distribution of service times.
    #[test]
    fn a_shared_processor_takes_as_long_for_every_distribution_of_service_times() {
        for latencies in [constant(20_000), exponential()] {
            let server = SimulatedServer::of(&latencies, 50_000.0).unwrap();
            near(mean_wait_ns(&server, QueueDiscipline::SharedProcessor, 0.5), 20_000.0);
        }
    }

    /// Erlang: the mean wait of two workers at ρ with exponential service times is s ρ² / (1 - ρ²).
    #[test]
    fn two_workers_wait_as_the_formula_of_erlang_says() {
        let server = SimulatedServer::of(&exponential(), 50_000.0).unwrap();
        let arrivals = SimulatedArrivals {
            rate_per_s: 60_000.0,
            block: 200_000,
            blocks: 4,
        };
        let latencies = server.latencies_ns(QueueDiscipline::TwoWorkers, arrivals, 0.0, 3);
        near(mean(&latencies) - 20_000.0, 20_000.0 * 0.36 / 0.64);
    }

    #[test]
    fn the_part_outside_of_the_server_is_added_and_a_longer_service_waits_longer() {
        let server = SimulatedServer::of(&constant(30_000), 50_000.0).unwrap();
        let arrivals = SimulatedArrivals {
            rate_per_s: 1.0,
            block: 100,
            blocks: 1,
        };
        let idle = server.latencies_ns(QueueDiscipline::OneWorker, arrivals, 0.0, 3);
        near(latency_quantile(&idle, 0.5), 30_000.0);
        let busy = SimulatedArrivals {
            rate_per_s: 40_000.0,
            block: 20_000,
            blocks: 5,
        };
        let of = |added_ns| {
            let latencies = server.latencies_ns(QueueDiscipline::OneWorker, busy, added_ns, 3);
            latency_quantile(&latencies, 0.5)
        };
        let longer = of(1_000.0) - of(0.0);
        assert!(longer > 2_000.0, "{longer}");
    }
}
