//! The size of the recorded runs.

/// The limit for all recorded runs together, in bytes.
const MOST_BYTES: u64 = 120_000_000;

/// Returns a message if the recorded runs among `paths` exceed the limit. `size` returns the size of a file in bytes.
pub(super) fn small(paths: &[String], size: impl Fn(&str) -> u64) -> Option<String> {
    let recorded = paths.iter().filter(|path| path.starts_with("data/reference/"));
    let bytes: u64 = recorded.map(|path| size(path)).sum();
    (bytes > MOST_BYTES).then(|| {
        format!("data/reference: {bytes} bytes, at most {MOST_BYTES}; record fewer rounds, or leave tables out by `dataset slim`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_recorded_counts() {
        let paths = ["data/reference/r01/a", "data/other"].map(str::to_owned);
        assert_eq!(small(&paths, |_| MOST_BYTES), None);
        assert!(small(&paths, |_| MOST_BYTES + 1).unwrap().contains("dataset slim"));
    }
}
