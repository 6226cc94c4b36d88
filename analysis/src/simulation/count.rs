//! The coverage of intervals.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::{Proportion, proportion};

/// The method that computes an interval.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, strum::Display, VariantArray,
)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The primary method: mean over launches of the difference of medians, Student's t over launches.
    #[strum(to_string = "median, t over launches (primary)")]
    MedianT,
    /// The method above in a run that stops when its precision is reached.
    #[strum(to_string = "the same, stopped by precision")]
    MedianTStopped,
    /// Medians, percentile-t, launches drawn.
    #[strum(to_string = "median, percentile-t, launches")]
    PercentileT,
    /// The method above in a run that stops when its precision is reached.
    #[strum(to_string = "the same, stopped by precision")]
    PercentileTStopped,
    /// Medians, BCa, launches drawn.
    #[strum(to_string = "median, BCa, launches")]
    Bca,
    /// Medians, percentile-t, launches and segments drawn.
    #[strum(to_string = "median, percentile-t, launches and segments")]
    PercentileTSegments,
    /// Medians, BCa, launches and segments drawn.
    #[strum(to_string = "median, BCa, launches and segments")]
    BcaSegments,
    /// Medians, Hodges-Lehmann with signed ranks.
    #[strum(to_string = "median, Hodges-Lehmann, signed ranks")]
    HodgesLehmann,
    /// Means, Student's t over launches.
    #[strum(to_string = "mean, t over launches")]
    MeanT,
    /// Trimmed means, Student's t over launches.
    #[strum(to_string = "trimmed mean, t over launches")]
    TrimmedMeanT,
    /// 99th percentiles, Student's t over launches.
    #[strum(to_string = "p99, t over launches")]
    P99T,
    /// The quantile-shift function: the band contains the differences of all quantiles.
    #[strum(to_string = "quantile shift, simultaneous band")]
    ShiftBand,
    /// The method of the 2023 study: Student's t over all requests of all launches.
    #[strum(to_string = "2023: mean, t over all requests")]
    RequestsT,
    /// The method and the amount of data of the 2023 study: one launch.
    #[strum(to_string = "2023: mean, t over one launch's requests")]
    RequestsTOneLaunch,
}

impl Method {
    /// All methods in the order of tables.
    pub const ALL: &[Self] = Self::VARIANTS;
}

/// The coverage of a method's interval.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Coverage {
    /// The method.
    pub method: Method,
    /// The share of intervals that contain the truth, with an exact 95 % interval.
    pub held: Proportion,
    /// Mean half-width, ns.
    pub half_width_ns: f64,
}

impl Coverage {
    /// Computes the coverage. Each experiment has one entry: whether its interval contains the truth, and half of its width, ns.
    /// `None` without an experiment.
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
