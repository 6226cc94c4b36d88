//! Counting tests by the lines that `cargo test` prints.

use std::fmt;

/// Tests that passed, failed, and were skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
    /// `name: reason` of each test that found its prerequisites missing.
    pub(super) skipped: Vec<String>,
    /// `name: reason` of each other check that could not be made.
    pub(super) skipped_steps: Vec<String>,
    /// What failed tests said, as the harness prints it.
    pub(super) failures: Vec<String>,
    /// Whether the lines that come are such.
    in_failures: bool,
}

impl Count {
    /// Takes in one line of output. Each test binary closes with `test result: …`; a test that could not run prints
    /// `SKIPPED: name: reason` and returns, for which Rust's harness has no word but "passed".
    pub(super) fn read(&mut self, line: &str) {
        if let Some(skipped) = line.strip_prefix("SKIPPED: ") {
            self.skipped.push(skipped.to_owned());
        }
        let Some(result) = line.strip_prefix("test result: ") else {
            // The harness has two lists of this name, the second of names alone.
            self.in_failures |= line == "failures:";
            if self.in_failures && !line.is_empty() && line != "failures:" {
                self.failures.push(line.to_owned());
            }
            return;
        };
        self.in_failures = false;
        let words: Vec<&str> = result.split([' ', ';', '.']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.skipped.len() as u64;
        write!(
            formatter,
            "{} passed, {} failed, {} skipped",
            self.passed.saturating_sub(skipped),
            self.failed,
            self.ignored + skipped + self.skipped_steps.len() as u64
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn what_failed_tests_said_is_kept_and_nothing_else() {
        let mut count = Count::default();
        let printed = "successes:\n\n---- good stdout ----\nfine\n\nfailures:\n\n---- bad stdout ----\nleft: 1\n\n\
                       failures:\n    bad\n\ntest result: FAILED. 1 passed; 1 failed\n---- later stdout ----\n";
        printed.lines().for_each(|line| count.read(line));
        assert_eq!(count.failures, ["---- bad stdout ----", "left: 1", "    bad"]);
    }

    #[test]
    fn sums_all_binaries_and_takes_skipped_tests_out_of_the_passed() {
        let mut count = Count::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.11s",
            "SKIPPED: bridge: no permission to make namespaces",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test some::test ... ok",
        ] {
            count.read(line);
        }
        assert_eq!(count.skipped, ["bridge: no permission to make namespaces"]);
        assert_eq!(count.to_string(), "4 passed, 1 failed, 2 skipped");
    }
}
