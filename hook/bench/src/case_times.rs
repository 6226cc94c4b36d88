//! Values of several quantities that were measured in the same rounds.

use std::fmt::Write as _;

/// Name and values of one quantity, one value for each round, ns.
#[derive(Debug)]
pub(crate) struct CaseTimes {
    pub(crate) name: String,
    pub(crate) values_ns: Vec<f64>,
}

/// Returns the lower quartile, the median and the upper quartile.
fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted[(sorted.len() - 1) * quarter / 4])
}

/// Returns a table with a line for each quantity: median and quartiles, and its difference from and ratio to the
/// quantity `base` of the same round.
pub(crate) fn table(title: &str, all: &[CaseTimes], base: &str) -> String {
    let mut text = format!("{title}\n");
    let width = all.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    let base_values = all
        .iter()
        .find(|one| one.name == base)
        .map_or(&[][..], |one| &one.values_ns);
    _ = writeln!(
        text,
        "  {:width$}  {:>9}  {:>17}  {:>28}  {:>22}",
        "",
        "ns",
        "quartiles",
        format!("minus {base}"),
        "ratio"
    );
    for one in all {
        let [low, median, high] = quartiles(&one.values_ns);
        let pairs = || one.values_ns.iter().zip(base_values);
        let [less, difference, more] = quartiles(&pairs().map(|(value, base)| value - base).collect::<Vec<_>>());
        let [under, ratio, over] = quartiles(&pairs().map(|(value, base)| value / base).collect::<Vec<_>>());
        _ = writeln!(
            text,
            "  {:width$}  {median:9.1}  {:>17}  {:>28}  {:>22}",
            one.name,
            format!("{low:.1} to {high:.1}"),
            format!("{difference:+.1} ({less:+.1} to {more:+.1})"),
            format!("{ratio:.2} ({under:.2} to {over:.2})")
        );
    }
    text
}
