//! Servers and proxies of other projects: their description files, the files that they need, and their contents in an image.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use engines::{ImageContents, InstalledProgram};
use model::{ServerFile, ServerProgram};
use serde::de::DeserializeOwned;

/// Writes the files of a program into its folder.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn lay_out(files: &BTreeMap<String, String>, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Reads a TOML file of a proxy, a server or delays. `ready` says where the project has such files. `expected` names the content.
///
/// # Errors
/// If the file cannot be read or has another content.
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path, ready: &str, expected: &str) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}; {ready}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{}: expected {expected}", path.display()))
}

/// Reads a file of `sut/macro/`, with the files that the server copies and the environment variables that it names.
///
/// # Errors
/// If a file cannot be read or describes no server.
pub(crate) fn read_server_file(path: &Path) -> Result<ServerFile> {
    let mut file: ServerFile = read_toml(path, "ready servers are in sut/macro/", "a server")?;
    read_copies(&mut file.server, path)?;
    file.server.replace_variables(|name| std::env::var(name).ok());
    file.server.validate().with_context(|| path.display().to_string())?;
    Ok(file)
}

/// Returns the paths of the files that the server of a file of `sut/macro/` copies, from the project's folder.
///
/// # Errors
/// If the file cannot be read or describes no server.
pub(crate) fn copied_files(path: &Path) -> Result<Vec<PathBuf>> {
    let file: ServerFile = read_toml(path, "ready servers are in sut/macro/", "a server")?;
    Ok(copies(&file.server, path).map(|(_, from)| from).collect())
}

/// Returns each copy of a program with the path from which it is copied; `path` is the file in which the program stands.
pub(crate) fn copies<'a>(program: &'a ServerProgram, path: &'a Path) -> impl Iterator<Item = (&'a String, PathBuf)> {
    let folder = path.parent().unwrap_or(Path::new(""));
    program.copies.iter().map(move |(name, from)| {
        let mut whole = PathBuf::new();
        for part in folder.join(from).components() {
            match part {
                Component::ParentDir if whole.file_name().is_some() => {
                    whole.pop();
                }
                part => whole.push(part),
            }
        }
        (name, whole)
    })
}

/// Returns the program of a command line. Its working directory is `directory` or the current directory.
pub(crate) fn of_command_line(
    command: Vec<String>,
    port: Option<u16>,
    directory: Option<&Path>,
) -> Result<ServerProgram> {
    let directory = std::path::absolute(directory.unwrap_or(Path::new(".")))?;
    Ok(ServerProgram::new(command, port, directory))
}

/// Returns true if PATH has no program of this name. The path of a program is not checked, because it can be relative to the
/// program's working directory.
pub(crate) fn is_missing(program: &str) -> bool {
    !program.contains('/') && which::which(program).is_err()
}

/// Returns the reason why a program cannot be started on this machine, with the packages that have it; `None` if it is installed.
pub(crate) fn lacking(program: &str, debian: &str, nixpkgs: &str) -> Option<String> {
    is_missing(program).then(|| format!("{program} is not installed; {}", packages(debian, nixpkgs)))
}

/// Returns a sentence with the packages that have a program.
pub(crate) fn packages(debian: &str, nixpkgs: &str) -> String {
    format!("Debian has it in the package {debian}, nixpkgs as {nixpkgs}")
}

/// Reads the files that a program copies; `path` is the file in which the program stands.
pub(crate) fn read_copies(program: &mut ServerProgram, path: &Path) -> Result<()> {
    let mut copied = Vec::new();
    for (name, from) in copies(program, path) {
        let text = fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
        copied.push((name.clone(), text));
    }
    program.copies.clear();
    program.files.extend(copied);
    Ok(())
}

/// Adds to an image the program, its libraries and its files.
pub(crate) fn add_to_image(program: &ServerProgram, contents: &mut ImageContents) -> Result<()> {
    ensure!(
        program.directory.is_none(),
        "images hold programs that are installed, and no folder of yours; use a condition local-*"
    );
    let installed = InstalledProgram::find(&program.command[0])?;
    contents.add_program(&installed)?;
    let prefix = installed.prefix().to_string_lossy();
    for pattern in program.image_patterns() {
        contents.add_data(&pattern.replace("{prefix}", &prefix))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ready_server_has_a_valid_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sut/macro");
        let mut files = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let file = read_server_file(&path).unwrap();
            assert_eq!(path.file_stem().unwrap().to_str(), Some(&*file.name));
            assert!(file.server.takes_port(), "{}", file.name);
            files += 1;
        }
        assert!(files >= 6, "{files} files");
    }

    #[test]
    fn the_files_of_a_program_are_written_into_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let files = BTreeMap::from([("a/b".to_owned(), "text".to_owned())]);
        lay_out(&files, folder.path()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a/b")).unwrap(), "text");
    }
}
