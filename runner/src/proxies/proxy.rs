//! A ready proxy, as a file of `clusters/proxies` describes it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use engines::{ImageContents, InstalledProgram};
use serde::{Deserialize, Serialize};

use crate::program::{Program, lacking};

/// A file of `clusters/proxies`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proxy {
    pub(crate) name: String,
    /// Programs that it needs.
    needs: Vec<String>,
    /// Packages of Debian's that have them; where Debian has none, whose repository does.
    debian: String,
    /// Packages of nixpkgs that have them.
    nixpkgs: String,
    pub(crate) server: Program,
}

impl Proxy {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; ready proxies are in clusters/proxies/", path.display()))?;
        let mut proxy: Self =
            toml::from_str(&text).with_context(|| format!("{} describes no proxy", path.display()))?;
        proxy.server.take_copies(path)?;
        proxy.validate().with_context(|| path.display().to_string())?;
        Ok(proxy)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        self.server.validate()?;
        ensure!(
            self.server.has("{upstream}") || self.server.has("{upstream_port}"),
            "proxy {}: it is not said where it forwards to; write {{upstream}} into its command, environment or files",
            self.name
        );
        Ok(())
    }

    /// Adds to an image what it must hold for this proxy.
    pub(crate) fn add_to(&self, contents: &mut ImageContents) -> Result<()> {
        for program in &self.needs {
            contents.add_program(&InstalledProgram::find(program)?)?;
        }
        self.server.add_to(contents)
    }

    /// The first of its programs that is not installed.
    pub(crate) fn lacking(&self) -> Option<String> {
        let mut needs = self.needs.iter();
        let reason = needs.find_map(|program| lacking(program, &self.debian, &self.nixpkgs))?;
        Some(format!("hop {}: {reason}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ready_proxy_is_described_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clusters/proxies");
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let proxy = Proxy::read(&path).unwrap();
            assert_eq!(path.file_stem().unwrap().to_str(), Some(&*proxy.name));
            assert!(proxy.server.takes_port() && !proxy.needs.is_empty(), "{}", proxy.name);
            names.push(proxy.name);
        }
        names.sort();
        assert_eq!(names, ["envoy", "haproxy", "nginx", "nginx-from-tls", "nginx-to-tls"]);
    }

    #[test]
    fn one_that_forwards_nowhere_or_is_not_installed_is_told() {
        let text = "name = \"x\"\nneeds = [\"no-such-proxy\"]\ndebian = \"a\"\nnixpkgs = \"b\"\n\
                    [server]\ncommand = [\"x\", \"{port}\"]";
        let mut proxy: Proxy = toml::from_str(text).unwrap();
        assert!(proxy.validate().unwrap_err().to_string().contains("{upstream}"));
        proxy.server.command.push("{upstream}".to_owned());
        proxy.validate().unwrap();
        let reason = proxy.lacking().unwrap();
        assert!(
            reason.contains("hop x: no-such-proxy is not installed; Debian has it in the package a"),
            "{reason}"
        );
    }
}
