//! The noise of requests within launches: autocorrelation, drift of the level, and outliers.

use analysis::stats::serial::effective_sample_size_of;
use analysis::{LatencyMetric, Outliers, mean, outliers, stationarity};
use samples::RunSamples;
use serde::Serialize;

/// The significance level of the KPSS test.
const LEVEL: f64 = 0.05;

/// The noise of the round-trip times of the first contrast's baseline, without warm-up.
#[derive(Clone, Debug, Serialize)]
pub struct RequestNoise {
    /// The autocorrelation of successive requests: the mean over launches.
    pub lag_1: f64,
    /// The effective number of requests divided by their number, as a mean over launches. The effective number is
    /// computed from batch means over segments.
    pub effective_share: f64,
    /// The number of launches whose level drifted. The KPSS test decides at 5 %, over the medians of segments.
    pub wandering: usize,
    /// The number of launches that are long enough for the test.
    pub tested: usize,
    /// Requests more than three interquartile ranges beyond the quartiles. All estimates contain them.
    pub outliers: Outliers,
}

/// Returns the noise of the arm `subject` in a condition; `None` if nothing varies or no launch has two whole
/// segments.
pub(crate) fn noise(condition: &str, subject: &str, run: &RunSamples) -> Option<RequestNoise> {
    let (mut lags, mut shares) = (Vec::new(), Vec::new());
    let (mut wandering, mut tested) = (0, 0);
    let mut far = Outliers { low: 0, high: 0, of: 0 };
    let launches = run.launches_in(condition);
    for (launch, (_, timeline)) in launches.iter().zip(run.timelines_in(condition)) {
        let times = launch.arms.get(subject)?.of(LatencyMetric::Rtt);
        lags.extend(timeline.neighbours.autocorrelation());
        let whole = effective_sample_size_of(
            times.len(),
            times.variance()?,
            &timeline.neighbours.segment_means(),
            timeline.segment_rounds,
        );
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        shares.extend(whole.map(|effective| effective / times.len() as f64));
        let medians: Vec<f64> = timeline.arms.get(subject)?.iter().map(|(_, median)| *median).collect();
        if let Some(test) = stationarity(&medians) {
            tested += 1;
            wandering += usize::from(test.p < LEVEL);
        }
        let here = outliers(times)?;
        far.low += here.low;
        far.high += here.high;
        far.of += here.of;
    }
    let over_launches = |values: &[f64]| (!values.is_empty()).then(|| mean(values));
    Some(RequestNoise {
        lag_1: over_launches(&lags)?,
        effective_share: over_launches(&shares)?,
        wandering,
        tested,
        outliers: far,
    })
}

impl RequestNoise {
    /// The noise as one line of text.
    #[must_use]
    pub fn text(&self) -> String {
        let Outliers { low, high, of } = self.outliers;
        format!(
            "noise: successive requests correlate by {:.2}, and a request has {:.0} % of the information of an independent one; \
             the level moved in {} of {} launches (KPSS, 5 %); {} of {of} requests lie far out ({low} low, {high} high), and are kept",
            self.lag_1,
            100.0 * self.effective_share,
            self.wandering,
            self.tested,
            low + high,
        )
        .replace("by -", "by \u{2212}")
    }
}
