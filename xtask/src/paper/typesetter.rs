//! Typst: the program where it is installed, else the Python package in a virtual environment of this project.

use std::path::Path;

use anyhow::{Context, Result};

use crate::paths;
use crate::programs::{Program, find};
use crate::python::PythonEnvironment;

const SOURCE: &str = "paper/main.typ";
const FONTS: &str = "analysis/fonts";
const TYPST: PythonEnvironment = PythonEnvironment {
    name: "typst",
    requirements: "paper/requirements.txt",
    purpose: "compiles the paper",
};

/// Compiles the paper.
///
/// # Errors
/// When the paper reads a missing value, which the message names, or Typst cannot be installed.
pub(super) fn compile(output: &Path) -> Result<()> {
    if find("typst").is_some() {
        return Program::new("typst")
            .args(["compile", "--root", ".", "--font-path", FONTS, SOURCE])
            .arg(output)
            .run();
    }
    let python = TYPST.provide(&paths::cache()?)?;
    Program::new(python)
        .args(["paper/compile.py", ".", SOURCE, FONTS])
        .arg(output)
        .run()
        .context("the paper does not compile")
}
