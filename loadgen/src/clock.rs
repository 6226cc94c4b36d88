//! The clock of the user stamps, and its relation to the clock of the kernel stamps.

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// Returns `CLOCK_MONOTONIC`, the clock of the user stamps, ns.
pub(crate) fn monotonic_ns() -> i64 {
    read_ns(ClockId::CLOCK_MONOTONIC)
}

fn read_ns(clock: ClockId) -> i64 {
    clock_gettime(clock).map_or(0, nanoseconds)
}

/// Converts a time to nanoseconds.
pub(crate) fn nanoseconds(time: TimeSpec) -> i64 {
    time.tv_sec() * 1_000_000_000 + time.tv_nsec()
}

/// Returns `CLOCK_REALTIME`, the clock of the kernel stamps, minus `CLOCK_MONOTONIC`, ns. The kernel computes both from one
/// counter at one speed, so that the difference is constant until somebody sets the clock.
pub(crate) fn kernel_minus_user_ns() -> i64 {
    let mut best = (i64::MAX, 0);
    for _ in 0..64 {
        let before_ns = monotonic_ns();
        let real_ns = read_ns(ClockId::CLOCK_REALTIME);
        let after_ns = monotonic_ns();
        // The pair of readings with the smallest distance gives the smallest error.
        best = best.min((after_ns - before_ns, real_ns - i64::midpoint(before_ns, after_ns)));
    }
    best.1
}

/// Resolution and cost of a user stamp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockCost {
    /// Smallest observed step of the clock, ns.
    pub(crate) resolution_ns: i64,
    /// Mean duration of one reading, ns.
    pub(crate) cost_ns: f64,
}

/// Measures resolution and cost of a user stamp with 2,000 readings in a row.
pub(crate) fn measure_clock_cost() -> ClockCost {
    const READINGS: i32 = 2_000;
    let start_ns = monotonic_ns();
    let (mut last_ns, mut resolution_ns) = (start_ns, i64::MAX);
    for _ in 0..READINGS {
        let now_ns = monotonic_ns();
        if now_ns > last_ns {
            resolution_ns = resolution_ns.min(now_ns - last_ns);
        }
        last_ns = now_ns;
    }
    ClockCost {
        resolution_ns,
        cost_ns: (last_ns - start_ns) as f64 / f64::from(READINGS),
    }
}
