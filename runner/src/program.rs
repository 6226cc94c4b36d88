//! Any program as a server: its command, files, environment, and the files in `sut/macro` that name ready ones.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use engines::{ImageContents, InstalledProgram};
use model::Message;
use serde::{Deserialize, Serialize};

/// How a server is started. In what a file of `sut/macro` says, `${NAME:-default}` stands for a variable of the runner's
/// environment. In command, environment and files, `{host}` and `{port}` stand for where it is to listen, and
/// `{dir}` for a folder of its own. For a proxy, `{upstream}` stands for what it forwards to, as `HOST:PORT`; so do
/// `{upstream_host}` and `{upstream_port}`, apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Program {
    pub(crate) command: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) environment: BTreeMap<String, String>,
    /// Files that it needs in its folder, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) files: BTreeMap<String, String>,
    /// Such files that are kept elsewhere, by the path from the file in which this stands; recorded plans have their text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) copies: BTreeMap<String, PathBuf>,
    /// The port that it listens on whatever it is told; it then needs a network namespace of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    /// The folder in which it is started; its own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory: Option<PathBuf>,
    /// Longest time until it answers, s.
    #[serde(default = "a_minute")]
    pub(crate) ready_s: f64,
    /// Headers of its answers that differ from one answer to the next, besides Date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) varying: Vec<String>,
    /// What an image must hold for it beside its program and the libraries of that: files and whole folders by patterns such
    /// as `{prefix}/lib/python3*`, where `{prefix}` is the folder above that of the program. Several may be joined by `:`;
    /// what is not there is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) image: Vec<String>,
}

/// What starts it, and the files that it finds in its folder, with all placeholders filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    /// By their names in its folder.
    pub(crate) files: BTreeMap<String, String>,
}

impl Filled {
    /// Writes the files.
    pub(crate) fn lay_out(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        for (name, text) in &self.files {
            let path = folder.join(name);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// The command, as the system takes it.
    pub(crate) fn words(&self) -> Vec<OsString> {
        self.command.iter().map(Into::into).collect()
    }

    /// The variables, as the system takes them.
    pub(crate) fn variables(&self) -> Vec<(String, OsString)> {
        let variables = self.environment.iter();
        variables.map(|(name, value)| (name.clone(), value.into())).collect()
    }
}

const fn a_minute() -> f64 {
    60.0
}

/// A file of `sut/macro`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerFile {
    pub(crate) name: String,
    /// Package of Debian's that has it.
    pub(crate) debian: String,
    /// Package of nixpkgs that has it.
    pub(crate) nixpkgs: String,
    /// Rounds until it works as it will, for servers that compile while they run.
    #[serde(default)]
    pub(crate) warm_up_rounds: Option<u64>,
    /// The command that prints its version.
    #[serde(default)]
    pub(crate) version: Vec<String>,
    pub(crate) request: Message,
    pub(crate) server: Program,
}

impl ServerFile {
    /// Why it cannot be started here, and which packages would help.
    pub(crate) fn lacking(&self) -> Option<String> {
        lacking(&self.server.command[0], &self.debian, &self.nixpkgs)
    }

    /// Which packages have it.
    pub(crate) fn fix(&self) -> String {
        packages(&self.debian, &self.nixpkgs)
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; ready servers are in sut/macro/", path.display()))?;
        let mut file: Self =
            toml::from_str(&text).with_context(|| format!("{} describes no server", path.display()))?;
        file.server.take_copies(path)?;
        file.server.take_variables();
        file.server.validate().with_context(|| path.display().to_string())?;
        Ok(file)
    }
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

impl Program {
    /// A command line's program, which is started in the folder where the user stands.
    pub(crate) fn new(command: Vec<String>, port: Option<u16>, directory: Option<&Path>) -> Result<Self> {
        let directory = std::path::absolute(directory.unwrap_or(Path::new(".")))?;
        Ok(Self {
            command,
            environment: BTreeMap::new(),
            files: BTreeMap::new(),
            copies: BTreeMap::new(),
            port,
            directory: Some(directory),
            ready_s: a_minute(),
            varying: Vec::new(),
            image: Vec::new(),
        })
    }

    /// Takes the text of files that are kept elsewhere; `path` is the file in which this program stands.
    pub(crate) fn take_copies(&mut self, path: &Path) -> Result<()> {
        for (name, from) in std::mem::take(&mut self.copies) {
            let from = path.parent().unwrap_or(Path::new("")).join(from);
            let text = fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
            self.files.insert(name, text);
        }
        Ok(())
    }

    /// Takes variables of this program's environment where `${NAME:-what is meant without it}` stands.
    fn take_variables(&mut self) {
        let environment = self.environment.values_mut();
        for text in self.command.iter_mut().chain(&mut self.image).chain(environment) {
            *text = with_variables(text);
        }
    }

    /// Adds to an image what it must hold for this program.
    pub(crate) fn add_to(&self, contents: &mut ImageContents) -> Result<()> {
        ensure!(
            self.directory.is_none(),
            "images hold programs that are installed, and no folder of yours; use a condition local-*"
        );
        let program = InstalledProgram::find(&self.command[0])?;
        contents.add_program(&program)?;
        let prefix = program.prefix().to_string_lossy();
        for pattern in self.image.iter().flat_map(|patterns| patterns.split(':')) {
            contents.add_data(&pattern.replace("{prefix}", &prefix))?;
        }
        Ok(())
    }

