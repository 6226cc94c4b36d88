//! The contents of an image by their paths in it. Programs of this project have paths of their own; other files keep the paths
//! that they have on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use object::FileKind;
use walkdir::WalkDir;

use super::layout::Image;
use super::libraries;
use crate::error::EngineError;

/// Folders that a container replaces by mounts, so that files of the image in them are hidden.
const MOUNTS: [&str; 5] = ["/dev", "/proc", "/sys", "/tmp", Image::WORK];

/// An entry of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImageEntry {
    /// The content of this file.
    File(PathBuf),
    /// A symbolic link to another path of the image.
    Link(PathBuf),
}

/// The programs, libraries and files of an image.
#[derive(Clone, Debug)]
pub struct ImageContents {
    pub(super) entries: BTreeMap<PathBuf, ImageEntry>,
    /// The folders in which programs are found by name.
    pub(super) search_path: BTreeSet<PathBuf>,
}

/// A program that is installed on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledProgram {
    /// The path at which the program was found.
    found: PathBuf,
    /// The file to which that path leads after all links.
    file: PathBuf,
}

impl InstalledProgram {
    /// Finds a program by its path, or by its name in the folders of `PATH`. Scripts are skipped.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn find(name: &str) -> Result<Self, EngineError> {
        let mut found = which::which_all(name).into_iter().flatten().filter(|path| is_elf(path));
        let Some(found) = found.next() else {
            let place = if name.contains('/') {
                "has this path"
            } else {
                "of this name is in PATH"
            };
            return Err(EngineError::Program {
                path: name.into(),
                reason: format!("no ELF program {place}; images hold programs and no scripts"),
            });
        };
        let file = found.canonicalize().map_err(EngineError::file(&found))?;
        let found = normalized(&std::path::absolute(&found).map_err(EngineError::file(&found))?);
        Ok(Self { found, file })
    }

    /// Returns the parent of the folder with the program's file, such as `/usr`.
    #[must_use]
    pub fn prefix(&self) -> &Path {
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        folder.parent().unwrap_or(folder)
    }
}

/// Returns true for an ELF file, and false for a file that cannot be read.
fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 20];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut magic));
    read.is_ok() && matches!(FileKind::parse(&magic[..]), Ok(FileKind::Elf64 | FileKind::Elf32))
}

impl ImageContents {
    /// Makes contents with the programs `agent`, `sut` and `loadgen` of a folder, and the hook.
    ///
    /// # Errors
    /// When a program is missing, or its libraries cannot be listed.
    pub fn new(binaries: &Path, hook: &Path) -> Result<Self, EngineError> {
        let mut contents = Self {
            entries: BTreeMap::new(),
            search_path: BTreeSet::new(),
        };
        for inside in [Image::AGENT, Image::SUT, Image::LOADGEN] {
            contents.add_own(binaries, inside)?;
        }
        contents.add_file(Image::HOOK, hook);
        Ok(contents)
    }

    /// Adds another program of this project, by its path in the image.
    ///
    /// # Errors
    /// When the program is missing, or its libraries cannot be listed.
    pub fn add_own(&mut self, binaries: &Path, inside: &str) -> Result<(), EngineError> {
        let inside = Path::new(inside);
        let program = binaries.join(inside.file_name().unwrap_or_default());
        self.add_libraries(libraries::needed(&program)?);
        self.search_path.extend(inside.parent().map(Path::to_owned));
        self.add_file(inside, &program);
        Ok(())
    }

    /// Adds a file by its path in the image.
    pub fn add_file(&mut self, inside: impl Into<PathBuf>, outside: &Path) {
        self.entries
            .insert(normalized(&inside.into()), ImageEntry::File(outside.to_owned()));
    }

    /// Adds an installed program with its libraries.
    ///
    /// # Errors
    /// When a mount of the container would hide the program, or its libraries cannot be listed.
    pub fn add_program(&mut self, program: &InstalledProgram) -> Result<(), EngineError> {
        let InstalledProgram { found, file } = program;
        for path in [found, file] {
            if let Some(mount) = MOUNTS.iter().find(|mount| path.starts_with(mount)) {
                return Err(EngineError::Program {
                    path: path.clone(),
                    reason: format!("a container has other files at {mount}; install the program elsewhere"),
                });
            }
        }
        self.add_libraries(libraries::needed(file)?);
        self.add_file(file, file);
        if found != file {
            self.entries.insert(found.clone(), ImageEntry::Link(file.clone()));
        }
        self.search_path.extend(found.parent().map(Path::to_owned));
        Ok(())
    }

    /// Adds a shared object by its path in the image, and the libraries that it needs and that exist on this machine.
    ///
    /// # Errors
    /// When the shared object cannot be read.
    pub fn add_object(&mut self, inside: impl Into<PathBuf>, object: &Path) -> Result<(), EngineError> {
        self.add_libraries(libraries::found_for(object)?);
        self.add_file(inside, object);
        Ok(())
    }

    /// Adds the files and folders that match a pattern such as `/usr/lib/python3*`, with the libraries of the shared objects
    /// among them. The target of a link is added under the link's name. A pattern without matches adds nothing.
    ///
    /// # Errors
    /// When a file cannot be read, or the pattern is not valid.
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
                    Err(error) if is_dead_link(&error) => continue,
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

/// Returns true for the error of a link without a target or in a circle.
fn is_dead_link(error: &walkdir::Error) -> bool {
    let kind = error.io_error().map(std::io::Error::kind);
    error.loop_ancestor().is_some() || kind == Some(std::io::ErrorKind::NotFound)
}

/// Returns a path without `..`. A library that a program finds relative to its own folder has `..` in its path, and an
/// archive may not contain `..`.
fn normalized(path: &Path) -> PathBuf {
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

    fn empty() -> ImageContents {
        ImageContents {
            entries: BTreeMap::new(),
            search_path: BTreeSet::new(),
        }
    }

    #[test]
    fn a_program_has_its_own_path_and_the_path_of_its_file() {
        let shell = InstalledProgram::find("sh").unwrap();
        let mut contents = empty();
        contents.add_program(&shell).unwrap();
        let entry = |path: &Path| contents.entries.get(path).unwrap();
        assert_eq!(entry(&shell.file), &ImageEntry::File(shell.file.clone()));
        if shell.found != shell.file {
            assert_eq!(entry(&shell.found), &ImageEntry::Link(shell.file.clone()));
        }
        assert!(contents.search_path.contains(shell.found.parent().unwrap()));
        let names = contents.entries.keys().map(|path| path.to_string_lossy());
        assert!(names.into_iter().any(|name| name.contains("libc.so")));
    }

    #[test]
    fn scripts_and_missing_programs_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("a-script");
        std::fs::write(&script, "#!/bin/sh\nexec sleep 1000\n").unwrap();
        for name in [script.to_str().unwrap(), "no-such-program"] {
            let error = InstalledProgram::find(name).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("no ELF program"), "{error}");
        }
    }

    #[test]
    fn folders_are_added_completely_and_links_under_their_own_names() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("data-1")).unwrap();
        std::fs::write(root.join("data-1/a"), "a").unwrap();
        std::os::unix::fs::symlink(root.join("data-1/a"), root.join("data-1/b")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("data-1/c")).unwrap();
        std::fs::write(root.join("other"), "d").unwrap();
        let mut contents = empty();
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
