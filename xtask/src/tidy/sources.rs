//! Invariants of source files.

use super::files::TrackedFile;

/// Folders and files that may use `unsafe`. The hook is called by C and calls C; the others hold one module each for
/// system calls that no checked wrapper offers.
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

/// `unsafe` only in the places that ARCHITECTURE.md names.
pub(super) fn unsafe_only_where_allowed(files: &[TrackedFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in rust(files).filter(|file| !may_be_unsafe(&file.path)) {
        for (number, line) in code_lines(&file.text) {
            if has_word(&line, "unsafe") {
                breaches.push(format!(
                    "{}:{number}: `unsafe` is allowed in {} only; move the code there or find a checked wrapper",
                    file.path,
                    UNSAFE.join(", ")
                ));
            }
        }
    }
    breaches
}

/// A crate without a place for `unsafe` forbids it at its root, so that the compiler says so first.
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

/// `analysis` reads no file and opens no connection: its callers do.
pub(super) fn analysis_is_pure(files: &[TrackedFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in rust(files).filter(|file| file.path.starts_with("analysis/src/")) {
        for (number, line) in code_lines(&file.text) {
            for module in ["std::fs", "std::net", "std::process"] {
                if line.contains(module) {
                    breaches.push(format!(
                        "{}:{number}: `{module}` in analysis, which does no I/O; take the data as an argument",
                        file.path
                    ));
                }
            }
        }
    }
    breaches
}

/// Lines with their numbers, without comments and without what stands between quotes on one line.
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
    fn finds_unsafe_in_code_but_not_in_words_about_it() {
        let talk = "//! No unsafe here.\n#![forbid(unsafe_code)]\nlet x = \"unsafe\"; // unsafe\nlet q = '\"';\n";
        assert!(unsafe_only_where_allowed(&file("report/src/lib.rs", talk)).is_empty());
        let code = "let q = '\"';\nlet x = unsafe { read(0) };\n";
        assert_eq!(unsafe_only_where_allowed(&file("report/src/lib.rs", code)).len(), 1);
        assert!(unsafe_only_where_allowed(&file("hook/core/src/table.rs", code)).is_empty());
        assert!(unsafe_only_where_allowed(&file("loadgen/src/sys.rs", code)).is_empty());
        assert_eq!(unsafe_only_where_allowed(&file("loadgen/src/socket.rs", code)).len(), 1);
    }

    #[test]
    fn wants_unsafe_forbidden_where_there_is_no_place_for_it() {
        assert_eq!(unsafe_forbidden_elsewhere(&file("report/src/lib.rs", "")).len(), 1);
        assert!(unsafe_forbidden_elsewhere(&file("sut/src/main.rs", "")).is_empty());
    }

    #[test]
    fn finds_files_in_analysis() {
        assert_eq!(
            analysis_is_pure(&file("analysis/src/a.rs", "use std::fs::File;\n")).len(),
            1
        );
        assert!(analysis_is_pure(&file("report/src/a.rs", "use std::fs::File;\n")).is_empty());
    }
}
