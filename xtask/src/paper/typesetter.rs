//! Typst: the program where there is one, else PyPI's package of it in a virtual environment of our own.

use std::path::Path;

use anyhow::{Context, Result};

use crate::paths;
use crate::programs::{Program, find};
use crate::python::Environment;

const SOURCE: &str = "paper/main.typ";
const FONTS: &str = "analysis/fonts";
const TYPST: Environment = Environment {
    name: "typst",
    requirements: "paper/requirements.txt",
    purpose: "sets the paper",
};

/// Compiles the paper.
///
/// # Errors
/// When a value is missing, which the message names, or no Typst can be had.
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
