//! The open loop: the send times of requests do not depend on the responses.

use std::collections::VecDeque;
use std::hint::spin_loop;

use model::{Arrivals, LaunchPlan, WaitMethod};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use crate::clock::monotonic_ns;
use crate::connection::{ArmConnections, RECEIVES_PER_CLOCK};
use crate::error::LoadgenError;
use crate::progress::ProgressDisplay;
use crate::recorder::{Recorder, RequestId, WARM_UP_ROUNDS_AFTER_WRITE};
use crate::request_order::RequestOrder;
use crate::socket;

/// A send is late if it is this much later than intended, ns.
pub(crate) const LATE_NS: i64 = 50_000;
/// Longest backlog, s. The run stops when more requests wait for a connection than arrive in this time.
const LONGEST_BACKLOG_S: f64 = 1.0;
/// The rate counts as reached if the intended duration of the sends is at least this share of their actual duration.
const HELD_SHARE: f64 = 0.99;

/// Intended and actual send times of an open loop, of one thread or of several.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendTiming {
    threads: u16,
    /// Whether all requests were sent and have an outcome.
    pub(crate) finished: bool,
    /// Number of requests that were sent.
    pub(crate) sent: u64,
    /// Number of late sends.
    pub(crate) late: u64,
    /// Largest delay of a send after its intended time, ns.
    pub(crate) largest_delay_ns: i64,
    /// Time from the first to the last intended send without pauses, summed over the threads, ns.
    intended_ns: i64,
    /// Time from the first intended send to the last actual send without pauses, summed over the threads, ns.
    taken_ns: i64,
}

impl SendTiming {
    const fn new() -> Self {
        Self {
            threads: 1,
            finished: false,
            sent: 0,
            late: 0,
            largest_delay_ns: 0,
            intended_ns: 0,
            taken_ns: 0,
        }
    }

    /// Combines the timings of two sets of threads.
    pub(crate) fn combine(self, other: Self) -> Self {
        Self {
            threads: self.threads + other.threads,
            finished: self.finished && other.finished,
            sent: self.sent + other.sent,
            late: self.late + other.late,
            largest_delay_ns: self.largest_delay_ns.max(other.largest_delay_ns),
            intended_ns: self.intended_ns + other.intended_ns,
            taken_ns: self.taken_ns + other.taken_ns,
        }
    }

    /// Returns the requests per second that were sent, over all threads.
    pub(crate) fn reached_per_s(self) -> f64 {
        let threads = u64::from(self.threads);
        let mean_taken_s = self.taken_ns.max(1) as f64 / 1e9 / threads as f64;
        self.sent.saturating_sub(threads) as f64 / mean_taken_s
    }

    /// Returns whether the sends kept up with the arrivals.
    pub(crate) fn held(self) -> bool {
        self.intended_ns as f64 >= HELD_SHARE * self.taken_ns as f64
    }

    fn record_send(&mut self, sent_ns: i64, arrival: &Arrival, start_ns: i64) {
        let delay_ns = sent_ns - arrival.intended_ns;
        self.sent += 1;
        self.late += u64::from(delay_ns > LATE_NS);
        self.largest_delay_ns = self.largest_delay_ns.max(delay_ns);
        self.intended_ns = arrival.intended_ns - start_ns;
        self.taken_ns = sent_ns - start_ns;
    }
}

/// A request with its intended send time.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    intended_ns: i64,
    id: RequestId,
}

/// All arrivals of a plan in the order of their intended send times.
struct ArrivalSchedule {
    order: RequestOrder,
    /// Round, message and arms of the current step.
    step: Option<(u32, u16, Vec<u16>)>,
    /// Position of the next arm in the current step.
    position: usize,
    sequences: Vec<u32>,
    arrivals: Arrivals,
    generator: Pcg64,
    next_ns: f64,
    warm_up_rounds: u64,
    /// Rounds below this number follow a pause and count as warm-up.
    warm_up_before: u32,
}

impl ArrivalSchedule {
    fn new(plan: &LaunchPlan, start_ns: i64) -> Self {
        Self {
            order: RequestOrder::new(plan),
            step: None,
            position: 0,
            sequences: vec![0; plan.arms.len()],
            arrivals: plan.arrivals,
            // A separate stream of random numbers, so that an open loop has the same order of arms as a closed loop.
            generator: Pcg64::seed_from_u64(!plan.seed),
            next_ns: start_ns as f64,
            warm_up_rounds: plan.warm_up_rounds,
            warm_up_before: 0,
        }
    }

    /// Returns the next arrival, or `None` after the last.
    fn advance(&mut self) -> Option<Arrival> {
        if self
            .step
            .as_ref()
            .is_none_or(|(_, _, arms)| self.position == arms.len())
        {
            let step = self.order.advance()?;
            self.step = Some((step.round, step.message, step.arms.to_vec()));
            self.position = 0;
        }
        let (round, message, arms) = self.step.as_ref()?;
        let arm = arms[self.position];
        let sequence = &mut self.sequences[usize::from(arm)];
        let id = RequestId {
            round: *round,
            position: u16::try_from(self.position).unwrap_or(u16::MAX),
            arm,
            sequence: *sequence,
            connection: 0,
            message: *message,
            warm_up: u64::from(*round) < self.warm_up_rounds || *round < self.warm_up_before,
        };
        *sequence += 1;
        self.position += 1;
        let intended_ns = self.next_ns as i64;
        self.next_ns += match self.arrivals {
            Arrivals::Closed | Arrivals::Saturated => 0.0,
            Arrivals::Constant(rate) => 1e9 / rate,
            Arrivals::Poisson(rate) => exponential(&mut self.generator) * 1e9 / rate,
        };
        Some(Arrival { intended_ns, id })
    }

