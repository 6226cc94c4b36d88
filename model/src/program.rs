//! Programs that the project did not write, as servers and proxies: command, environment, files.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;

/// The command, environment and files of a server or proxy.
///
/// Command, environment values and files may hold placeholders. [`ServerProgram::instance`] replaces them:
///
/// | placeholder | value |
/// |---|---|
/// | `{host}`, `{port}` | the address to listen on |
/// | `{dir}` | the program's own folder |
/// | `{upstream}` | the address to forward to, as `HOST:PORT`; for proxies |
/// | `{upstream_host}`, `{upstream_port}` | its parts |
///
/// In a file of `sut/macro/`, `${NAME:-default}` stands for a variable of the runner's environment
/// ([`ServerProgram::replace_variables`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerProgram {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Content of the files in the program's folder, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Paths of files to copy into the program's folder, by name there. A path is relative to the file that describes
    /// the program. Recorded experiments have the content in `files` instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub copies: BTreeMap<String, PathBuf>,
    /// The fixed port of a program without the placeholder `{port}`. Such a program needs its own network namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The working directory; without it the program's own folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Longest time from the start to the first response, s.
    #[serde(default = "a_minute")]
    pub ready_s: f64,
    /// Response headers that differ from response to response, besides `Date`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub varying: Vec<String>,
    /// Files and folders that a container image holds for the program, besides the program and its libraries. Each entry
    /// is one or several patterns, joined by `:`, such as `{prefix}/lib/python3*`. `{prefix}` is the folder above the
    /// program's folder. A pattern without a match adds nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image: Vec<String>,
}

const fn a_minute() -> f64 {
    60.0
}

/// A [`ServerProgram`] with all placeholders replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramInstance {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Content of the files in the program's folder, by name.
    pub files: BTreeMap<String, String>,
}

impl ServerProgram {
    /// Returns a program that a user named on a command line, with its working directory.
    #[must_use]
    pub fn new(command: Vec<String>, port: Option<u16>, directory: PathBuf) -> Self {
        Self {
            command,
            environment: BTreeMap::new(),
            files: BTreeMap::new(),
            copies: BTreeMap::new(),
            port,
            directory: Some(directory),
            ready_s: a_minute(),
            varying: Vec::new(),
            image: Vec::new(),
        }
    }

    /// Replaces `${NAME:-default}` in command, environment and image patterns by the variable's value, or by the default
    /// where `variable` returns none.
    pub fn replace_variables(&mut self, variable: impl Fn(&str) -> Option<String>) {
        let environment = self.environment.values_mut();
        for text in self.command.iter_mut().chain(&mut self.image).chain(environment) {
            *text = with_variables(text, &variable);
        }
    }

    /// Returns whether the program listens on the port that the runner chooses.
    #[must_use]
    pub fn takes_port(&self) -> bool {
        self.has_placeholder("{port}")
    }

    /// Returns whether a placeholder stands in the command, the environment or the files.
    #[must_use]
    pub fn has_placeholder(&self, placeholder: &str) -> bool {
        let mut texts = self
            .command
            .iter()
            .chain(self.environment.values())
            .chain(self.files.values());
        texts.any(|text| text.contains(placeholder))
    }

    /// Returns the patterns of the files that a container image holds for the program.
    pub fn image_patterns(&self) -> impl Iterator<Item = &str> {
        self.image.iter().flat_map(|patterns| patterns.split(':'))
    }

    /// Checks the command, the port, the time to start and the file names.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub fn validate(&self) -> Result<(), ModelError> {
        require(
            !self.command.is_empty(),
            "command",
            "empty",
            "a program and its arguments",
        )?;
        if !self.takes_port() && self.port.is_none() {
            return Err(ModelError::Problem(
                "the port of the server is not known; write {port} into its command, environment or files, or set `port`"
                    .to_owned(),
            ));
        }
        let ready_s = self.ready_s;
        require(ready_s.is_finite() && ready_s > 0.0, "ready_s", ready_s, "more than 0")?;
        for name in self.files.keys() {
            let mut parts = Path::new(name).components();
            let within = parts.all(|part| matches!(part, Component::Normal(_)));
            let expected = "a path within the server's folder";
            require(within && !name.is_empty(), "files", format!("{name:?}"), expected)?;
        }
        Ok(())
    }

    /// Replaces all placeholders. `folder` is the program's own folder, `address` the address to listen on, `upstream` the
    /// address that a proxy forwards to.
    #[must_use]
    pub fn instance(&self, folder: &Path, address: SocketAddr, upstream: Option<SocketAddr>) -> ProgramInstance {
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
        let replaced = |text: &str| {
            let all = values.iter();
            all.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        let all_replaced = |texts: &BTreeMap<String, String>| {
            let texts = texts.iter();
            texts.map(|(name, text)| (name.clone(), replaced(text))).collect()
        };
        ProgramInstance {
            command: self.command.iter().map(|word| replaced(word)).collect(),
            environment: all_replaced(&self.environment),
            files: all_replaced(&self.files),
        }
    }
}

/// Returns `text` with each `${NAME:-default}` replaced. `${NAME}` without a default belongs to a shell and stays.
fn with_variables(text: &str, variable: &impl Fn(&str) -> Option<String>) -> String {
    let Some((before, (inner, after))) = text
        .split_once("${")
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return text.to_owned();
    };
    let value = match inner.split_once(":-") {
        Some((name, default)) => variable(name).unwrap_or_else(|| default.to_owned()),
        None => format!("${{{inner}}}"),
    };
    format!("{before}{value}{}", with_variables(after, variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> ServerProgram {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn placeholders_are_replaced_in_command_environment_and_files() {
        let program = program(
            "command = [\"x\", \"{dir}/{port}\"]\nenvironment = { PORT = \"{port}\" }\n\
             files = { \"a/b\" = \"{host}:{port} > {upstream} = {upstream_host}, {upstream_port};\" }",
        );
        program.validate().unwrap();
        assert!(program.has_placeholder("{upstream}") && !program.has_placeholder("{down}"));
        let (address, upstream) = (([127, 0, 0, 1], 81).into(), ([10, 0, 0, 2], 82).into());
        let instance = program.instance(Path::new("/own"), address, Some(upstream));
        assert_eq!(instance.command, ["x", "/own/81"]);
        assert_eq!(
            instance.environment,
            BTreeMap::from([("PORT".to_owned(), "81".to_owned())])
        );
        assert_eq!(instance.files["a/b"], "127.0.0.1:81 > 10.0.0.2:82 = 10.0.0.2, 82;");
    }

    #[test]
    fn variables_have_defaults_and_shell_variables_stay() {
        let variable = |name: &str| (name == "KNOWN").then(|| "value".to_owned());
        let replaced = |text: &str| with_variables(text, &variable);
        assert_eq!(
            replaced("-cp ${OTHER:-/a/b.jar:/c.jar} ${X}"),
            "-cp /a/b.jar:/c.jar ${X}"
        );
        assert_eq!(replaced("${KNOWN:-x}, ${KNOWN:-y}"), "value, value");
        assert_eq!(replaced("$5 ${open"), "$5 ${open");
    }

    #[test]
    fn a_program_that_cannot_be_started_is_refused() {
        for (text, word) in [
            ("command = []", "`command`: empty"),
            ("command = [\"x\"]", "the port of the server is not known"),
            (
                "command = [\"x\"]\nport = 1\nfiles = { \"../a\" = \"\" }",
                "within the server's folder",
            ),
            ("command = [\"x\"]\nport = 1\nready_s = 0.0", "`ready_s`: 0"),
        ] {
            let error = program(text).validate().unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
