//! `cargo xtask notebooks`: executes the notebooks without a browser and exports them as HTML.

mod cells;
mod drawings;
mod guard;
mod kernel;
mod outputs;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::programs::Program;
use crate::python::PythonEnvironment;

/// The folder of the notebooks.
const NOTEBOOKS: &str = "notebooks";
/// nbconvert with its dependencies.
const NBCONVERT: PythonEnvironment = PythonEnvironment {
    name: "nbconvert",
    requirements: "notebooks/requirements.txt",
    purpose: "executes the notebooks",
};
/// The limit of a cell's time, in seconds. The first cell compiles the project and its dependencies.
const CELL_TIMEOUT_S: u32 = 1_800;

#[derive(clap::Args)]
pub(crate) struct NotebooksCommand {
    /// Notebooks to execute [default: all in notebooks/]
    #[arg(value_parser = paths::from_here)]
    notebooks: Vec<PathBuf>,
    /// Only install the programs that execute them
    #[arg(long, conflicts_with = "notebooks")]
    tools: bool,
}

/// Executes the notebooks that the command line names.
///
/// # Errors
/// When the tools cannot be installed, or a cell fails or prints to standard error.
pub(crate) fn run(arguments: &NotebooksCommand) -> Result<()> {
    if arguments.tools {
        return provide(&paths::cache()?).map(drop);
    }
    if !paths::study_is_there() {
        bail!(
            "the notebooks read {}, which is not imported; run `cargo xtask import ssp2023`",
            paths::STUDY
        );
    }
    if arguments.notebooks.is_empty() {
        return all();
    }
    execute(&arguments.notebooks)
}

/// Executes all notebooks. The 2023 study must be imported.
///
/// # Errors
/// The errors of [`run`].
pub(crate) fn all() -> Result<()> {
    execute(&every()?)
}

/// Compiles the cells of all notebooks as programs, runs these, and compares their figures with the figures of the
/// command line. This needs no kernel; to build the kernel takes minutes.
///
/// # Errors
/// When a cell does not compile or fails, or a figure differs.
pub(crate) fn as_programs() -> Result<()> {
    let notebooks = every()?;
    cells::compile(&notebooks)?;
    for path in &notebooks {
        cells::run(path)
            .and_then(|page| drawings::check(&cells::read(path)?, &page, drawings::drawn))
            .with_context(|| format!("notebook {}", path.display()))?;
    }
    Ok(())
}

fn every() -> Result<Vec<PathBuf>> {
    let mut notebooks: Vec<PathBuf> = std::fs::read_dir(NOTEBOOKS)
        .with_context(|| format!("listing {NOTEBOOKS}"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "ipynb"))
        .collect();
    notebooks.sort();
    Ok(notebooks)
}

