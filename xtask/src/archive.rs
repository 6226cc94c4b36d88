//! `cargo xtask archive`: packs one file for a depository. The content of the file can be built and analysed without a
//! network.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::paths;
use crate::programs::{Program, cargo, find};

/// The file in the archive that lists the checksum of every other file.
const SUMS: &str = "SHA256SUMS";

#[derive(clap::Args)]
pub(crate) struct ArchiveCommand {
    /// File to write
    #[arg(long, default_value = "target/hook-latency.tar.gz", value_parser = paths::from_here)]
    out: PathBuf,
}

/// Writes the archive and prints its checksum.
///
/// # Errors
/// When this is not a clone, a program is missing, or the disk is full.
pub(crate) fn run(arguments: &ArchiveCommand) -> Result<()> {
    create(&arguments.out)?;
    println!("wrote {}", arguments.out.display());
    println!("SHA-256 {}", sha256(&arguments.out)?);
    println!("check it, unpacked, with: sha256sum --check --quiet {SUMS}");
    println!("again with: cargo xtask archive --out {}", arguments.out.display());
    Ok(())
}

/// Packs the files of the commit, all crates, the 2023 study where it is imported, and the checksums of these files. The same
/// commit gives the same bytes.
///
/// # Errors
/// When this is not a clone, a program is missing, or the disk is full.
pub(crate) fn create(out: &Path) -> Result<()> {
    for program in ["git", "tar", "gzip"] {
        if find(program).is_none() {
            bail!("the archive is made with {program}, which is not in PATH; install it");
        }
    }
    let commit = Program::new("git")
        .args(["log", "-1", "--format=%ct"])
        .output()
        .context("the archive holds the files of a commit: run this in a clone of the repository")?;
    let changed = Program::new("git").args(["status", "--porcelain"]).output()?;
    if !changed.is_empty() {
        eprintln!("the archive holds the commit without these changes:\n{changed}");
    }
    let staging = tempfile::tempdir_in(out.parent().unwrap_or(Path::new("."))).context("making a folder to pack in")?;
    let root = staging.path().join("hook-latency");
    fs::create_dir(&root).with_context(|| format!("making {}", root.display()))?;
    committed_files(&root)?;
    crates(&root)?;
    if paths::study_is_there() {
        copy(Path::new(paths::STUDY), &root.join(paths::STUDY))?;
    } else {
        eprintln!("the archive lacks {}, which is not imported", paths::STUDY);
    }
    fs::write(root.join(SUMS), sums(&root)?)?;
    pack(staging.path(), out, commit.trim())
}

fn committed_files(root: &Path) -> Result<()> {
    let packed = root.with_extension("tar");
    Program::new("git")
        .args(["archive", "--format=tar", "--output"])
        .arg(&packed)
        .arg("HEAD")
        .run()?;
    Program::new("tar")
        .args(["--extract", "--file"])
        .arg(&packed)
        .arg("--directory")
        .arg(root)
        .run()?;
    fs::remove_file(&packed).with_context(|| format!("removing {}", packed.display()))
}

/// An addition to cargo's configuration in the archive. Cargo resolves the folder from the configuration file.
const VENDORED: &str = "
[source.crates-io]
replace-with = \"vendored\"

[source.vendored]
directory = \"vendor\"
";

/// Vendors the crates and adds them to cargo's configuration.
fn crates(root: &Path) -> Result<()> {
    cargo()
        .args(["vendor", "--locked", "--quiet", "--versioned-dirs", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .arg(root.join("vendor"))
        .run_aside()?;
    let config = root.join(".cargo/config.toml");
    let text = fs::read_to_string(&config).with_context(|| format!("reading {}", config.display()))?;
    fs::write(&config, text + VENDORED).with_context(|| format!("writing {}", config.display()))
}

/// Copies a folder.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        let target = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        fs::copy(&file, &target).with_context(|| format!("copying {} to {}", file.display(), target.display()))?;
    }
    Ok(())
}

/// All files below a folder, sorted.
///
/// # Errors
/// When one cannot be listed.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.into_path()))
        .collect::<Result<_>>()
        .with_context(|| format!("listing {}", folder.display()))?;
    found.retain(|path| !path.is_dir());
    found.sort();
    Ok(found)
}

fn sums(root: &Path) -> Result<String> {
    files(root)?
        .iter()
        .map(|file| Ok(format!("{}  {}\n", sha256(file)?, file.strip_prefix(root)?.display())))
        .collect()
}

fn sha256(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(hex::encode(Sha256::digest(&bytes)))
}

/// Packs a folder. Entries are sorted and have one owner, one time and plain modes, so that the bytes depend on the
/// content alone.
fn pack(staging: &Path, out: &Path, unix_s: &str) -> Result<()> {
    let unfinished = out.with_added_extension("tmp");
    Program::new("tar")
        .args([
            "--create",
            "--sort=name",
            "--format=gnu",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
        ])
        .args(["--mode=u=rwX,go=rX", "--use-compress-program=gzip --no-name"])
        .arg(format!("--mtime=@{unix_s}"))
        .arg("--file")
        .arg(&unfinished)
        .arg("--directory")
        .arg(staging)
        .arg("hook-latency")
        .run()?;
    fs::rename(&unfinished, out).with_context(|| format!("renaming to {}", out.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_summed_in_one_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::write(folder.path().join("b/c"), "abc").unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        let sums = sums(folder.path()).unwrap();
        let lines: Vec<&str> = sums.lines().collect();
        assert_eq!(
            lines,
            [
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b/c",
            ]
        );
    }

    #[test]
    fn the_same_files_give_the_same_archive() {
        let made = |name: &str| {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("hook-latency");
            fs::create_dir(&root).unwrap();
            fs::write(root.join("x"), "x").unwrap();
            let out = folder.path().join(name);
            pack(folder.path(), &out, "1700000000").unwrap();
            fs::read(out).unwrap()
        };
        assert_eq!(made("one.tar.gz"), made("another.tar.gz"));
    }
}
