//! The permutations of a launch, drawn from the seed: start order, ports, connection order.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context as _, Result};
use model::Condition;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

/// The first port on which a server may listen.
const FIRST_PORT: u16 = 18_000;

/// First port that Linux assigns to clients automatically; ports below it are free for servers.
const END_OF_PORTS: u16 = 32_768;

/// One launch's permutations. Each is a list of indices into the experiment's arms, or of ports by arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaunchOrder {
    /// Arms in the order in which they are started.
    pub(crate) start: Vec<usize>,
    /// Arms in the order in which the load generator connects to them. Their labels in the file have the same order.
    pub(crate) connection: Vec<usize>,
    /// Port of each arm.
    pub(crate) ports: Vec<u16>,
    /// Seed of the load generator's own order.
    pub(crate) load_seed: u64,
}

impl LaunchOrder {
    /// Draws a launch's permutations. They are the same for the same seed, condition and launch.
    pub(crate) fn draw(seed: u64, condition: Condition, launch: u32, arms: usize) -> Self {
        // Streams of the generator are independent, so that conditions do not share their orders.
        let condition = Condition::ALL.iter().position(|other| *other == condition).unwrap_or(0) as u64;
        let mut random = Pcg64::seed_from_u64(seed ^ (condition << 56) ^ (u64::from(launch) << 24));
        let mut permutation = || {
            let mut indices: Vec<usize> = (0..arms).collect();
            indices.shuffle(&mut random);
            indices
        };
        let (start, connection, ports) = (permutation(), permutation(), permutation());
        let ports = ports
            .into_iter()
            .zip(FIRST_PORT..)
            .map(|(offset, _)| FIRST_PORT.saturating_add(offset as u16));
        Self {
            start,
            connection,
            ports: ports.collect(),
            load_seed: seed.rotate_left(32) ^ u64::from(launch) ^ (condition << 48),
        }
    }

    /// Moves the ports to a range of free ports with `processes` ports for each arm. A launch without a network of its
    /// own shares the ports with other programs, such as another run.
    ///
    /// # Errors
    /// If no range of consecutive ports is free.
    pub(crate) fn among_others(mut self, processes: usize) -> Result<Self> {
        // Runs that start at the same time begin their search at different ports.
        let first = free(self.ports.len() * processes, std::process::id())?;
        for port in &mut self.ports {
            *port = first + (*port - FIRST_PORT);
        }
        Ok(self)
    }
}

/// Returns the first of `count` consecutive free ports. `begin` selects the block of ports that is tried first.
fn free(count: usize, begin: u32) -> Result<u16> {
    let blocks = usize::from(END_OF_PORTS - FIRST_PORT) / count.max(1);
    let nobody = |first: &u16| {
        let ports = (*first..).take(count);
        // The sockets stay bound until all ports of the block are tried.
        let taken: Result<Vec<_>, _> = ports
            .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
            .collect();
        taken.is_ok()
    };
    (0..blocks)
        .map(|block| FIRST_PORT + ((block + begin as usize) % blocks * count) as u16)
        .find(nobody)
        .with_context(|| {
            format!(
                "no {count} ports in a row are free from {FIRST_PORT} to {}; end what listens there",
                END_OF_PORTS - 1
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Topology;

    const POD: Condition = Condition::Local(Topology::LocalPod);
    const BRIDGE: Condition = Condition::Local(Topology::LocalBridge);

    #[test]
    fn a_launch_is_drawn_from_its_seed_alone() {
        let draw = |seed, condition, launch| LaunchOrder::draw(seed, condition, launch, 7);
        let order = draw(1, POD, 0);
        assert_eq!(order, draw(1, POD, 0));
        for other in [draw(2, POD, 0), draw(1, BRIDGE, 0), draw(1, POD, 1)] {
            assert_ne!(order, other);
            assert_ne!(order.load_seed, other.load_seed);
        }
    }

    #[test]
    fn ports_that_others_have_are_passed_over() {
        let first = free(3, 5).unwrap();
        let _other = TcpListener::bind((Ipv4Addr::LOCALHOST, first + 1)).unwrap();
        let next = free(3, 5).unwrap();
        assert!(next != first && (FIRST_PORT..=END_OF_PORTS - 3).contains(&next));
        let order = LaunchOrder::draw(9, POD, 3, 7);
        let moved = order.clone().among_others(2).unwrap();
        let offset = moved.ports[0] - order.ports[0];
        assert!(
            moved
                .ports
                .iter()
                .zip(&order.ports)
                .all(|(to, from)| to - from == offset)
        );
        let error = free(20_000, 5).unwrap_err().to_string();
        assert!(error.contains("20000 ports"), "{error}");
    }

    #[test]
    fn every_arm_stands_once_in_every_order_and_has_a_port_of_its_own() {
        let mut order = LaunchOrder::draw(9, BRIDGE, 3, 7);
        order.start.sort_unstable();
        order.connection.sort_unstable();
        order.ports.sort_unstable();
        assert_eq!(order.start, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(order.connection, order.start);
        order.ports.dedup();
        assert_eq!(order.ports.len(), 7);
    }
}