    /// Delays all arrivals to come by `pause_ns`.
    fn pause(&mut self, pause_ns: i64) {
        self.next_ns += pause_ns as f64;
        let round = self.step.as_ref().map_or(0, |(round, _, _)| *round);
        self.warm_up_before = round + WARM_UP_ROUNDS_AFTER_WRITE;
    }
}

/// Draws from the exponential distribution with mean 1, by inversion.
fn exponential(generator: &mut Pcg64) -> f64 {
    -(1.0 - generator.random::<f64>()).ln()
}

/// Requests of one arm that wait for a connection, and the request in progress on each connection.
struct ArmQueue {
    waiting: VecDeque<Arrival>,
    in_progress: Vec<Option<RequestId>>,
}

/// Sends all requests of a plan at their intended times. Returns early if the recorder reports a stop or the backlog
/// is too long.
pub(crate) fn send_all(
    plan: &LaunchPlan,
    arms: &mut [ArmConnections],
    recorder: &mut Recorder<'_>,
    progress: &mut ProgressDisplay,
) -> Result<SendTiming, LoadgenError> {
    let longest_backlog = (plan.arrivals.rate().unwrap_or(0.0) * LONGEST_BACKLOG_S).max(100.0);
    // Pauses move the start, so that intended and actual times since the start have no pauses in them.
    let mut start_ns = monotonic_ns();
    let mut schedule = ArrivalSchedule::new(plan, start_ns);
    let mut next = schedule.advance();
    let mut queues: Vec<ArmQueue> = arms
        .iter()
        .map(|_| ArmQueue {
            waiting: VecDeque::with_capacity(1024),
            in_progress: vec![None; usize::from(plan.connections)],
        })
        .collect();
    let (mut waiting, mut in_progress) = (0_usize, 0_usize);
    let mut timing = SendTiming::new();
    let mut receives = 0_u32;
    loop {
        if recorder.stopped() || waiting as f64 > longest_backlog {
            return Ok(timing);
        }
        // A write in progress would delay sends. The loop sends all requests that have arrived, then pauses for the write;
        // all later arrivals are delayed by the duration of the pause.
        let pausing = !recorder.has_room(waiting + in_progress + 1);
        if pausing && waiting + in_progress == 0 {
            let pause_start_ns = monotonic_ns();
            recorder.flush()?;
            let pause_ns = monotonic_ns() - pause_start_ns;
            start_ns += pause_ns;
            schedule.pause(pause_ns);
            if let Some(arrival) = &mut next {
                arrival.intended_ns += pause_ns;
            }
            continue;
        }
        let now_ns = monotonic_ns();
        while recorder.has_room(waiting + in_progress + 1)
            && let Some(arrival) = next.filter(|arrival| !pausing && arrival.intended_ns <= now_ns)
        {
            queues[usize::from(arrival.id.arm)].waiting.push_back(arrival);
            waiting += 1;
            next = schedule.advance();
        }
        for (arm, queue) in arms.iter_mut().zip(&mut queues) {
            while let (Some(arrival), Some(connection)) = (queue.waiting.front().copied(), arm.idle_connection()) {
                queue.waiting.pop_front();
                waiting -= 1;
                let id = RequestId {
                    connection: u16::try_from(connection).unwrap_or(u16::MAX),
                    ..arrival.id
                };
                let sent_ns = monotonic_ns();
                let failed = arm.begin(connection, id.message, Some(arrival.intended_ns));
                timing.record_send(sent_ns, &arrival, start_ns);
                if let Some(outcome) = failed {
                    recorder.record(id, &outcome);
                    progress.record(id, &outcome);
                } else {
                    queue.in_progress[connection] = Some(id);
                    in_progress += 1;
                }
            }
        }
        receives = receives.wrapping_add(1);
        let sleeps = plan.wait == WaitMethod::Sleep;
        for (arm, queue) in arms.iter_mut().zip(&mut queues) {
            for (connection, slot) in queue.in_progress.iter_mut().enumerate() {
                let Some(id) = *slot else { continue };
                if let Some(outcome) = arm.poll(connection, sleeps || receives.is_multiple_of(RECEIVES_PER_CLOCK)) {
                    *slot = None;
                    in_progress -= 1;
                    recorder.record(id, &outcome);
                    progress.record(id, &outcome);
                } else if sleeps {
                    arm.take_sent_stamp(connection);
                }
            }
        }
        if next.is_none() && waiting + in_progress == 0 {
            timing.finished = true;
            return Ok(timing);
        }
        if !sleeps {
            spin_loop();
            continue;
        }
        let longest_ns = match next {
            // No new request is sent before the pause, so the next event can only be a response.
            Some(arrival) if !pausing => (arrival.intended_ns - monotonic_ns()).clamp(0, socket::LONGEST_WAIT_NS),
            _ => socket::LONGEST_WAIT_NS,
        };
        socket::wait_for_any(arms.iter().flat_map(ArmConnections::sockets_in_use), longest_ns);
    }
}
