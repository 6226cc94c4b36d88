//! Counts tests from the output of `cargo test`.

use std::fmt;

/// Tests that passed, failed and were skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Whether a step ran tests, so that a count of 0 is an error.
    pub(super) expected: bool,
    pub(super) passed: u64,
    pub(super) failed: u64,
    /// Tests that `#[ignore]` marks, without those of the second tier.
    ignored: u64,
    /// Tests that `#[ignore = "second tier: …"]` marks.
    pub(super) second_tier: u64,
    /// `name: reason` of each test whose prerequisites are missing.
    pub(super) skipped: Vec<String>,
    /// `name: reason` of each step that could not run.
    pub(super) skipped_steps: Vec<String>,
    /// The messages of failed tests as the harness prints them.
    pub(super) failures: Vec<String>,
    /// True if the next lines belong to messages of failed tests.
    in_failures: bool,
}

/// The beginning of the reason in `#[ignore = "…"]` of a test in the second tier.
const SECOND_TIER: &str = "... ignored, second tier";

impl Count {
    /// Takes in one line of output. Each test binary ends with `test result: …`. A test that cannot run prints
    /// `SKIPPED: name: reason` and returns, which Rust's harness counts as passed.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(skipped) = line.strip_prefix("SKIPPED: ") {
            self.skipped.push(skipped.to_owned());
        }
        if line.starts_with("test ") && line.contains(SECOND_TIER) {
            self.second_tier += 1;
        }
        let Some(result) = line.strip_prefix("test result: ") else {
            // The harness prints two lists of this name, the second of which holds names only.
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
        let ignored = self.ignored.saturating_sub(self.second_tier);
        write!(
            formatter,
            "{} passed, {} failed, {} skipped",
            self.passed.saturating_sub(skipped),
            self.failed,
            ignored + skipped + self.skipped_steps.len() as u64
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn messages_of_failed_tests_are_kept_and_nothing_else() {
        let mut count = Count::default();
        let printed = "successes:\n\n---- good stdout ----\nfine\n\nfailures:\n\n---- bad stdout ----\nleft: 1\n\n\
                       failures:\n    bad\n\ntest result: FAILED. 1 passed; 1 failed\n---- later stdout ----\n";
        printed.lines().for_each(|line| count.read(line));
        assert_eq!(count.failures, ["---- bad stdout ----", "left: 1", "    bad"]);
    }

    #[test]
    fn all_binaries_are_summed_and_skipped_tests_are_not_passed() {
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

    #[test]
    fn tests_of_the_second_tier_are_counted_apart() {
        let mut count = Count::default();
        for line in [
            "test kills ... ignored, second tier: 200 kills",
            "test other ... ignored, needs a licence",
            "test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.11s",
        ] {
            count.read(line);
        }
        assert_eq!(
            (count.second_tier, count.to_string().as_str()),
            (1, "3 passed, 0 failed, 1 skipped")
        );
    }
}
