//! `cargo xtask test`: all that CI runs, ending with the count of tests.

use anyhow::{Result, bail};
use duct::cmd;

/// Tests that passed, failed, and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Runs every check.
///
/// # Errors
/// When one of them fails.
pub(crate) fn run() -> Result<()> {
    step("formatting");
    cmd!("cargo", "fmt", "--all", "--check").run()?;
    step("lints");
    cmd!(
        "cargo",
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings"
    )
    .run()?;
    step("hook");
    cmd!("cargo", "build", "--profile", "hook", "-p", "readhook").run()?;
    step("documentation");
    cmd!("cargo", "doc", "--workspace", "--no-deps")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    step("tests");
    let output = cmd!("cargo", "test", "--workspace", "--no-fail-fast", "--", "--show-output")
        .stdout_capture()
        .unchecked()
        .run()?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    let count = count(&text);
    for skipped in text.lines().filter(|line| line.starts_with("SKIPPED: ")) {
        println!("{skipped}");
    }
    println!(
        "{} passed, {} failed, {} skipped",
        count.passed, count.failed, count.skipped
    );
    if !output.status.success() {
        bail!("tests failed; their output stands above");
    }
    Ok(())
}

fn step(name: &str) {
    eprintln!("== {name}");
}

/// Sums the closing lines of all test binaries. A test that could not run says `SKIPPED: name: reason`, and counts as
/// skipped instead of passed.
fn count(text: &str) -> Count {
    let mut count = Count::default();
    for line in text.lines() {
        if line.starts_with("SKIPPED: ") {
            count.skipped += 1;
        }
        let Some(result) = line.strip_prefix("test result: ") else {
            continue;
        };
        let mut words = result.split([' ', ';']).filter(|word| !word.is_empty()).peekable();
        while let Some(word) = words.next() {
            let Ok(number) = word.parse::<u64>() else { continue };
            match words.peek() {
                Some(&"passed") => count.passed += number,
                Some(&"failed") => count.failed += number,
                Some(&"ignored") => count.skipped += number,
                _ => {}
            }
        }
    }
    count.passed = count
        .passed
        .saturating_sub(text.lines().filter(|line| line.starts_with("SKIPPED: ")).count() as u64);
    count
}

#[cfg(test)]
mod tests {
    use super::{Count, count};

    #[test]
    fn sums_the_closing_lines_and_takes_skipped_tests_out_of_the_passed() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
                    SKIPPED: bridge: no permission to make namespaces\n\
                    test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";
        assert_eq!(
            count(text),
            Count {
                passed: 4,
                failed: 1,
                skipped: 2
            }
        );
    }
}
