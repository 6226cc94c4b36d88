//! What an image holds, by the paths in it: those that the same things have on this machine, but for ours.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use object::FileKind;
use walkdir::WalkDir;

use super::layout::Image;
use super::libraries;
use crate::error::EngineError;

/// Where a container has something else than its image.
const MOUNTS: [&str; 5] = ["/dev", "/proc", "/sys", "/tmp", Image::WORK];

/// One path of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// What this file holds.
    File(PathBuf),
    /// A symbolic link to another path of the image.
    Link(PathBuf),
}

/// The programs, libraries and files of an image.
#[derive(Clone, Debug)]
pub struct ImageContents {
    pub(super) entries: BTreeMap<PathBuf, Entry>,
    /// The folders in which programs are looked for by name.
    pub(super) path: BTreeSet<PathBuf>,
}

/// A program that is installed on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledProgram {
    /// By which name and where it is found.
    found: PathBuf,
    /// The file, links followed.
    file: PathBuf,
}

impl InstalledProgram {
    /// Looks for a program by its name in the folders of `PATH`, or by its path; scripts that stand for one are passed over.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(name: &str) -> Result<Self, EngineError> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let (found, place) = if name.contains('/') {
            (vec![PathBuf::from(name)], "is there")
        } else {
            let files = std::env::split_paths(&folders).map(|folder| folder.join(name));
            (files.collect(), "of this name is in PATH")
        };
        let mut elf = found.into_iter().filter(|path| path.is_file() && is_elf(path));
        let Some(found) = elf.next() else {
            return Err(EngineError::Program {
                path: name.into(),
                reason: format!("no ELF program {place}; images hold programs and no scripts"),
            });
        };
        let file = found.canonicalize().map_err(EngineError::file(&found))?;
        let found = plain(&std::path::absolute(&found).map_err(EngineError::file(&found))?);
        Ok(Self { found, file })
    }

    /// The folder above that of the program's file, such as `/usr`.
    #[must_use]
    pub fn prefix(&self) -> &Path {
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        folder.parent().unwrap_or(folder)
    }
}

fn is_elf(path: &Path) -> bool {
    // Only the beginning matters; what cannot be read is none.
    let mut magic = [0; 20];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut magic));
    read.is_ok() && matches!(FileKind::parse(&magic[..]), Ok(FileKind::Elf64 | FileKind::Elf32))
}

impl ImageContents {
    /// The programs `agent`, `sut` and `loadgen` in a folder, and the hook.
    ///
    /// # Errors
    /// When a program is not there or cannot be run here, so that its libraries are not to be told.
    pub fn new(binaries: &Path, hook: &Path) -> Result<Self, EngineError> {
        let mut contents = Self {
            entries: BTreeMap::new(),
            path: BTreeSet::new(),
        };
        for inside in [Image::AGENT, Image::SUT, Image::LOADGEN] {
            contents.add_own(binaries, inside)?;
        }
        contents.add_file(Image::HOOK, hook);
        Ok(contents)
    }

    /// Adds another program of ours, by its path in the image.
    ///
    /// # Errors
    /// As [`ImageContents::new`].
    pub fn add_own(&mut self, binaries: &Path, inside: &str) -> Result<(), EngineError> {
        let inside = Path::new(inside);
        let program = binaries.join(inside.file_name().unwrap_or_default());
        self.add_libraries(libraries::needed(&program)?);
        self.path.extend(inside.parent().map(Path::to_owned));
        self.add_file(inside, &program);
        Ok(())
    }

    /// Adds a file by its path in the image.
    pub fn add_file(&mut self, inside: impl Into<PathBuf>, outside: &Path) {
        self.entries
            .insert(plain(&inside.into()), Entry::File(outside.to_owned()));
    }

    /// Adds an installed program with the libraries that it needs.
    ///
    /// # Errors
    /// As [`ImageContents::new`].
    pub fn add_program(&mut self, program: &InstalledProgram) -> Result<(), EngineError> {
        let InstalledProgram { found, file } = program;
        for path in [found, file] {
            if let Some(mount) = MOUNTS.iter().find(|mount| path.starts_with(mount)) {
                return Err(EngineError::Program {
                    path: path.clone(),
                    reason: format!("a container has something else at {mount}; install the program elsewhere"),
                });
            }
        }
        self.add_libraries(libraries::needed(file)?);
        self.add_file(file, file);
        if found != file {
            self.entries.insert(found.clone(), Entry::Link(file.clone()));
        }
        self.path.extend(found.parent().map(Path::to_owned));
        Ok(())
    }

