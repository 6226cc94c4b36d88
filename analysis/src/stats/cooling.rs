//! The time by which the rest of a request takes longer after a delay, because caches cool during the delay.

/// The smallest and the largest time constant that is tried, ns, and the ratio of one to the next.
const TIME_CONSTANTS_NS: (f64, f64) = (1e3, 1e7);
const STEP: f64 = 1.01;

/// A recovered delay: the delay, recovered minus true, and the standard error of this difference, all ns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DelayError {
    /// The delay.
    pub delay_ns: f64,
    /// Recovered minus true.
    pub error_ns: f64,
    /// The standard error.
    pub standard_error_ns: f64,
}

/// The model A (1 − exp(−d / τ)) of the error after a delay d: each cached line that the rest of the request needs is lost
/// after an exponentially distributed time with the mean τ, and A is the cost when all are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheCooling {
    /// A, ns.
    pub amplitude_ns: f64,
    /// τ, ns.
    pub time_constant_ns: f64,
}

impl CacheCooling {
    /// Returns the model with the smallest sum of squared errors, each divided by its standard error. `None` for fewer than
    /// two delays, or without a standard error above 0.
    #[must_use]
    pub fn fit(points: &[DelayError]) -> Option<Self> {
        if points.len() < 2 || points.iter().any(|point| point.standard_error_ns <= 0.0) {
            return None;
        }
        let (mut time_constant_ns, largest_ns) = TIME_CONSTANTS_NS;
        let mut best: Option<(f64, Self)> = None;
        while time_constant_ns <= largest_ns {
            let model = Self::with_time_constant(points, time_constant_ns);
            let loss = model.loss(points);
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, model));
            }
            time_constant_ns *= STEP;
        }
        best.map(|(_, model)| model)
    }

    /// Returns the best model with a time constant: the amplitude is linear in the errors.
    fn with_time_constant(points: &[DelayError], time_constant_ns: f64) -> Self {
        let shape = |point: &DelayError| -(-point.delay_ns / time_constant_ns).exp_m1();
        let sum = |term: &dyn Fn(&DelayError) -> f64| -> f64 {
            let terms = points.iter().map(|point| term(point) / point.standard_error_ns.powi(2));
            terms.sum()
        };
        Self {
            amplitude_ns: sum(&|point| shape(point) * point.error_ns) / sum(&|point| shape(point).powi(2)),
            time_constant_ns,
        }
    }

    fn loss(&self, points: &[DelayError]) -> f64 {
        let deviations = points
            .iter()
            .map(|point| (point.error_ns - self.at(point.delay_ns)) / point.standard_error_ns);
        deviations.map(|deviation| deviation * deviation).sum()
    }

    /// Returns the error after a delay, ns.
    #[must_use]
    pub fn at(&self, delay_ns: f64) -> f64 {
        -self.amplitude_ns * (-delay_ns / self.time_constant_ns).exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(model: CacheCooling) -> Vec<DelayError> {
        let delays_ns = [2_000.0, 10_000.0, 50_000.0];
        let point = |delay_ns| DelayError {
            delay_ns,
            error_ns: model.at(delay_ns),
            standard_error_ns: 10.0 + delay_ns / 1e3,
        };
        delays_ns.map(point).to_vec()
    }

    #[test]
    fn the_model_is_found_from_three_delays_and_holds_for_others() {
        let true_model = CacheCooling {
            amplitude_ns: 700.0,
            time_constant_ns: 47_000.0,
        };
        let found = CacheCooling::fit(&points(true_model)).unwrap();
        for delay_ns in [1_000.0, 5_000.0, 20_000.0, 100_000.0] {
            let (found_ns, true_ns) = (found.at(delay_ns), true_model.at(delay_ns));
            assert!(
                (found_ns / true_ns - 1.0).abs() < 0.01,
                "{delay_ns}: {found_ns}, {true_ns}"
            );
        }
    }

    #[test]
    fn the_model_of_recorded_errors_agrees_with_scipy() {
        // scipy.optimize.curve_fit of the errors of METHODOLOGY.md, section Known delays: A = 727.26 ns, τ = 46,743 ns.
        let recorded = [(2_000.0, 56.6, 74.2), (10_000.0, 129.4, 91.2), (50_000.0, 479.2, 142.1)];
        let found = CacheCooling::fit(&recorded.map(|(delay_ns, error_ns, standard_error_ns)| DelayError {
            delay_ns,
            error_ns,
            standard_error_ns,
        }));
        let found = found.unwrap();
        assert!((found.amplitude_ns / 727.26 - 1.0).abs() < 0.01, "{found:?}");
        assert!((found.time_constant_ns / 46_743.0 - 1.0).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn too_few_or_exact_points_give_no_model() {
        let model = CacheCooling {
            amplitude_ns: 1.0,
            time_constant_ns: 1e4,
        };
        let mut points = points(model);
        assert_eq!(CacheCooling::fit(&points[..1]), None);
        points[0].standard_error_ns = 0.0;
        assert_eq!(CacheCooling::fit(&points), None);
    }
}