    /// Whether it can be told its port.
    pub(crate) fn takes_port(&self) -> bool {
        self.has("{port}")
    }

    /// Whether a placeholder is in its command, environment or files.
    pub(crate) fn has(&self, placeholder: &str) -> bool {
        let texts = self
            .command
            .iter()
            .chain(self.environment.values())
            .chain(self.files.values());
        texts.into_iter().any(|text| text.contains(placeholder))
    }

    pub(crate) fn validate(&self) -> Result<()> {
        ensure!(
            !self.command.is_empty(),
            "command: empty; expected a program and its arguments"
        );
        ensure!(
            self.takes_port() || self.port.is_some(),
            "it is not said where the server listens; write {{port}} into its command, environment or files, \
             or name its port"
        );
        ensure!(
            self.ready_s.is_finite() && self.ready_s > 0.0,
            "ready_s: {}; expected more than 0",
            self.ready_s
        );
        for name in self.files.keys() {
            let within = Path::new(name)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            ensure!(
                within && !name.is_empty(),
                "files: {name:?}; expected a path within the server's folder"
            );
        }
        Ok(())
    }

    /// What starts it, and its files, in `folder`; it is to listen at `address`, and to forward to `upstream` where it is a
    /// proxy.
    pub(crate) fn filled(&self, folder: &Path, address: SocketAddr, upstream: Option<SocketAddr>) -> Filled {
        let mut values = vec![
            ("{host}", address.ip().to_string()),
            ("{port}", address.port().to_string()),
            ("{dir}", folder.to_string_lossy().into_owned()),
        ];
        if let Some(upstream) = upstream {
            values.extend([
                ("{upstream}", upstream.to_string()),
                ("{upstream_host}", upstream.ip().to_string()),
                ("{upstream_port}", upstream.port().to_string()),
            ]);
        }
        let filled = |text: &str| {
            let all = values.iter();
            all.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        let all_filled = |texts: &BTreeMap<String, String>| {
            let texts = texts.iter();
            texts.map(|(name, text)| (name.clone(), filled(text))).collect()
        };
        Filled {
            command: self.command.iter().map(|word| filled(word)).collect(),
            environment: all_filled(&self.environment),
            files: all_filled(&self.files),
        }
    }
}

/// A text in which `${NAME:-default}` has been replaced by the variable, or by the default where it is not set.
fn with_variables(text: &str) -> String {
    let Some((before, (inner, after))) = text
        .split_once("${")
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return text.to_owned();
    };
    let value = match inner.split_once(":-") {
        Some((name, default)) => std::env::var(name).unwrap_or_else(|_| default.to_owned()),
        // A shell's, and none of ours.
        None => format!("${{{inner}}}"),
    };
    format!("{before}{value}{}", with_variables(after))
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
            let file = ServerFile::read(&path).unwrap();
            assert_eq!(path.file_stem().unwrap().to_str(), Some(&*file.name));
            assert!(file.server.takes_port(), "{}", file.name);
            names.push(file.name);
        }
        names.sort();
        assert_eq!(names, ["java", "nginx", "node", "python", "redis", "tomcat"]);
    }

    #[test]
    fn placeholders_are_filled_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        let program: Program = toml::from_str(
            "command = [\"x\", \"{dir}/{port}\"]\nenvironment = { PORT = \"{port}\" }\n\
             files = { \"a/b\" = \"{host}:{port} > {upstream} = {upstream_host}, {upstream_port};\" }",
        )
        .unwrap();
        program.validate().unwrap();
        assert!(program.has("{upstream}") && !program.has("{down}"));
        let (address, upstream) = (([127, 0, 0, 1], 81).into(), ([10, 0, 0, 2], 82).into());
        let filled = program.filled(folder.path(), address, Some(upstream));
        filled.lay_out(folder.path()).unwrap();
        assert_eq!(filled.command[1], format!("{}/81", folder.path().display()));
        assert_eq!(filled.variables(), [("PORT".to_owned(), OsString::from("81"))]);
        assert_eq!(
            fs::read_to_string(folder.path().join("a/b")).unwrap(),
            "127.0.0.1:81 > 10.0.0.2:82 = 10.0.0.2, 82;"
        );
    }

    #[test]
    fn variables_have_defaults_and_what_is_a_shells_stays() {
        assert_eq!(
            with_variables("-cp ${NO_SUCH_VARIABLE:-/a/b.jar:/c.jar} ${X}"),
            "-cp /a/b.jar:/c.jar ${X}"
        );
        let path = std::env::var("PATH").unwrap();
        assert_eq!(with_variables("${PATH:-x}, ${PATH:-y}"), format!("{path}, {path}"));
        assert_eq!(with_variables("$5 ${open"), "$5 ${open");
    }

    #[test]
    fn what_cannot_be_started_is_refused() {
        for (text, word) in [
            ("command = []", "command: empty"),
            ("command = [\"x\"]", "where the server listens"),
            (
                "command = [\"x\"]\nport = 1\nfiles = { \"../a\" = \"\" }",
                "within the server's folder",
            ),
            ("command = [\"x\"]\nport = 1\nready_s = 0.0", "ready_s"),
        ] {
            let error = toml::from_str::<Program>(text)
                .unwrap()
                .validate()
                .unwrap_err()
                .to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
