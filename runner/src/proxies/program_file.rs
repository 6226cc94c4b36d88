//! Proxies of other projects, from the files of `clusters/proxies/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use engines::{ImageContents, InstalledProgram};
use model::ProxyProgram;

use crate::program::{self, copies, read_copies, read_toml};

const READY: &str = "ready proxies are in clusters/proxies/";

/// Reads a file of `clusters/proxies/`.
///
/// # Errors
/// If the file cannot be read or describes no proxy.
pub(crate) fn read(path: &Path) -> Result<ProxyProgram> {
    let mut proxy: ProxyProgram = read_toml(path, READY, "a proxy")?;
    read_copies(&mut proxy.server, path)?;
    proxy.validate().with_context(|| path.display().to_string())?;
    Ok(proxy)
}

/// Returns the paths of the files that a proxy copies, from the project's folder.
///
/// # Errors
/// If the file cannot be read or describes no proxy.
pub(super) fn copied_files(path: &Path) -> Result<Vec<PathBuf>> {
    let proxy: ProxyProgram = read_toml(path, READY, "a proxy")?;
    Ok(copies(&proxy.server, path).map(|(_, from)| from).collect())
}

/// Adds to an image the programs and files of a proxy.
pub(crate) fn add_to_image(proxy: &ProxyProgram, contents: &mut ImageContents) -> Result<()> {
    for program in &proxy.needs {
        contents.add_program(&InstalledProgram::find(program)?)?;
    }
    program::add_to_image(&proxy.server, contents)
}

/// Returns the first of the proxy's programs that is not installed, with the packages that hold it; `None` where all are
/// installed.
pub(crate) fn lacking(proxy: &ProxyProgram) -> Option<String> {
    let mut needs = proxy.needs.iter();
    let reason = needs.find_map(|program| program::lacking(program, &proxy.debian, &proxy.nixpkgs))?;
    Some(format!("proxy {}: {reason}", proxy.name))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_ready_proxy_has_a_valid_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clusters/proxies");
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let proxy = read(&path).unwrap();
            assert_eq!(path.file_stem().unwrap().to_str(), Some(&*proxy.name));
            assert!(proxy.server.takes_port() && !proxy.needs.is_empty(), "{}", proxy.name);
            names.push(proxy.name);
        }
        names.sort();
        assert_eq!(names, ["envoy", "haproxy", "nginx", "nginx-from-tls", "nginx-to-tls"]);
    }

    #[test]
    fn a_proxy_that_is_not_installed_is_reported_with_its_package() {
        let text = "name = \"x\"\nneeds = [\"no-such-proxy\"]\ndebian = \"a\"\nnixpkgs = \"b\"\n\
                    [server]\ncommand = [\"x\", \"{port}\"]";
        let proxy: ProxyProgram = toml::from_str(text).unwrap();
        let reason = lacking(&proxy).unwrap();
        assert!(
            reason.contains("proxy x: no-such-proxy is not installed; Debian has it in the package a"),
            "{reason}"
        );
    }
}
