//! `analysis` and `model` have no input and output.

use anyhow::Result;

use super::crates::{Crate, Read};
use super::references::{self, PathReference};

/// Libraries without input and output: their callers read and write.
const PURE: [&str; 2] = ["analysis/src/lib.rs", "model/src/lib.rs"];
/// Modules of the standard library that reach files, the network, other processes and the environment.
const INPUT_AND_OUTPUT: [&str; 4] = ["fs", "net", "process", "env"];
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

/// Returns whether a path names input or output. Addresses, as `std::net::IpAddr` and `std::net::SocketAddr`, are data.
fn reaches_out(path: &[String]) -> bool {
    let part = |index: usize| path.get(index).map_or("", String::as_str);
    SYSTEM_LIBRARIES.contains(&part(0))
        || part(0) == "std" && INPUT_AND_OUTPUT.contains(&part(1)) && !(part(1) == "net" && part(2).contains("Addr"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_and_output_are_found_in_pure_libraries_but_not_in_their_tests() {
        let found = |analysis: &str| {
            let read = |path: &str| Some(if path == PURE[0] { analysis } else { "" }.to_owned());
            pure(&read).unwrap().len()
        };
        let files = "use std::{collections::HashMap, fs::File};\nfn f() { std::process::exit(1) }";
        assert_eq!(found(files), 2);
        assert_eq!(found("use std::net::TcpStream;\nuse nix::unistd::Pid;"), 2);
        assert_eq!(found("use std::fmt; use std::net::{IpAddr, SocketAddr};"), 0);
        assert_eq!(found("use std::fmt; #[cfg(test)] mod tests { use std::fs; }"), 0);
    }
}
