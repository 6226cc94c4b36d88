//! The latency prober.
