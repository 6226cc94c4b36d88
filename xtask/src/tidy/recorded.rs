//! The size of the recorded runs.

/// The limit for all recorded runs together, in bytes.
const MOST_BYTES: u64 = 40_000_000;

/// Checks the size of the recorded runs; `files` are paths with their sizes in bytes.
pub(super) fn small(files: &[(String, u64)]) -> Option<String> {
    let recorded = files.iter().filter(|(path, _)| path.starts_with("data/reference/"));
    let bytes: u64 = recorded.map(|(_, bytes)| bytes).sum();
    (bytes > MOST_BYTES).then(|| {
        format!("data/reference: {bytes} bytes, at most {MOST_BYTES}; record fewer rounds, or leave tables out by `dataset slim`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_recorded_counts() {
        let files = |bytes| {
            [
                ("data/reference/r01/a".to_owned(), bytes),
                ("data/other".to_owned(), MOST_BYTES),
            ]
        };
        assert_eq!(small(&files(MOST_BYTES)), None);
        assert!(small(&files(MOST_BYTES + 1)).unwrap().contains("dataset slim"));
    }
}