/// The tools by name, with their paths where they are installed.
pub(crate) fn tools() -> [(&'static str, Result<Option<PathBuf>>); 2] {
    let there = |path: Result<PathBuf>| path.map(|path| Some(path).filter(|path| path.is_file()));
    [
        (
            "evcxr_jupyter",
            there(paths::cache().map(|cache| kernel::binary(&cache))),
        ),
        ("nbconvert", there(paths::cache().map(|cache| NBCONVERT.marker(&cache)))),
    ]
}

/// Returns true if the tools are installed, so that nothing has to be built first.
pub(crate) fn can_begin_at_once() -> bool {
    tools().iter().all(|(_, tool)| matches!(tool, Ok(Some(_))))
}

/// Installs missing tools and returns the Python that has nbconvert.
fn provide(cache: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(cache).with_context(|| format!("making the cache folder {}", cache.display()))?;
    // Two processes that begin at once share the cache: the second waits for the first.
    let lock = File::create(cache.join("lock")).with_context(|| format!("writing to {}", cache.display()))?;
    lock.lock()
        .context("waiting for another process that installs the tools")?;
    kernel::provide(cache)?;
    NBCONVERT.provide(cache)
}

fn execute(notebooks: &[PathBuf]) -> Result<()> {
    let cache = paths::cache()?;
    let python = provide(&cache)?;
    let out = Path::new(paths::REPORTS).join("notebooks");
    std::fs::create_dir_all(&out).with_context(|| format!("making {}", out.display()))?;
    for notebook in notebooks {
        one(&cache, &python, notebook, &out).with_context(|| format!("notebook {}", notebook.display()))?;
    }
    Ok(())
}

/// Executes one notebook, checks the outputs of its cells, and exports it.
fn one(cache: &Path, python: &Path, notebook: &Path, out: &Path) -> Result<()> {
    let stem = notebook
        .file_stem()
        .context("the path of a notebook ends in a file name")?
        .to_string_lossy();
    // Below `out`, so that finished files can be renamed into it.
    let unfinished = tempfile::Builder::new()
        .prefix(".unfinished-")
        .tempdir_in(out)
        .with_context(|| format!("writing to {}", out.display()))?;
    let root = paths::root();
    // One folder for all notebooks of a clone, so that they share the compiled dependencies.
    let build = cache.join("evcxr-builds").join(format!("{:016x}", mark(&root)));
    kernel::prepare(&build)?;
    eprintln!(
        "executing {} (compiles the project: minutes the first time, then seconds)",
        notebook.display()
    );
    let start = Instant::now();
    let executed = format!("{stem}.ipynb");
    let path = unfinished.path().join(&executed);
    let original = std::fs::read_to_string(notebook)?;
    // The copy is in the notebook's folder, because the kernel resolves the paths in cells from the folder of the
    // file.
    let copy = tempfile::Builder::new()
        .prefix(".marked-")
        .suffix(".tmp")
        .tempfile_in(notebook.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(copy.path(), guard::marked(&original)?.to_string())?;
    nbconvert(cache, python)
        .env("EVCXR_TMPDIR", &build)
        .args(["--to", "notebook", "--execute"])
        .arg(format!("--ExecutePreprocessor.kernel_name={}", kernel::NAME))
        // Recorded times would make two executions differ.
        .arg("--ExecutePreprocessor.record_timing=False")
        .arg(format!("--ExecutePreprocessor.timeout={CELL_TIMEOUT_S}"))
        // Keeps the outputs of the cells before a failed cell; `outputs` reports the failure.
        .arg("--allow-errors")
        .arg("--output-dir")
        .arg(unfinished.path())
        .args(["--output", &executed])
        .arg(copy.path())
        .run_aside()?;
    let notebook = guard::unmarked(&std::fs::read_to_string(&path)?, &original)?;
    outputs::check(&notebook)?;
    if paths::binary("report").is_file() {
        drawings::check(&notebook, &drawings::page(&notebook), drawings::drawn)?;
    } else {
        eprintln!("not compared with the figures of `cargo xtask figures`: report is not built");
    }
    std::fs::write(&path, format!("{notebook:#}\n"))?;
    let page = format!("{stem}.html");
    nbconvert(cache, python)
        .args(["--to", "html"])
        // Nothing in the page needs these scripts, so the page works without a network.
        .args(["--HTMLExporter.require_js_url=", "--HTMLExporter.mathjax_url="])
        .arg("--HTMLExporter.jquery_url=")
        .arg("--output-dir")
        .arg(unfinished.path())
        .args(["--output", &page])
        .arg(&path)
        .run_aside()?;
    for file in [&executed, &page] {
        let path = out.join(file);
        std::fs::rename(unfinished.path().join(file), &path).with_context(|| format!("writing {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    eprintln!("executed in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// nbconvert with our kernel and without the user's own configuration.
fn nbconvert(cache: &Path, python: &Path) -> Program {
    let jupyter = kernel::jupyter(cache);
    Program::new(python)
        .env("JUPYTER_DATA_DIR", &jupyter)
        .env("JUPYTER_CONFIG_DIR", jupyter.join("config"))
        .env("JUPYTER_RUNTIME_DIR", jupyter.join("runtime"))
        .env("EVCXR_CONFIG_DIR", jupyter.join("evcxr"))
        // A panic in a cell prints one line, the same in each execution.
        .env("RUST_BACKTRACE", "0")
        .args(["-m", "nbconvert", "--log-level=WARN"])
}

/// Returns a hash of the clone's path. Notebooks of different clones depend on crates in different folders.
fn mark(root: &Path) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    hasher.finish()
}
