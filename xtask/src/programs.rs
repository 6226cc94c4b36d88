//! Programs that a verb launches. The command line of each is printed to standard error before it starts.

use std::borrow::Cow;
use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use duct::Expression;

/// A command line.
pub(crate) struct Program {
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Program {
    /// A program by name (looked up in PATH) or by path.
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        Self {
            words: vec![program.into()],
            environment: Vec::new(),
        }
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.words.push(argument.into());
        self
    }

    /// Adds several arguments.
    pub(crate) fn args<I>(mut self, arguments: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        self.words.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds an option with each value. Adds nothing if there are no values.
    pub(crate) fn options<I>(self, flag: &str, values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        values
            .into_iter()
            .fold(self, |program, value| program.arg(flag).arg(value))
    }

    /// Adds a flag if `given` is true.
    pub(crate) fn flag(self, flag: &str, given: bool) -> Self {
        self.args(given.then_some(flag))
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Returns the command line as a user types it in a shell.
    pub(crate) fn shown(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.environment {
            let _ = write!(text, "{}={} ", name.to_string_lossy(), quoted(&value.to_string_lossy()));
        }
        let words: Vec<String> = self
            .words
            .iter()
            .map(|word| quoted(&word.to_string_lossy()).into_owned())
            .collect();
        text + &words.join(" ")
    }

    /// Runs the program with our standard output and error, and without input.
    ///
    /// # Errors
    /// When the program cannot be started or fails.
    pub(crate) fn run(&self) -> Result<()> {
        self.run_as(&self.expression())
    }

    /// Runs the program and returns its exit status.
    ///
    /// # Errors
    /// When the program cannot be started or is ended by a signal.
    pub(crate) fn status(&self) -> Result<ExitCode> {
        eprintln!("$ {}", self.shown());
        let output = self.expression().unchecked().run();
        let status = output
            .with_context(|| format!("cannot start `{}`", self.shown()))?
            .status;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code
            .with_context(|| format!("`{}` failed: {status}", self.shown()))?
            .into())
    }

    /// Runs the program without input, with its output on our standard error, because the output is not a result of the
    /// verb.
    ///
    /// # Errors
    /// The errors of [`Program::run`].
    pub(crate) fn run_aside(&self) -> Result<()> {
        self.run_as(&self.expression().stdout_to_stderr())
    }

    fn run_as(&self, expression: &Expression) -> Result<()> {
        eprintln!("$ {}", self.shown());
        let output = expression
            .unchecked()
            .run()
            .with_context(|| format!("cannot start `{}`", self.shown()))?;
        self.succeeded(output.status)
    }

    /// Runs the program and returns its standard output.
    ///
    /// # Errors
    /// When the program cannot be started, fails, or writes anything but UTF-8.
    pub(crate) fn output(&self) -> Result<String> {
        self.expression()
            .read()
            .with_context(|| format!("`{}` failed", self.shown()))
    }

    /// The expression to run, for callers that handle the streams themselves.
    pub(crate) fn expression(&self) -> Expression {
        let mut expression = duct::cmd(&self.words[0], &self.words[1..]).stdin_null();
        expression = expression.env("PATH", search_path());
        for (name, value) in &self.environment {
            expression = expression.env(name, value);
        }
        expression
    }

    /// Turns an exit status into a result that names the command.
    ///
    /// # Errors
    /// When the status is not success.
    pub(crate) fn succeeded(&self, status: std::process::ExitStatus) -> Result<()> {
        if !status.success() {
            bail!("`{}` failed: {status}; its own message stands above", self.shown());
        }
        Ok(())
    }
}

/// Returns the cargo that runs this program.
pub(crate) fn cargo() -> Program {
    Program::new("cargo")
}

/// Returns PATH with the folders that contain servers. Debian omits these folders from the PATH of ordinary users.
fn search_path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    for folder in ["/usr/sbin", "/sbin"].map(PathBuf::from) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    env::join_paths(folders).unwrap_or(path)
}

/// Returns the path of a program; `None` if it is not installed.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    which::which_in_global(name, Some(search_path())).ok()?.next()
}

/// Returns a word quoted for a shell. A word with a NUL byte, which no shell can read, stays as it is.
fn quoted(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

#[cfg(test)]
mod tests {
    use super::Program;

    #[test]
    fn shows_a_command_that_can_be_pasted_into_a_shell() {
        let program = Program::new("echo").env("A", "b c").arg("it's").args(["x", ""]);
        assert_eq!(program.shown(), r#"A='b c' echo "it's" x ''"#);
        assert_eq!(Program::new("printf").arg("%s|").arg("a b").output().unwrap(), "a b|");
    }

    #[test]
    fn folders_of_servers_are_in_the_path_of_every_user() {
        let path = Program::new("printenv").arg("PATH").output().unwrap();
        assert!(path.split(':').any(|folder| folder == "/usr/sbin"), "{path}");
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = Program::new("false").run().unwrap_err().to_string();
        assert!(error.starts_with("`false` failed: exit status: 1"), "{error}");
    }
}
