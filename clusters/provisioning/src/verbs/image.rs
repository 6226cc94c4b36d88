//! `cluster image`: writes the image into a file, for clusters whose nodes pull it from a registry.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use engines::{ImageContents, InstalledProgram};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ImageOptions {
    /// File for the archive, which `docker load` can read
    #[arg(long)]
    out: PathBuf,
    /// The hook [default: hook/libreadhook.so beside this program's folder]
    #[arg(long)]
    hook: Option<PathBuf>,
    /// Add an installed program with its libraries, such as nginx; may be given several times
    #[arg(long, value_name = "PROGRAM")]
    with: Vec<String>,
    /// Add files and folders, such as '/usr/lib/python3*'; may be given several times
    #[arg(long, value_name = "PATTERN")]
    with_data: Vec<String>,
}

/// Writes the image with the programs beside this one, and prints the image's name.
pub(crate) fn run(options: &ImageOptions) -> Result<()> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let binaries = own.parent().unwrap_or(Path::new("/"));
    let beside = binaries.join("../hook/libreadhook.so");
    let mut contents = ImageContents::new(binaries, options.hook.as_deref().unwrap_or(&beside))?;
    for program in &options.with {
        contents.add_program(&InstalledProgram::find(program)?)?;
    }
    for pattern in &options.with_data {
        contents.add_data(pattern)?;
    }
    let image = contents.image()?;
    write(&options.out, &image.archive).with_context(|| format!("cannot write {}", options.out.display()))?;
    println!("{}", image.reference);
    Ok(())
}

/// Writes a file that appears under its name when it is complete.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
