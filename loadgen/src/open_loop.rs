//! The open loop: requests are sent at times that do not depend on the answers.

use std::collections::VecDeque;
use std::hint::spin_loop;

use model::{Arrivals, LaunchPlan, WaitMethod};
use rand::SeedableRng as _;
use rand_pcg::Pcg64;

use crate::connection::{Arm, LOOKS_PER_CLOCK};
use crate::error::Error;
use crate::live::Live;
use crate::recorder::{Place, ROUNDS_AFTER_WRITE, Recorder};
use crate::schedule::Steps;
use crate::sys;

/// A send so much later than intended is late, ns.
pub(crate) const LATE_NS: i64 = 50_000;
/// More of the arrivals' time that waits to be sent is more than the rate can ever be held with, s.
const LONGEST_BACKLOG_S: f64 = 1.0;
/// Rate that was reached, as a share of the rate asked for, that counts as held.
const HELD: f64 = 0.99;

/// How an open loop went, of one thread or of several.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    threads: u16,
    /// All requests were sent and ended.
    pub(crate) finished: bool,
    pub(crate) sent: u64,
    pub(crate) late: u64,
    pub(crate) latest_ns: i64,
    /// From the first intended send to the last one, pauses left out, summed over the threads, ns.
    intended_ns: i64,
    /// From the first intended send to the last send, pauses left out, summed over the threads, ns.
    taken_ns: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            threads: 1,
            finished: false,
            sent: 0,
            late: 0,
            latest_ns: 0,
            intended_ns: 0,
            taken_ns: 0,
        }
    }
}

impl Pace {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            threads: self.threads + other.threads,
            finished: self.finished && other.finished,
            sent: self.sent + other.sent,
            late: self.late + other.late,
            latest_ns: self.latest_ns.max(other.latest_ns),
            intended_ns: self.intended_ns + other.intended_ns,
            taken_ns: self.taken_ns + other.taken_ns,
        }
    }

    /// Requests a second that were sent.
    pub(crate) fn reached(self) -> f64 {
        let threads = u64::from(self.threads);
        let mean_taken_s = self.taken_ns.max(1) as f64 / 1e9 / threads as f64;
        self.sent.saturating_sub(threads) as f64 / mean_taken_s
    }

    /// Whether the sends kept up with the arrivals.
    pub(crate) fn held(self) -> bool {
        self.intended_ns as f64 >= HELD * self.taken_ns as f64
    }
}

/// A request that is to be sent.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    intended_ns: i64,
    place: Place,
}

/// All arrivals in order.
struct Line {
    steps: Steps,
    /// Of the current step.
    step: Option<(u32, u16, Vec<u16>)>,
    position: usize,
    sequences: Vec<u32>,
    arrivals: Arrivals,
    generator: Pcg64,
    next_ns: f64,
    warm_up_rounds: u64,
    /// Rounds before this one follow a pause.
    flagged_before: u32,
}

impl Line {
    fn new(plan: &LaunchPlan, start_ns: i64) -> Self {
        Self {
            steps: Steps::new(plan),
            step: None,
            position: 0,
            sequences: vec![0; plan.arms.len()],
            arrivals: plan.arrivals,
            // A stream of its own, so that the order of the arms is that of the closed loop.
            generator: Pcg64::seed_from_u64(!plan.seed),
            next_ns: start_ns as f64,
            warm_up_rounds: plan.warm_up_rounds,
            flagged_before: 0,
        }
    }

    fn next(&mut self) -> Option<Arrival> {
        if self
            .step
            .as_ref()
            .is_none_or(|(_, _, arms)| self.position == arms.len())
        {
            let step = self.steps.advance()?;
            self.step = Some((step.round, step.request, step.arms.to_vec()));
            self.position = 0;
        }
        let (round, request, arms) = self.step.as_ref()?;
        let arm = arms[self.position];
        let sequence = &mut self.sequences[usize::from(arm)];
        let place = Place {
            round: *round,
            position: u16::try_from(self.position).unwrap_or(u16::MAX),
            arm,
            sequence: *sequence,
            connection: 0,
            request: *request,
            warm_up: u64::from(*round) < self.warm_up_rounds || *round < self.flagged_before,
        };
        *sequence += 1;
        self.position += 1;
        let intended_ns = self.next_ns as i64;
        self.next_ns += match self.arrivals {
            Arrivals::Closed => 0.0,
            Arrivals::Constant(rate) => 1e9 / rate,
            Arrivals::Poisson(rate) => exponential(&mut self.generator) * 1e9 / rate,
        };
        Some(Arrival { intended_ns, place })
    }

    /// All that is still to come comes so much later.
    fn pause(&mut self, pause_ns: i64) {
        self.next_ns += pause_ns as f64;
        let round = self.step.as_ref().map_or(0, |(round, _, _)| *round);
        self.flagged_before = round + ROUNDS_AFTER_WRITE;
    }
}

