//! `cargo xtask fuzz`: runs the tests of the hook's logic and the fuzz targets under an address sanitiser.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::programs::{Program, cargo, find};

/// The fuzz targets, each with its longest input in bytes.
const TARGETS: [(&str, u32); 2] = [("fuzz-scanner", 512), ("fuzz-words", 256)];
/// The feature that builds the fuzz targets.
pub(crate) const FEATURE: &str = "hook-fuzz/libfuzzer";
const WORDS: &str = "hook/words.txt";

/// The libraries whose tests run with every memory access checked.
const CHECKED: [&str; 4] = [
    "readhook-words",
    "readhook-core",
    "readhook-telemetry",
    "readhook-compile",
];

/// The compiler's instrumentation of branches and of compared values.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table \
                        -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

#[derive(clap::Args)]
pub(crate) struct FuzzCommand {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u32,
    /// Stop a target after this many inputs; 0 means no limit
    #[arg(long, default_value_t = 0)]
    pub(crate) inputs: u64,
}

/// Runs the tests and every target.
///
/// # Errors
/// When a target finds an input; the message names the folder of the input.
pub(crate) fn run(arguments: &FuzzCommand) -> Result<()> {
    let triple = possible()?;
    sanitised("test", triple, "")
        .options("--package", CHECKED)
        .args(["--lib", "--tests", "--quiet"])
        .run_aside()?;
    sanitised("build", triple, COVERAGE)
        .args(["--package", "hook-fuzz", "--features", FEATURE])
        .run_aside()?;
    for (target, longest) in TARGETS {
        let program = paths::target().join("fuzz").join(triple).join("release").join(target);
        // The corpus is kept for the next call, which begins with the inputs that reached new branches.
        let corpus = paths::target().join("fuzz/corpus").join(target);
        let found = paths::target().join("fuzz/found").join(target);
        for folder in [&corpus, &found] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let dictionary = dictionary(&paths::target().join("fuzz/words.dict"))?;
        let runs = (arguments.inputs > 0).then(|| format!("-runs={}", arguments.inputs));
        Program::new(program)
            .arg(format!("-max_total_time={}", arguments.seconds))
            .arg(format!("-max_len={longest}"))
            .arg(format!("-dict={dictionary}"))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .args(["-print_final_stats=1", "-verbosity=0"])
            .args(runs)
            .arg(corpus)
            .run_aside()
            .with_context(|| format!("{target} found an input that fails; it lies in {}", found.display()))?;
    }
    println!(
        "no input gives a wrong answer or a bad memory access; repeat with `cargo xtask fuzz --seconds {}`",
        arguments.seconds
    );
    Ok(())
}

/// Returns the target triple of this machine if it can fuzz.
///
/// # Errors
/// When a prerequisite is missing; the error names it.
pub(crate) fn possible() -> Result<&'static str> {
    let Some(triple) = triple() else {
        bail!("the address sanitiser works here on Linux with x86-64 or AArch64 only");
    };
    if !compiler_is_there() {
        bail!("libFuzzer needs a C++ compiler to build; install one (Debian: apt-get install g++)");
    }
    Ok(triple)
}

/// The target triple of this machine, where the compiler has the sanitiser for it.
fn triple() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("x86_64-unknown-linux-gnu"),
        ("linux", "aarch64") => Some("aarch64-unknown-linux-gnu"),
        _ => None,
    }
}

/// Returns true if there is a C++ compiler, which libFuzzer needs.
pub(crate) fn compiler_is_there() -> bool {
    std::env::var_os("CXX").is_some() || find("c++").is_some()
}

/// Returns a cargo command whose products check every memory access. It has a target folder of its own.
fn sanitised(verb: &str, triple: &str, more: &str) -> Program {
    cargo()
        .arg(verb)
        // The stable compiler has the sanitiser, but enables it only with this variable.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("-Zsanitizer=address {more}").trim())
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .args(["--release", "--target", triple, "--target-dir"])
        .arg(paths::target().join("fuzz"))
}

/// Writes the words as a dictionary, from which the fuzzer builds inputs, and returns its path.
fn dictionary(path: &Path) -> Result<String> {
    let list = fs::read(WORDS).with_context(|| format!("cannot read {WORDS}"))?;
    let lines = list.split(|byte| *byte == b'\n').filter(|word| !word.is_empty());
    let text: String = lines
        .map(|word| {
            let bytes: String = word.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("\"{bytes}\"\n")
        })
        .collect();
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.display().to_string())
}
