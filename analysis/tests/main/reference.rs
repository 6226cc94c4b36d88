//! Reference values of other programs, which the scripts in `tests/reference` computed, and the comparison with them.

use serde_json::Value;

/// Parses the reference values that a test includes with `include_str!`.
pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the reference is JSON")
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

pub(crate) fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

/// Panics unless `found` differs from `expected` by at most the share `relative` of `expected`.
#[track_caller]
pub(crate) fn assert_within(what: &str, found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs().max(1e-300),
        "{what}: {found} instead of {expected}"
    );
}

/// Panics unless both numbers agree to nine digits. Numbers below 1e-9 agree if they differ by at most 1e-18.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1e-9),
        "{what}: {found} instead of {expected}"
    );
}