    /// Adds a shared object by its path in the image, with the libraries that are found for it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add_object(&mut self, inside: impl Into<PathBuf>, object: &Path) -> Result<(), EngineError> {
        self.add_libraries(libraries::found_for(object)?);
        self.add_file(inside, object);
        Ok(())
    }

    /// Adds the files and whole folders that a pattern such as `/usr/lib/python3*` names, with the libraries of the shared
    /// objects among them. What a link names stands under the link's name. What is not there is left out.
    ///
    /// # Errors
    /// When something there cannot be read, or the pattern is none.
    pub fn add_data(&mut self, pattern: &str) -> Result<(), EngineError> {
        let found = glob::glob(pattern).map_err(|error| EngineError::Program {
            path: pattern.into(),
            reason: error.to_string(),
        })?;
        for path in found {
            let path = path.map_err(|error| EngineError::File {
                path: error.path().to_owned(),
                source: error.into(),
            })?;
            for entry in WalkDir::new(&path).follow_links(true) {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) if leads_nowhere(&error) => continue,
                    Err(error) => {
                        return Err(EngineError::File {
                            path: error.path().unwrap_or(&path).to_owned(),
                            source: error.into(),
                        });
                    }
                };
                let file = entry.path();
                if !entry.file_type().is_file() {
                    continue;
                }
                if file.to_string_lossy().contains(".so") && is_elf(file) {
                    self.add_object(file, file)?;
                } else {
                    self.add_file(file, file);
                }
            }
        }
        Ok(())
    }

    fn add_libraries(&mut self, libraries: Vec<PathBuf>) {
        for library in libraries {
            self.add_file(&library, &library);
        }
    }
}

/// Whether it is of a link that leads nowhere, or in a circle, which has nothing to be held.
fn leads_nowhere(error: &walkdir::Error) -> bool {
    let kind = error.io_error().map(std::io::Error::kind);
    error.loop_ancestor().is_some() || kind == Some(std::io::ErrorKind::NotFound)
}

/// A path without `..`, which libraries that a program finds beside itself have, and archives may not.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> ImageContents {
        ImageContents {
            entries: BTreeMap::new(),
            path: BTreeSet::new(),
        }
    }

    #[test]
    fn a_program_is_there_under_its_name_and_its_files_own() {
        let shell = InstalledProgram::find("sh").unwrap();
        let mut contents = nothing();
        contents.add_program(&shell).unwrap();
        let entry = |path: &Path| contents.entries.get(path).unwrap();
        assert_eq!(entry(&shell.file), &Entry::File(shell.file.clone()));
        if shell.found != shell.file {
            assert_eq!(entry(&shell.found), &Entry::Link(shell.file.clone()));
        }
        assert!(contents.path.contains(shell.found.parent().unwrap()));
        let names = contents.entries.keys().map(|path| path.to_string_lossy());
        assert!(names.into_iter().any(|name| name.contains("libc.so")));
    }

    #[test]
    fn scripts_and_what_is_not_there_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("a-script");
        std::fs::write(&script, "#!/bin/sh\nexec sleep 1000\n").unwrap();
        for name in [script.to_str().unwrap(), "no-such-program"] {
            let error = InstalledProgram::find(name).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("no ELF program"), "{error}");
        }
    }

    #[test]
    fn folders_are_held_whole_and_links_under_their_own_names() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("data-1")).unwrap();
        std::fs::write(root.join("data-1/a"), "a").unwrap();
        std::os::unix::fs::symlink(root.join("data-1/a"), root.join("data-1/b")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("data-1/c")).unwrap();
        std::fs::write(root.join("other"), "d").unwrap();
        let mut contents = nothing();
        contents.add_data(root.join("data-*").to_str().unwrap()).unwrap();
        contents.add_data(root.join("not-there").to_str().unwrap()).unwrap();
        let names: Vec<&PathBuf> = contents.entries.keys().collect();
        assert_eq!(names, [&root.join("data-1/a"), &root.join("data-1/b")]);
        contents.add_file("/usr/bin/../lib/./x.so", Path::new("/proc/version"));
        assert!(contents.entries.contains_key(Path::new("/usr/lib/x.so")));
        let error = contents.add_data("/a/**b").unwrap_err().to_string();
        assert!(error.contains("/a/**b"), "{error}");
    }
}
