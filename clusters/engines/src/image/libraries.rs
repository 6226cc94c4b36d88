//! Which shared objects a program needs: asked of its own dynamic linker.

use std::path::{Path, PathBuf};
use std::process::Command;

use object::elf::{FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, FileKind};

use crate::error::EngineError;

/// The shared objects that a program needs and its dynamic linker, by the names under which they are looked for. None for a
/// static program.
pub(super) fn needed(program: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let Some(linker) = linker(program)? else {
        return Ok(Vec::new());
    };
    let (text, complete) = ask(&linker, program)?;
    if !complete {
        return Err(EngineError::Program {
            path: program.to_owned(),
            reason: format!("{} does not find its libraries: {}", linker.display(), text.trim()),
        });
    }
    Ok([linker].into_iter().chain(listed(&text)).collect())
}

/// The same of a shared object, as far as they are found: a program may have brought in the others when it loads it.
pub(super) fn found_for(object: &Path) -> Result<Vec<PathBuf>, EngineError> {
    // It names no linker; the one that this program has is the machine's.
    let own = std::env::current_exe().map_err(EngineError::file("/proc/self/exe"))?;
    let Some(linker) = linker(&own)? else {
        return Ok(Vec::new());
    };
    Ok(listed(&ask(&linker, object)?.0).collect())
}

/// What a dynamic linker says of a file, and whether it finds all that this needs.
fn ask(linker: &Path, file: &Path) -> Result<(String, bool), EngineError> {
    // Without this machine's cache of libraries, which the image has not.
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

/// The paths in lines such as `libc.so.6 => /lib/libc.so.6 (0x00007f0a)`; the kernel's own object has none.
fn listed(text: &str) -> impl Iterator<Item = PathBuf> + '_ {
    text.lines().filter_map(|line| {
        let (_, path) = line.split_once("=> ")?;
        let path = path.split(" (").next()?.trim();
        path.starts_with('/').then(|| path.into())
    })
}

/// The dynamic linker that a program names.
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
    fn this_test_needs_its_libc_and_its_linker() {
        let own = std::env::current_exe().expect("own file");
        let files = needed(&own).expect("libraries");
        assert!(files.iter().all(|file| file.is_file()), "{files:?}");
        for part in ["ld-", "libc."] {
            let has = files.iter().any(|file| file.to_string_lossy().contains(part));
            assert!(has, "{part} in {files:?}");
        }
    }

    #[test]
    fn a_text_is_no_program() {
        let error = needed(Path::new("/proc/self/status")).expect_err("a text");
        assert!(error.to_string().contains("ELF"), "{error}");
    }
}
