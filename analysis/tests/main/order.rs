//! Order effects of made-up samples are found. Samples without an order effect show none.

use analysis::{OrderSamples, Turn, carry_over, turn_effect};

fn launch(number: i64, carried_ns: i64, late_ns: i64) -> OrderSamples {
    let mut samples = OrderSamples::default();
    for (request, noise_ns) in (0..300_usize).zip([0, 1, 2, 3, 4].into_iter().cycle()) {
        let (after, extra_ns) = [("slow", carried_ns), ("other", 0), ("own", 0)][request % 3];
        let turn = [Turn::First, Turn::Middle, Turn::Last][request / 3 % 3];
        let turn_ns = if turn == Turn::Last { late_ns } else { 0 };
        samples.add(after, turn, 16_000 + number * 7 + noise_ns + extra_ns + turn_ns);
    }
    samples
}

#[test]
fn what_was_put_in_is_found() {
    let launches: Vec<OrderSamples> = (0..10).map(|number| launch(number, 200, 0)).collect();
    let launches: Vec<&OrderSamples> = launches.iter().collect();
    let found = carry_over(&launches, "slow", "other").unwrap();
    assert!(
        (found.value - 200.0).abs() < 2.0 && found.confidence_interval.0 > 190.0,
        "{found:?}"
    );
    assert!(carry_over(&launches, "own", "other").unwrap().value.abs() < 2.0);
    assert_eq!(carry_over(&launches, "nobody", "other"), None);
    assert_eq!(carry_over(&launches[..1], "slow", "other"), None);

    let launches: Vec<OrderSamples> = (0..10).map(|number| launch(number, 0, 50)).collect();
    let launches: Vec<&OrderSamples> = launches.iter().collect();
    assert!((turn_effect(&launches).unwrap().value - 50.0).abs() < 2.0);
    assert!(carry_over(&launches, "slow", "other").unwrap().value.abs() < 2.0);
}
