//! `cluster image`: the image as a file, for clusters whose nodes pull from a registry of yours.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use engines::{ImageContents, InstalledProgram};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The archive, as `docker load` reads it
    #[arg(long)]
    out: PathBuf,
    /// The hook; beside this program's folder if not given
    #[arg(long)]
    hook: Option<PathBuf>,
    /// An installed program that it is to hold as well, with its libraries, as nginx; may be given several times
    #[arg(long, value_name = "PROGRAM")]
    with: Vec<String>,
    /// Files and folders that it is to hold as well, as '/usr/lib/python3*'; may be given several times
    #[arg(long, value_name = "PATTERN")]
    with_data: Vec<String>,
}

/// Writes the image of the programs beside this one and prints its name.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let binaries = own.parent().unwrap_or(Path::new("/"));
    let beside = binaries.join("../hook/libreadhook.so");
    let mut contents = ImageContents::new(binaries, arguments.hook.as_deref().unwrap_or(&beside))?;
    for program in &arguments.with {
        contents.add_program(&InstalledProgram::find(program)?)?;
    }
    for pattern in &arguments.with_data {
        contents.add_data(pattern)?;
    }
    let image = contents.image()?;
    let unfinished = arguments.out.with_extension("unfinished");
    std::fs::write(&unfinished, &image.archive)
        .and_then(|()| std::fs::rename(&unfinished, &arguments.out))
        .with_context(|| format!("cannot write {}", arguments.out.display()))?;
    println!("{}", image.reference);
    Ok(())
}
