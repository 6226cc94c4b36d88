//! The notation of numbers, paths, texts and ids in SVG. It is short and reproducible.

use std::fmt::Write as _;

/// Returns a coordinate in hundredths of a point, the resolution of all coordinates.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a saturating cast; coordinates are a few hundred points"
)]
fn hundredths(value: f64) -> i64 {
    (value * 100.0).round() as i64
}

/// Returns the text of a number, rounded to hundredths, without unnecessary zeros, such as `12.5` or `-.3`.
pub(super) fn short(value: f64) -> String {
    short_hundredths(hundredths(value))
}

fn short_hundredths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, part) = (value.unsigned_abs() / 100, value.unsigned_abs() % 100);
    match (whole, part) {
        (_, 0) => format!("{sign}{whole}"),
        (0, _) => format!("{sign}.{part:02}").trim_end_matches('0').to_owned(),
        _ => format!("{sign}{whole}.{part:02}").trim_end_matches('0').to_owned(),
    }
}

/// Returns an SVG path with relative coordinates. For long lines it is half as long as a path with absolute
/// coordinates.
pub(super) fn path_data(points: &[(f64, f64)]) -> String {
    let mut data = String::new();
    let mut last = (0, 0);
    for (index, &(x, y)) in points.iter().enumerate() {
        let next = (hundredths(x), hundredths(y));
        let (dx, dy) = (short_hundredths(next.0 - last.0), short_hundredths(next.1 - last.1));
        // A sign, or a leading dot after a number with a dot, separates two numbers. All other numbers need a space
        // between them.
        let gap = |before: &str, number: &str| {
            let separate = number.starts_with('-') || (number.starts_with('.') && before.contains('.'));
            if separate { "" } else { " " }
        };
        match index {
            0 => data.push('m'),
            1 => data.push('l'),
            _ => data.push_str(if dx.starts_with('-') { "" } else { " " }),
        }
        let _ = write!(data, "{dx}{}{dy}", gap(&dx, &dy));
        last = next;
    }
    data
}

/// Returns the text escaped for XML, without the control characters that XML does not allow.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Returns the 64-bit FNV-1a hash. Its definition is fixed, whereas the hash of the standard library may change.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{escape, fnv1a, path_data, short};

    #[test]
    fn numbers_are_short_and_unambiguous() {
        assert_eq!(
            ["12.50", "-0.3", "0", "-0.004", "7"].map(|n| short(n.parse().unwrap())),
            ["12.5", "-.3", "0", "0", "7"]
        );
        assert_eq!(
            path_data(&[(1.0, 2.0), (1.25, 1.5), (1.5, 1.75), (1.0, 2.0)]),
            "m1 2l.25-.5 .25.25-.5.25"
        );
        assert_eq!(path_data(&[(0.0, 0.0), (1.0, 0.5)]), "m0 0l1 .5");
    }

    #[test]
    fn text_cannot_break_out() {
        assert_eq!(
            escape("<a b=\"c\" & 'd'>\u{1}"),
            "&lt;a b=&quot;c&quot; &amp; &#39;d&#39;&gt;"
        );
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vectors of the FNV reference, http://www.isthe.com/chongo/tech/comp/fnv/
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
