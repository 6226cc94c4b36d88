//! Notebooks without their kernel: the cells of each become the body of a program.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::paths;
use crate::programs::{Program, cargo};

/// The folder of the programs in cargo's target folder.
const FOLDER: &str = "notebooks";

/// Compiles the notebooks as the programs of one crate, with the profile that `cargo test` uses, so that both share the
/// compiled dependencies.
///
/// # Errors
/// When a file is not a notebook, depends on another crate than this project's, or does not compile.
pub(super) fn compile(notebooks: &[PathBuf]) -> Result<()> {
    let folder = paths::target().join(FOLDER);
    let programs = folder.join("src/bin");
    if programs.exists() {
        std::fs::remove_dir_all(&programs).with_context(|| format!("emptying {}", programs.display()))?;
    }
    std::fs::create_dir_all(&programs).with_context(|| format!("making {}", programs.display()))?;
    let mut dependencies: Vec<String> = Vec::new();
    for path in notebooks {
        let (needs, program) = program(&read(path)?).with_context(|| path.display().to_string())?;
        dependencies.extend(needs);
        std::fs::write(programs.join(name(path)).with_extension("rs"), program)?;
    }
    dependencies.sort();
    dependencies.dedup();
    let manifest = format!(
        "[package]\nname = \"notebooks\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}\n\n{}",
        dependencies.join("\n"),
        profiles()?
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    // The notebooks depend on the same versions as the workspace.
    std::fs::copy("Cargo.lock", folder.join("Cargo.lock")).context("copying Cargo.lock")?;
    cargo()
        .args(["build", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(paths::target())
        .run()
}

/// Runs a compiled notebook in the folder of the notebooks, and returns its standard output.
///
/// # Errors
/// When a cell fails or panics.
pub(super) fn run(notebook: &Path) -> Result<String> {
    let program = std::path::absolute(paths::target().join("debug").join(name(notebook)))?;
    let program = Program::new(program);
    eprintln!("$ {}", program.shown());
    let folder = notebook.parent().unwrap_or(Path::new("."));
    let output = program.expression().dir(folder).stdout_capture().unchecked().run()?;
    program.succeeded(output.status)?;
    String::from_utf8(output.stdout).context("its output is not UTF-8")
}

/// Returns the notebook as JSON.
///
/// # Errors
/// When the file cannot be read or is not JSON.
pub(super) fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a notebook", path.display()))
}

fn name(notebook: &Path) -> String {
    format!(
        "notebook-{}",
        notebook.file_stem().unwrap_or_default().to_string_lossy()
    )
}

/// Returns the profiles of the workspace as lines of a manifest.
fn profiles() -> Result<String> {
    let manifest: toml::Table = std::fs::read_to_string("Cargo.toml")
        .context("reading Cargo.toml")?
        .parse()?;
    let profiles = manifest.into_iter().filter(|(key, _)| key == "profile");
    Ok(toml::to_string(&profiles.collect::<toml::Table>())?)
}

/// Returns the dependencies of a notebook as lines of a manifest, and its cells as a program.
fn program(notebook: &Value) -> Result<(Vec<String>, String)> {
    let cells = notebook["cells"].as_array().context("it has no cells")?;
    let mut needs = Vec::new();
    let mut body = String::new();
    for cell in cells.iter().filter(|cell| cell["cell_type"] == "code") {
        let lines = cell["source"]
            .as_array()
            .context("the source of a cell is not a list of lines")?;
        for line in lines.iter().filter_map(Value::as_str) {
            match line.trim().strip_prefix(':') {
                Some(command) => needs.extend(dependency(command)?),
                None => body += line,
            }
        }
        _ = writeln!(body);
    }
    let mut code = body.lines();
    if let Some(line) = code.find(|line| line.trim_start().starts_with("fn ")) {
        bail!("`{line}` defines a function; put it into analysis or report");
    }
    let program =
        format!("#![allow(unused)]\nfn main() -> Result<(), Box<dyn std::error::Error>> {{\n{body}\nOk(())\n}}\n");
    Ok((needs, program))
}

/// Returns the dependency of a kernel command (`:dep`); `None` for other commands, which have no meaning for a
/// compiler.
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
        let defines = json!({"cells": [{"cell_type": "code", "source": ["fn mean() {}"]}]});
        assert!(
            program(&defines)
                .unwrap_err()
                .to_string()
                .contains("defines a function")
        );
    }
}
