//! A distribution against the sorted list of the same values.

use analysis::Distribution;
use model::Location;
use proptest::prelude::*;

/// Values as they come: many alike, some far away, some negative.
fn values() -> impl Strategy<Value = Vec<i64>> {
    let value = prop_oneof![6 => 20_000_i64..23_000, 2 => -5_000_i64..5_000, 1 => -(1_i64 << 40)..(1_i64 << 40)];
    prop::collection::vec(value, 1..600)
}

/// Type 7 by the book, from a sorted list.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length lies between 0 and the length"
)]
fn quantile(sorted: &[i64], p: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * p;
    let below = position.floor() as usize;
    let (low, high) = (sorted[below], *sorted.get(below + 1).unwrap_or(&sorted[below]));
    low as f64 + (high - low) as f64 * (position - below as f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equals_a_sorted_list(values in values(), p in 0.0..=1.0_f64) {
        let distribution: Distribution = values.iter().copied().collect();
        let mut sorted = values;
        sorted.sort_unstable();
        prop_assert_eq!(distribution.len(), sorted.len() as u64);
        prop_assert_eq!(distribution.min(), sorted.first().copied());
        prop_assert_eq!(distribution.max(), sorted.last().copied());
        prop_assert_eq!(distribution.sum(), sorted.iter().map(|&value| i128::from(value)).sum::<i128>());
        for p in [p, 0.0, 0.25, 0.5, 0.75, 0.99, 1.0] {
            prop_assert_eq!(distribution.quantile(p), Some(quantile(&sorted, p)), "p = {}", p);
        }
        let listed: Vec<i64> = distribution
            .iter()
            .flat_map(|(value, times)| std::iter::repeat_n(value, usize::try_from(times).unwrap()))
            .collect();
        prop_assert_eq!(listed, sorted);
    }

    #[test]
    fn merging_equals_inserting_all(one in values(), other in values()) {
        let mut merged: Distribution = one.iter().copied().collect();
        merged.merge(&other.iter().copied().collect());
        let all: Distribution = one.into_iter().chain(other).collect();
        prop_assert_eq!(&merged, &all);
        prop_assert_eq!(merged.mean(), all.mean());
        prop_assert_eq!(merged.variance(), all.variance());
    }
}

#[test]
fn pages_that_became_dense_count_alike() {
    let mut distribution = Distribution::new();
    for round in 1..=3_u64 {
        for value in -1_500..1_500 {
            distribution.insert_times(value, round);
        }
    }
    assert_eq!(distribution.len(), 18_000);
    assert!(distribution.iter().eq((-1_500..1_500).map(|value| (value, 6))));
    assert_eq!(distribution.quantile(0.5), Some(-0.5));
}

#[test]
fn an_empty_distribution_has_no_numbers() {
    let empty = Distribution::new();
    assert!(empty.is_empty());
    assert_eq!((empty.min(), empty.max()), (None, None));
    assert_eq!(
        (
            empty.mean(),
            empty.variance(),
            empty.quantile(0.5),
            empty.trimmed_mean(0.1)
        ),
        (None, None, None, None)
    );
    for location in [Location::Median, Location::Mean, Location::TrimmedMean, Location::P99] {
        assert_eq!(empty.location(location), None);
    }
}

#[test]
fn shares_out_of_range_are_refused() {
    let distribution: Distribution = [1, 2, 3].into_iter().collect();
    for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(distribution.quantile(p), None);
        assert_eq!(distribution.trimmed_mean(p), None);
    }
    assert_eq!(distribution.trimmed_mean(0.5), None);
}

#[test]
fn the_extremes_of_i64_do_not_overflow() {
    let distribution: Distribution = [i64::MIN, i64::MAX, i64::MAX, i64::MIN].into_iter().collect();
    assert_eq!(distribution.mean(), Some(-0.5));
    assert_eq!(distribution.quantile(0.0), Some(-9.223_372_036_854_776e18));
    assert!(distribution.variance().is_some_and(f64::is_finite));
}

#[test]
fn one_value_has_no_variance() {
    let distribution: Distribution = [5].into_iter().collect();
    assert_eq!((distribution.mean(), distribution.variance()), (Some(5.0), None));
}

#[test]
fn the_median_s_standard_error_is_that_of_its_order_statistics() {
    let mut distribution = Distribution::new();
    assert_eq!(distribution.median_standard_error(), None);
    // 0, 10, …, 100,000: one standard deviation of the count below the median is 50 ranks, each 10 wide.
    for value in 0..10_001 {
        distribution.insert(value * 10);
    }
    let error = distribution.median_standard_error().unwrap();
    assert!((error - 500.0).abs() < 0.1, "{error}");
}
