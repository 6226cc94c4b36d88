//! Invariants of source files: `unsafe`, input and output.

use anyhow::Result;

use super::crates::{Crate, Read};
use super::files::TrackedFile;
use super::references::{self, PathReference};

/// The folders and files that may use `unsafe`. The hook is called by C and calls C; the others have one module each for
/// system calls without a safe wrapper.
const UNSAFE: [&str; 4] = [
    "hook/",
    "sut/src/sys.rs",
    "loadgen/src/sys.rs",
    "clusters/isolation/src/sys.rs",
];

fn may_be_unsafe(path: &str) -> bool {
    UNSAFE.iter().any(|allowed| path.starts_with(allowed))
}

fn rust(files: &[TrackedFile]) -> impl Iterator<Item = &TrackedFile> {
    files.iter().filter(|file| file.path.ends_with(".rs"))
}

/// Finds `unsafe` outside of the places that ARCHITECTURE.md names.
pub(super) fn unsafe_only_where_allowed(files: &[TrackedFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in rust(files).filter(|file| !may_be_unsafe(&file.path)) {
        for (number, line) in code_lines(&file.text) {
            if has_word(&line, "unsafe") {
                breaches.push(format!(
                    "{}:{number}: `unsafe` is allowed in {} only; move the code there or use a safe wrapper",
                    file.path,
                    UNSAFE.join(", ")
                ));
            }
        }
    }
    breaches
}

/// Finds crates that need no `unsafe` and do not forbid it at their root.
pub(super) fn unsafe_forbidden_elsewhere(files: &[TrackedFile]) -> Vec<String> {
    rust(files)
        .filter(|file| file.path.ends_with("/src/lib.rs") || file.path.ends_with("/src/main.rs"))
        .filter(|file| {
            let package = file.path.split("/src/").next().unwrap_or_default();
            !file.path.starts_with("hook/") && !UNSAFE.iter().any(|allowed| allowed.starts_with(&format!("{package}/")))
        })
        .filter(|file| !file.text.contains("#![forbid(unsafe_code)]"))
        .map(|file| {
            format!(
                "{}: no `#![forbid(unsafe_code)]`; add it below the crate's docs",
                file.path
            )
        })
        .collect()
}

/// Libraries without input and output: their callers read and write.
const PURE: [&str; 2] = ["analysis/src/lib.rs", "model/src/lib.rs"];
/// Modules of the standard library that reach files, the network, other processes and the environment.
const INPUT_AND_OUTPUT: [&str; 4] = ["fs", "net", "process", "env"];
/// Types of the network module that only hold an address.
const ADDRESSES: [&str; 6] = [
    "SocketAddr",
    "SocketAddrV4",
    "SocketAddrV6",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
];
/// Libraries that reach the kernel, the network or other processes.
const SYSTEM_LIBRARIES: [&str; 4] = ["libc", "nix", "procfs", "tokio"];

/// Finds input and output in the libraries that have none.
///
/// # Errors
/// When a source file is missing or is not Rust.
pub(super) fn pure(read: Read<'_>) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for root in PURE {
        let parsed = Crate::parse(root, read)?;
        for module in &parsed.modules {
            for PathReference { path, line, .. } in references::of(module) {
                if reaches_out(&path) {
                    breaches.push(format!(
                        "{}:{line}: `{}` in a library without input and output; take the data as an argument",
                        parsed.files[module.file],
                        path.join("::")
                    ));
                }
            }
        }
    }
    Ok(breaches)
}

/// Returns whether a path names input or output.
fn reaches_out(path: &[String]) -> bool {
    let part = |index: usize| path.get(index).map_or("", String::as_str);
    SYSTEM_LIBRARIES.contains(&part(0))
        || part(0) == "std"
            && INPUT_AND_OUTPUT.contains(&part(1))
            && !(part(1) == "net" && ADDRESSES.contains(&part(2)))
}

/// The lines with their numbers, without comments and without the text of strings on one line.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, code_of(line)))
}

fn code_of(line: &str) -> String {
    let mut code = String::new();
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => {
                letters.next();
            }
            // The character literal '"' opens nothing.
            '"' if !(code.ends_with('\'') && letters.peek() == Some(&'\'')) => quoted = !quoted,
            '/' if !quoted && letters.peek() == Some(&'/') => break,
            _ if quoted => {}
            _ => code.push(letter),
        }
    }
    code
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Vec<TrackedFile> {
        vec![TrackedFile {
            path: path.into(),
            text: text.into(),
        }]
    }

    #[test]
    fn unsafe_is_found_in_code_but_not_in_comments_and_strings() {
        let talk = "//! No unsafe here.\n#![forbid(unsafe_code)]\nlet x = \"unsafe\"; // unsafe\nlet q = '\"';\n";
        assert!(unsafe_only_where_allowed(&file("report/src/lib.rs", talk)).is_empty());
        let code = "let q = '\"';\nlet x = unsafe { read(0) };\n";
        assert_eq!(unsafe_only_where_allowed(&file("report/src/lib.rs", code)).len(), 1);
        assert!(unsafe_only_where_allowed(&file("hook/core/src/table.rs", code)).is_empty());
        assert!(unsafe_only_where_allowed(&file("loadgen/src/sys.rs", code)).is_empty());
        assert_eq!(unsafe_only_where_allowed(&file("loadgen/src/socket.rs", code)).len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_for_unsafe_forbids_it() {
        assert_eq!(unsafe_forbidden_elsewhere(&file("report/src/lib.rs", "")).len(), 1);
        assert!(unsafe_forbidden_elsewhere(&file("sut/src/main.rs", "")).is_empty());
    }

    #[test]
    fn input_and_output_are_found_in_pure_libraries_but_not_in_their_tests() {
        let found = |analysis: &str| {
            let read = |path: &str| {
                Some(if path == PURE[0] {
                    analysis.to_owned()
                } else {
                    String::new()
                })
            };
            pure(&read).unwrap()
        };
        assert_eq!(
            found("use std::{collections::HashMap, fs::File};\nfn f() { std::process::exit(1) }").len(),
            2
        );
        assert_eq!(found("use std::net::TcpStream;\nuse nix::unistd::Pid;").len(), 2);
        assert!(found("use std::fmt; use std::net::{IpAddr, SocketAddr};").is_empty());
        assert!(found("use std::fmt; #[cfg(test)] mod tests { use std::fs; }").is_empty());
    }
}
