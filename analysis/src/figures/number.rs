//! Numbers as figures print them: U+2212 as minus, thousands separated by a comma.

const MINUS: char = '\u{2212}';

/// `value` with `decimals` places.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut text = String::new();
    // A value that rounds to zero has no sign.
    if value < 0.0 && digits.contains(|digit: char| ('1'..='9').contains(&digit)) {
        text.push(MINUS);
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// [`fixed`] with a plus sign before a value above zero.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let positive = value > 0.0 && text.contains(|digit: char| ('1'..='9').contains(&digit));
    if positive { format!("+{text}") } else { text }
}

/// Places that show a multiple of `step` exactly, where `step` is 1, 2 or 5 times a power of ten.
pub(super) fn decimals_of(step: f64) -> usize {
    let exponent = (step.abs().log10() + 1e-9).floor();
    places(-exponent)
}

/// Places that show two digits of `width`, the precision that an interval of that half-width deserves.
pub(super) fn decimals_for_precision(width: f64) -> usize {
    if width > 0.0 && width.is_finite() {
        places(1.0 - (width.log10() + 1e-9).floor())
    } else {
        2
    }
}

/// The number of decimals, 0 to 6.
#[expect(
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "clamped to 0..=6 before the cast"
)]
fn places(count: f64) -> usize {
    count.clamp(0.0, 6.0) as usize
}

#[cfg(test)]
mod tests {
    use super::{decimals_for_precision, decimals_of, fixed, signed};

    #[test]
    fn thousands_are_separated_and_minus_is_a_minus() {
        assert_eq!(fixed(0.0, 0), "0");
        assert_eq!(fixed(999.0, 0), "999");
        assert_eq!(fixed(10_000.0, 0), "10,000");
        assert_eq!(fixed(-1_234_567.891, 2), "\u{2212}1,234,567.89");
        assert_eq!(fixed(-0.004, 2), "0.00");
    }

    #[test]
    fn signs_show_the_direction() {
        assert_eq!(signed(0.236, 2), "+0.24");
        assert_eq!(signed(-0.18, 2), "\u{2212}0.18");
        assert_eq!(signed(0.001, 2), "0.00");
    }

    #[test]
    fn places_follow_the_step_or_the_precision() {
        assert_eq!([1.0, 0.1, 0.5, 0.02, 100.0].map(decimals_of), [0, 1, 1, 2, 0]);
        assert_eq!(
            [0.05, 0.12, 3.0, 42.0, 0.0].map(decimals_for_precision),
            [3, 2, 1, 0, 2]
        );
    }
}
