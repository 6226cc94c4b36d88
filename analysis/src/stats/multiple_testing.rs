//! p values of several tests together.

/// A p value outside of 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("p value {index} (from 0) is {value}: expected a number from 0 to 1")]
pub struct PValueError {
    /// The index of the p value, from 0.
    pub index: usize,
    /// The value.
    pub value: f64,
}

/// p values adjusted by Holm's step-down method, in the order given. Each adjusted value is compared with 5 %. The
/// probability of any false difference among all tests then stays below 5 %. Holm 1979, <https://www.jstor.org/stable/4615733>.
/// Validated against statsmodels (`tests/reference`).
///
/// # Errors
/// When a value is not a number from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a count of contrasts")]
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, PValueError> {
    if let Some((index, &value)) = p_values.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(PValueError { index, value });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|one, other| p_values[*one].total_cmp(&p_values[*other]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (place, &index) in order.iter().enumerate() {
        let left = (p_values.len() - place) as f64;
        least = least.max((left * p_values[index]).min(1.0));
        adjusted[index] = least;
    }
    Ok(adjusted)
}
