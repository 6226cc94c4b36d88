//! Programs that other people wrote, as servers: their description files, their files, their place in an image.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use engines::{ImageContents, InstalledProgram};
use model::{ProgramInstance, ServerFile, ServerProgram};

/// Writes the files of a program, by name, into its folder.
///
/// # Errors
/// If one cannot be written.
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

/// Returns the command as the system takes it.
pub(crate) fn words(instance: &ProgramInstance) -> Vec<OsString> {
    instance.command.iter().map(Into::into).collect()
}

/// Returns the environment variables as the system takes them.
pub(crate) fn variables(instance: &ProgramInstance) -> Vec<(String, OsString)> {
    let variables = instance.environment.iter();
    variables.map(|(name, value)| (name.clone(), value.into())).collect()
}

/// Reads a file of `sut/macro/`, with the files that the server copies and the variables that it names.
pub(crate) fn read_server_file(path: &Path) -> Result<ServerFile> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}; ready servers are in sut/macro/", path.display()))?;
    let mut file: ServerFile =
        toml::from_str(&text).with_context(|| format!("{} describes no server", path.display()))?;
    read_copies(&mut file.server, path)?;
    file.server.replace_variables(|name| std::env::var(name).ok());
    file.server.validate().with_context(|| path.display().to_string())?;
    Ok(file)
}

/// Returns the reason why a server cannot be started on this machine, with the packages that hold it; `None` where it is
/// installed.
pub(crate) fn missing_server(file: &ServerFile) -> Option<String> {
    lacking(&file.server.command[0], &file.debian, &file.nixpkgs)
}

/// Returns the packages that hold a server, in words.
pub(crate) fn packages_of(file: &ServerFile) -> String {
    packages(&file.debian, &file.nixpkgs)
}

/// Returns a program of a command line. It is started in `directory`, or else in the current folder.
pub(crate) fn of_command_line(
    command: Vec<String>,
    port: Option<u16>,
    directory: Option<&Path>,
) -> Result<ServerProgram> {
    let directory = std::path::absolute(directory.unwrap_or(Path::new(".")))?;
    Ok(ServerProgram::new(command, port, directory))
}

/// Where a program is, if it is installed.
pub(crate) fn found(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return Some(program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// That a program is not installed, and which packages have it.
pub(crate) fn lacking(program: &str, debian: &str, nixpkgs: &str) -> Option<String> {
    found(Path::new(program))
        .is_none()
        .then(|| format!("{program} is not installed; {}", packages(debian, nixpkgs)))
}

fn packages(debian: &str, nixpkgs: &str) -> String {
    format!("Debian has it in the package {debian}, nixpkgs as {nixpkgs}")
}

/// Reads the files that a program copies; `path` is the file in which the program stands.
pub(crate) fn read_copies(program: &mut ServerProgram, path: &Path) -> Result<()> {
    for (name, from) in std::mem::take(&mut program.copies) {
        let from = path.parent().unwrap_or(Path::new("")).join(from);
        let text = fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
        program.files.insert(name, text);
    }
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
    fn every_ready_server_is_described_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sut/macro");
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let file = read_server_file(&path).unwrap();
            assert_eq!(path.file_stem().unwrap().to_str(), Some(&*file.name));
            assert!(file.server.takes_port(), "{}", file.name);
            names.push(file.name);
        }
        names.sort();
        assert_eq!(names, ["java", "nginx", "node", "python", "redis", "tomcat"]);
    }

    #[test]
    fn the_files_of_a_program_are_written_into_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let instance = ProgramInstance {
            command: vec!["x".to_owned()],
            environment: BTreeMap::from([("PORT".to_owned(), "81".to_owned())]),
            files: BTreeMap::from([("a/b".to_owned(), "text".to_owned())]),
        };
        lay_out(&instance.files, folder.path()).unwrap();
        assert_eq!(variables(&instance), [("PORT".to_owned(), OsString::from("81"))]);
        assert_eq!(fs::read_to_string(folder.path().join("a/b")).unwrap(), "text");
    }
}
