//! The coverage of intervals.

use serde::{Deserialize, Serialize};

use crate::{Proportion, proportion};

/// Whose interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The primary one: mean over launches of the difference of medians, Student's t over launches.
    MedianT,
    /// The same, the run stopped by its precision.
    MedianTStopped,
    /// Medians, percentile-t, launches drawn.
    PercentileT,
    /// The same, the run stopped by its precision.
    PercentileTStopped,
    /// Medians, BCa, launches drawn.
    Bca,
    /// Medians, percentile-t, launches and segments drawn.
    PercentileTSegments,
    /// Medians, BCa, launches and segments drawn.
    BcaSegments,
    /// Medians, Hodges-Lehmann with signed ranks.
    HodgesLehmann,
    /// Means, Student's t over launches.
    MeanT,
    /// Trimmed means, Student's t over launches.
    TrimmedMeanT,
    /// 99th percentiles, Student's t over launches.
    P99T,
    /// The quantile-shift function: all quantiles inside of the band.
    ShiftBand,
    /// The study's: Student's t over all requests of all launches.
    RequestsT,
    /// The study's with the study's data: one launch.
    RequestsTOneLaunch,
}

impl Method {
    /// All, in the order of tables.
    pub const ALL: [Self; 14] = [
        Self::MedianT,
        Self::MedianTStopped,
        Self::PercentileT,
        Self::PercentileTStopped,
        Self::Bca,
        Self::PercentileTSegments,
        Self::BcaSegments,
        Self::HodgesLehmann,
        Self::MeanT,
        Self::TrimmedMeanT,
        Self::P99T,
        Self::ShiftBand,
        Self::RequestsT,
        Self::RequestsTOneLaunch,
    ];

    /// The name of the method.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::MedianT => "median, t over launches (primary)",
            Self::MedianTStopped => "the same, stopped by precision",
            Self::PercentileT => "median, percentile-t, launches",
            Self::PercentileTStopped => "the same, stopped by precision",
            Self::Bca => "median, BCa, launches",
            Self::PercentileTSegments => "median, percentile-t, launches and segments",
            Self::BcaSegments => "median, BCa, launches and segments",
            Self::HodgesLehmann => "median, Hodges-Lehmann, signed ranks",
            Self::MeanT => "mean, t over launches",
            Self::TrimmedMeanT => "trimmed mean, t over launches",
            Self::P99T => "p99, t over launches",
            Self::ShiftBand => "quantile shift, simultaneous band",
            Self::RequestsT => "2023: mean, t over all requests",
            Self::RequestsTOneLaunch => "2023: mean, t over one launch's requests",
        }
    }
}

/// The coverage of a method's interval.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Coverage {
    /// Whose.
    pub method: Method,
    /// The share of intervals that contain the truth, with an exact 95 % interval.
    pub held: Proportion,
    /// Mean half-width, ns.
    pub half_width_ns: f64,
}

impl Coverage {
    /// From whether each experiment's interval held, and half its width. `None` without an experiment.
    pub(super) fn of(method: Method, intervals: &[(bool, f64)]) -> Option<Self> {
        let held = intervals.iter().filter(|(held, _)| *held).count() as u64;
        let widths: Vec<f64> = intervals.iter().map(|(_, half)| *half).collect();
        Some(Self {
            method,
            held: proportion(held, intervals.len() as u64).ok()?,
            half_width_ns: crate::stats::sorted::mean(&widths),
        })
    }
}
