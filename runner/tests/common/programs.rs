//! Hooks and servers in C, compiled for a test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `source` of tests/programs.
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

/// The hook that does this to a server, such as `DO_CHANGE`; one that does nothing without it.
pub(crate) fn hook(folder: &Path, name: &str, flag: &str) -> PathBuf {
    compiled(
        "hook.c",
        &folder.join(format!("{name}.so")),
        &["-shared", "-fPIC", flag],
    )
}

/// Whether a program is installed.
pub(crate) fn is_there(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}
