//! Every dependency has its reason in a comment.

use super::files::TrackedFile;

/// Finds dependencies without a reason. A comment gives the reason for the lines below it up to a blank one; the workspace's
/// manifest gives the reason for a dependency that a crate inherits.
pub(super) fn each_with_a_reason(files: &[TrackedFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let (mut within, mut reasoned) = (false, false);
        for (line, number) in file.text.lines().map(str::trim).zip(1..) {
            if line.starts_with('[') {
                within = line.trim_matches(['[', ']']).ends_with("dependencies");
                reasoned = false;
            } else if line.is_empty() {
                reasoned = false;
            } else if line.starts_with('#') {
                reasoned = true;
            } else if within && line.contains('=') && !reasoned && !line.contains(" # ") && !inherited(line) {
                breaches.push(format!(
                    "{}:{number}: `{line}` has no reason; add a comment above it",
                    file.path
                ));
            }
        }
    }
    breaches
}

fn inherited(line: &str) -> bool {
    let line = line.replace(' ', "");
    line.contains(".workspace=true") || line.contains("workspace=true,") || line.contains("{workspace=true}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_covers_the_lines_below_it_up_to_a_blank_one() {
        let text = "[package]\nname = \"x\"\n\n[dependencies]\n# Why.\na.workspace = true\nb = \"1\"\n\nc = \"1\"\n";
        let breaches = each_with_a_reason(&[TrackedFile::new("x/Cargo.toml", text)]);
        assert_eq!(breaches.len(), 1, "{breaches:?}");
        assert!(breaches[0].starts_with("x/Cargo.toml:9: `c = "), "{breaches:?}");
    }
}