/// Exponentially distributed with mean 1, by inversion.
fn exponential(generator: &mut Pcg64) -> f64 {
    use rand::RngExt as _;
    -(1.0 - generator.random::<f64>()).ln()
}

/// What is on its way on each connection of an arm, and what waits for a connection.
struct Traffic {
    waiting: VecDeque<Arrival>,
    sent: Vec<Option<Place>>,
}

/// Sends all requests of a plan at their times.
pub(crate) fn measure(
    plan: &LaunchPlan,
    arms: &mut [Arm],
    recorder: &mut Recorder<'_>,
    live: &mut Live,
) -> Result<Pace, Error> {
    let longest_backlog = (plan.arrivals.rate().unwrap_or(0.0) * LONGEST_BACKLOG_S).max(100.0);
    let start_ns = sys::monotonic_ns();
    let mut line = Line::new(plan, start_ns);
    let mut next = line.next();
    let mut traffic: Vec<Traffic> = arms
        .iter()
        .map(|_| Traffic {
            waiting: VecDeque::with_capacity(1024),
            sent: vec![None; usize::from(plan.connections)],
        })
        .collect();
    let (mut waiting, mut under_way) = (0_usize, 0_usize);
    let mut pace = Pace::default();
    let (mut paused_ns, mut looks) = (0_i64, 0_u32);
    loop {
        if recorder.stopped() || waiting as f64 > longest_backlog {
            return Ok(pace);
        }
        // Writing would make sends late: what has arrived is sent, and the rest comes later by as long as it takes.
        let pausing = !recorder.has_room(waiting + under_way + 1);
        if pausing && waiting + under_way == 0 {
            let begun_ns = sys::monotonic_ns();
            recorder.flush()?;
            let pause_ns = sys::monotonic_ns() - begun_ns;
            paused_ns += pause_ns;
            line.pause(pause_ns);
            if let Some(arrival) = &mut next {
                arrival.intended_ns += pause_ns;
            }
            continue;
        }
        let now_ns = sys::monotonic_ns();
        while recorder.has_room(waiting + under_way + 1)
            && let Some(arrival) = next.filter(|arrival| !pausing && arrival.intended_ns <= now_ns)
        {
            traffic[usize::from(arrival.place.arm)].waiting.push_back(arrival);
            waiting += 1;
            next = line.next();
        }
        for (arm, traffic) in arms.iter_mut().zip(&mut traffic) {
            while let (Some(arrival), Some(connection)) = (traffic.waiting.front().copied(), arm.idle()) {
                traffic.waiting.pop_front();
                waiting -= 1;
                let place = Place {
                    connection: u16::try_from(connection).unwrap_or(u16::MAX),
                    ..arrival.place
                };
                let sent_ns = sys::monotonic_ns();
                let refused = arm.begin(connection, place.request, Some(arrival.intended_ns));
                pace.sent += 1;
                pace.late += u64::from(sent_ns - arrival.intended_ns > LATE_NS);
                pace.latest_ns = pace.latest_ns.max(sent_ns - arrival.intended_ns);
                pace.intended_ns = arrival.intended_ns - start_ns - paused_ns;
                pace.taken_ns = sent_ns - start_ns - paused_ns;
                if let Some(outcome) = refused {
                    recorder.record(place, &outcome);
                    live.saw(place, &outcome);
                } else {
                    traffic.sent[connection] = Some(place);
                    under_way += 1;
                }
            }
        }
        looks = looks.wrapping_add(1);
        let sleeps = plan.wait == WaitMethod::Sleep;
        for (arm, traffic) in arms.iter_mut().zip(&mut traffic) {
            for (connection, slot) in traffic.sent.iter_mut().enumerate() {
                let Some(place) = *slot else { continue };
                if let Some(outcome) = arm.poll(connection, sleeps || looks.is_multiple_of(LOOKS_PER_CLOCK)) {
                    *slot = None;
                    under_way -= 1;
                    recorder.record(place, &outcome);
                    live.saw(place, &outcome);
                } else if sleeps {
                    arm.take_stamp(connection);
                }
            }
        }
        match next {
            None if waiting + under_way == 0 => break,
            _ if !sleeps => spin_loop(),
            // Nothing can be sent before something has come back.
            Some(_) if pausing => sys::wait_for_any(arms.iter().flat_map(Arm::waiting), sys::LONGEST_WAIT_NS),
            Some(arrival) => {
                let left_ns = (arrival.intended_ns - sys::monotonic_ns()).clamp(0, sys::LONGEST_WAIT_NS);
                sys::wait_for_any(arms.iter().flat_map(Arm::waiting), left_ns);
            }
            None => sys::wait_for_any(arms.iter().flat_map(Arm::waiting), sys::LONGEST_WAIT_NS),
        }
    }
    pace.finished = true;
    Ok(pace)
}
