//! Hooks and servers in C, compiled for a test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles a file, by its name in tests/programs or its absolute path.
pub(crate) fn compiled(source: &str, to: &Path, flags: &[&str]) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(source);
    let status = Command::new("cc")
        .args(flags)
        .args(["-O1", "-o"])
        .arg(to)
        .arg(from)
        .args(["-ldl", "-pthread"])
        .status();
    assert!(status.unwrap().success(), "{source} {flags:?}");
    to.to_owned()
}

/// Compiles the hook that changes a server as the flag says, such as `-DDO_CHANGE`.
pub(crate) fn hook(folder: &Path, name: &str, flag: &str) -> PathBuf {
    compiled(
        "hook.c",
        &folder.join(format!("{name}.so")),
        &["-shared", "-fPIC", flag],
    )
}

/// Returns true if a program is installed.
pub(crate) fn is_there(program: &str) -> bool {
    which::which(program).is_ok()
}
