//! The shared objects that a program needs, as listed by its dynamic linker.

use std::path::{Path, PathBuf};
use std::process::Command;

use object::elf::{FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, FileKind};

use crate::error::EngineError;

/// Returns the dynamic linker of a program and the shared objects that it needs, by the paths at which the linker opens them.
/// A static program needs none.
pub(super) fn needed(program: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let Some(linker) = linker(program)? else {
        return Ok(Vec::new());
    };
    let (text, complete) = list(&linker, program)?;
    if !complete {
        return Err(EngineError::Program {
            path: program.to_owned(),
            reason: format!("{} does not find its libraries: {}", linker.display(), text.trim()),
        });
    }
    Ok([linker].into_iter().chain(paths(&text)).collect())
}

/// Returns those shared objects that a shared object needs and that are found. A program that loads it may already have
/// loaded the others.
pub(super) fn found_for(object: &Path) -> Result<Vec<PathBuf>, EngineError> {
    // A shared object names no linker. The linker of this program is the linker of the machine.
    let own = std::env::current_exe().map_err(EngineError::file("/proc/self/exe"))?;
    let Some(linker) = linker(&own)? else {
        return Ok(Vec::new());
    };
    Ok(paths(&list(&linker, object)?.0).collect())
}

/// Returns the list that a dynamic linker prints for a file, and whether it finds all shared objects.
fn list(linker: &Path, file: &Path) -> Result<(String, bool), EngineError> {
    // Without this machine's cache of libraries, which the image does not have.
    let output = Command::new(linker)
        .args(["--inhibit-cache", "--list"])
        .arg(file)
        .env_remove("LD_PRELOAD")
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .map_err(EngineError::file(linker))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complete = output.status.success() && !text.contains("not found");
    Ok((text, complete))
}

/// Returns the paths in lines such as `libc.so.6 => /lib/libc.so.6 (0x00007f0a)`. The kernel's own object has no path.
fn paths(text: &str) -> impl Iterator<Item = PathBuf> + '_ {
    text.lines().filter_map(|line| {
        let (_, path) = line.split_once("=> ")?;
        let path = path.split(" (").next()?.trim();
        path.starts_with('/').then(|| path.into())
    })
}

/// Returns the dynamic linker that a program names.
fn linker(program: &Path) -> Result<Option<PathBuf>, EngineError> {
    let bytes = std::fs::read(program).map_err(EngineError::file(program))?;
    let wrong = |reason: String| EngineError::Program {
        path: program.to_owned(),
        reason,
    };
    if FileKind::parse(&*bytes).ok() != Some(FileKind::Elf64) {
        return Err(wrong(
            "expected a 64-bit ELF program; build it by `cargo xtask build`".into(),
        ));
    }
    let parsed = || -> object::Result<Option<PathBuf>> {
        let header = FileHeader64::<Endianness>::parse(&*bytes)?;
        let endian = header.endian()?;
        for segment in header.program_headers(endian, &*bytes)? {
            if segment.p_type(endian) == PT_INTERP {
                let name = segment.data(endian, &*bytes).unwrap_or_default();
                let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
                return Ok(Some(name.into()));
            }
        }
        Ok(None)
    };
    parsed().map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_needs_libc_and_the_dynamic_linker() {
        let own = std::env::current_exe().expect("own file");
        let files = needed(&own).expect("libraries");
        assert!(files.iter().all(|file| file.is_file()), "{files:?}");
        for part in ["ld-", "libc."] {
            let has = files.iter().any(|file| file.to_string_lossy().contains(part));
            assert!(has, "{part} in {files:?}");
        }
    }

    #[test]
    fn a_text_file_is_not_a_program() {
        let error = needed(Path::new("/proc/self/status")).expect_err("a text");
        assert!(error.to_string().contains("ELF"), "{error}");
    }
}
