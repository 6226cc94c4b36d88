//! Notebooks compiled without being executed: each becomes a program whose body is its cells.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::paths;
use crate::programs::cargo;

/// In cargo's target folder.
const FOLDER: &str = "notebooks";

/// Compiles them all in one crate.
///
/// # Errors
/// When one is no notebook, depends on something else than the crates of this project, or does not compile.
pub(crate) fn compile(notebooks: &[PathBuf]) -> Result<()> {
    let folder = paths::target().join(FOLDER);
    let programs = folder.join("src/bin");
    if programs.exists() {
        std::fs::remove_dir_all(&programs).with_context(|| format!("emptying {}", programs.display()))?;
    }
    std::fs::create_dir_all(&programs).with_context(|| format!("making {}", programs.display()))?;
    let mut dependencies: Vec<String> = Vec::new();
    for path in notebooks {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let notebook: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is no notebook", path.display()))?;
        let (needs, program) = program(&notebook).with_context(|| path.display().to_string())?;
        dependencies.extend(needs);
        let name = format!("notebook-{}.rs", path.file_stem().unwrap_or_default().to_string_lossy());
        std::fs::write(programs.join(name), program)?;
    }
    dependencies.sort();
    dependencies.dedup();
    let manifest = format!(
        "[package]\nname = \"notebooks\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}\n",
        dependencies.join("\n")
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    // The same versions as everywhere.
    std::fs::copy("Cargo.lock", folder.join("Cargo.lock")).context("copying Cargo.lock")?;
    cargo()
        .args(["check", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(paths::target())
        .run()
}

/// What a notebook depends on, as lines of a manifest, and its cells as a program.
fn program(notebook: &Value) -> Result<(Vec<String>, String)> {
    let cells = notebook["cells"].as_array().context("it has no cells")?;
    let mut needs = Vec::new();
    let mut body = String::new();
    for cell in cells.iter().filter(|cell| cell["cell_type"] == "code") {
        let lines = cell["source"].as_array().context("a cell without lines")?;
        for line in lines.iter().filter_map(Value::as_str) {
            match line.trim().strip_prefix(':') {
                Some(command) => needs.extend(dependency(command)?),
                None => body += line,
            }
        }
        _ = writeln!(body);
    }
    let program =
        format!("#![allow(unused)]\nfn main() -> Result<(), Box<dyn std::error::Error>> {{\n{body}\nOk(())\n}}\n");
    Ok((needs, program))
}

/// A command of the kernel; only `:dep` means something to a compiler.
fn dependency(command: &str) -> Result<Option<String>> {
    let Some(dependency) = command.strip_prefix("dep ") else {
        return Ok(None);
    };
    let inner = "\"../";
    if !dependency.contains(inner) {
        bail!(":dep {dependency}: expected a crate of this project, by its path");
    }
    let root = Path::new(&paths::root()).display().to_string();
    Ok(Some(dependency.replace(inner, &format!("\"{root}/"))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::program;

    #[test]
    fn cells_become_the_body_of_a_program() {
        let notebook = json!({"cells": [
            {"cell_type": "markdown", "source": ["# Not code"]},
            {"cell_type": "code", "source": [":preserve_vars_on_panic 0\n", ":dep report = { path = \"../report\" }"]},
            {"cell_type": "code", "source": ["let one = 1;\n", "println!(\"{one}\");"]},
        ]});
        let (needs, text) = program(&notebook).unwrap();
        assert!(needs.len() == 1 && needs[0].starts_with("report = { path = \"/") && needs[0].ends_with("/report\" }"));
        assert!(text.contains("let one = 1;\nprintln!(\"{one}\");\n\nOk(())"), "{text}");
        let foreign = json!({"cells": [{"cell_type": "code", "source": [":dep rand = \"1\""]}]});
        assert!(program(&foreign).is_err());
    }
}
