//! Other load generators, which take some of the trials: the same two objects in two servers, measured in turn.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::estimate;
use anyhow::{Context as _, Result};
use loadgen::CpuLatencyGuard;
use loadgen_bench::peer::{Peer, PeerSetup};
use loadgen_bench::server::PinnedServer;
use serde::{Deserialize, Serialize};

use crate::sealed_pair::SealedPair;
use crate::truth::{HeldLonger, held_longer};

/// The load generators that take trials.
const PEERS: [Peer; 3] = [Peer::Wrk, Peer::Oha, Peer::Locust];
/// Pairs of blocks. With blocks of one second on each of both servers, a measurement takes about as long as a trial's run.
const PAIRS: usize = 3;
/// Length of a block, s.
const BLOCK_S: u32 = 1;
/// More requests than a load generator sends in a second.
const MOST_PER_SECOND: u32 = 100_000;

/// The load generators that can run on this machine.
#[derive(Debug)]
pub(crate) struct PeerExaminees {
    setup: PeerSetup,
    peers: Vec<Peer>,
    /// For each load generator its version, or why it is left out.
    pub(crate) notes: Vec<String>,
}

/// The answer of one load generator: the 95 % intervals over pairs of blocks, ns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerAnswer {
    pub(crate) median_ns: (f64, f64),
    pub(crate) mean_ns: (f64, f64),
}

/// Answers by the name of the load generator.
pub(crate) type PeerAnswers = BTreeMap<String, PeerAnswer>;

impl PeerExaminees {
    /// Finds the installed load generators; none without the folder of those that are not in PATH.
    pub(crate) fn find(installed: Option<&Path>, cpu: usize) -> Self {
        let setup = PeerSetup {
            installed: installed.unwrap_or(Path::new("")).to_owned(),
            floor: std::path::PathBuf::new(),
            cpu,
        };
        let (mut peers, mut notes) = (Vec::new(), Vec::new());
        for peer in PEERS.into_iter().filter(|_| installed.is_some()) {
            match peer.version(&setup) {
                Ok(version) => {
                    notes.push(format!("{} {version}", peer.name()));
                    peers.push(peer);
                }
                Err(reason) => notes.push(format!("{}: left out: {reason}", peer.name())),
            }
        }
        Self { setup, peers, notes }
    }

    /// Returns the number of records for which a telemetry file needs room.
    pub(crate) fn most_requests(&self) -> u32 {
        u32::try_from(PAIRS).unwrap_or(u32::MAX) * BLOCK_S * MOST_PER_SECOND
    }

    /// Lets each load generator measure two servers. `sealed` makes the objects of both servers. Returns the answers and the
    /// true effects.
    ///
    /// # Errors
    /// If a server or a load generator fails.
    pub(crate) fn examine(
        &self,
        sut: &Path,
        place: &Path,
        sealed: impl Fn() -> Result<SealedPair>,
    ) -> Result<(PeerAnswers, BTreeMap<String, HeldLonger>)> {
        let (mut answers, mut truths) = (BTreeMap::new(), BTreeMap::new());
        for peer in &self.peers {
            let pair = sealed()?;
            let answer = self.measure(*peer, sut, place, &pair);
            answers.insert(peer.name().to_owned(), answer.with_context(|| peer.name())?);
            let [baseline_ns, sealed_ns] = pair.held_ns()?;
            truths.insert(peer.name().to_owned(), held_longer(&baseline_ns, &sealed_ns)?);
        }
        Ok((answers, truths))
    }

    fn measure(&self, peer: Peer, sut: &Path, place: &Path, pair: &SealedPair) -> Result<PeerAnswer> {
        // As for the run of the trial; without the right to do so, as in the run, processors sleep.
        let _awake = CpuLatencyGuard::acquire();
        let start = |object: &Path| PinnedServer::start(sut, 0, [("LD_PRELOAD", object.as_os_str())]);
        let servers = [start(&pair.objects[0])?, start(&pair.objects[1])?];
        let mut differences_ns = [Vec::new(), Vec::new()];
        for number in 0..PAIRS {
            let mut results = [None; 2];
            // Both servers come first in turn.
            for turn in 0..2 {
                let index = (turn + number) % 2;
                results[index] = Some(peer.measure(&self.setup, servers[index].port, BLOCK_S, place)?);
            }
            let [Some(first), Some(second)] = results else { continue };
            differences_ns[0].push(second.median_ns - first.median_ns);
            differences_ns[1].push(second.mean_ns - first.mean_ns);
        }
        let [median, mean] = differences_ns.map(|differences_ns| estimate(&differences_ns));
        Ok(PeerAnswer {
            median_ns: median?.confidence_interval,
            mean_ns: mean?.confidence_interval,
        })
    }
}
