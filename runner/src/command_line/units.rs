//! Times as they are given on the command line.

/// A time with its unit, in ns.
pub(crate) fn duration_ns(text: &str) -> Result<f64, String> {
    let digits = text
        .find(|letter: char| letter.is_ascii_alphabetic() || letter == 'µ')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ns = match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "h" => 3600e9,
        _ => return Err("expected a number with a unit: ns, us, ms, s, min, h".to_owned()),
    };
    match number.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number * unit_ns),
        _ => Err(format!("{number:?}: expected a number above 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::duration_ns;

    #[test]
    fn a_time_has_its_unit() {
        assert_eq!(duration_ns("0.2us"), Ok(200.0));
        assert_eq!(duration_ns("2min"), Ok(120e9));
        assert!(duration_ns("5").is_err() && duration_ns("-5us").is_err());
    }
}
