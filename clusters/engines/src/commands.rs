//! External programs, run one after the other: shown, stopped by a signal, and without one when they clean up.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::EngineError;
use crate::stop::Stop;

/// How long a program that was asked to stop may take before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl CommandLine {
    /// A program and its arguments.
    pub fn new<I>(words: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        Self {
            words: words.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.words.push(word.as_ref().to_owned());
        self
    }

    /// Adds several.
    #[must_use]
    pub fn args(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(OsString::from));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    fn shown(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or(OsStr::new(""), OsString::as_os_str));
        command.args(words).envs(self.environment.iter().cloned());
        // A group of its own: Ctrl-C reaches us, and we stop it in order.
        command.stdin(Stdio::null()).process_group(0);
        command
    }
}

/// Runs command lines.
#[derive(Clone, Debug)]
pub struct CommandRunner {
    /// None when cleaning up, which no signal interrupts.
    stop: Option<Stop>,
    pause: Duration,
}

impl CommandRunner {
    /// CommandRunner that a signal stops.
    #[must_use]
    pub fn new(stop: Stop) -> Self {
        Self {
            stop: Some(stop),
            pause: Duration::from_secs(5),
        }
    }

    /// The same, not to be stopped: for deleting what was created.
    #[must_use]
    pub fn for_cleaning_up(&self) -> Self {
        Self {
            stop: None,
            ..self.clone()
        }
    }

    /// Between two tries of [`CommandRunner::insist`].
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Runs it; what it prints goes to our standard error.
    ///
    /// # Errors
    /// When it cannot be started or fails, or a signal came.
    pub fn run(&self, line: &CommandLine) -> Result<(), EngineError> {
        self.begin(&line.shown())?;
        let mut child = spawned(line, line.command().stdout(std::io::stderr()))?;
        let status = self.wait(&mut child)?;
        succeeded(line, status)
    }

    /// Runs it and returns what it printed, without white space around it.
    ///
    /// # Errors
    /// As [`CommandRunner::run`].
    pub fn output(&self, line: &CommandLine) -> Result<String, EngineError> {
        self.begin(&line.shown())?;
        let mut child = spawned(line, line.command().stdout(Stdio::piped()))?;
        let pipe = child.stdout.take();
        let reader = thread::spawn(move || {
            let mut text = String::new();
            pipe.map(|mut pipe| pipe.read_to_string(&mut text));
            text
        });
        let status = self.wait(&mut child)?;
        succeeded(line, status)?;
        Ok(reader.join().unwrap_or_default().trim().to_owned())
    }

    /// Runs both, the first's output being the second's input. It does not pass through this process.
    ///
    /// # Errors
    /// As [`CommandRunner::run`].
    pub fn pipe(&self, from: &CommandLine, to: &CommandLine) -> Result<(), EngineError> {
        self.begin(&format!("{} | {}", from.shown(), to.shown()))?;
        let mut first = spawned(from, from.command().stdout(Stdio::piped()))?;
        let input = first.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let second = spawned(to, to.command().stdin(input).stdout(std::io::stderr()));
        let ended = self.wait(&mut first);
        let mut second = second?;
        let then = self.wait(&mut second);
        succeeded(from, ended?)?;
        succeeded(to, then?)
    }

    /// As [`CommandRunner::output`], up to three times: for what must not be left undone because of a passing fault.
    ///
    /// # Errors
    /// The last try's.
    pub fn insist(&self, line: &CommandLine) -> Result<String, EngineError> {
        for _ in 0..2 {
            match self.output(line) {
                Err(EngineError::Command { reason, .. }) => eprintln!("{}: {reason}; once more", line.shown()),
                other => return other,
            }
            thread::sleep(self.pause);
        }
        self.output(line)
    }

    /// Goes on, unless a signal came, also one while cleaning up.
    ///
    /// # Errors
    /// When it did.
    pub fn go_on(&self) -> Result<(), EngineError> {
        if self.stopped() {
            Err(EngineError::Stopped)
        } else {
            Ok(())
        }
    }

    fn stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn begin(&self, shown: &str) -> Result<(), EngineError> {
        self.go_on()?;
        eprintln!("$ {shown}");
        Ok(())
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, EngineError> {
        let mut asked: Option<Instant> = None;
        loop {
            match child.try_wait() {
                Ok(Some(_)) if asked.is_some() => return Err(EngineError::Stopped),
                Ok(Some(status)) => return Ok(status),
                Ok(None) => thread::sleep(Duration::from_millis(20)),
                Err(error) => {
                    return Err(EngineError::Command {
                        command: child.id().to_string(),
                        reason: format!("cannot be waited for: {error}"),
                    });
                }
            }
            let group = Pid::from_raw(-i32::try_from(child.id()).unwrap_or(i32::MAX));
            match asked {
                None if self.stopped() => {
                    asked = Some(Instant::now());
                    // It may have ended in between.
                    _ = kill(group, Signal::SIGTERM);
                }
                Some(asked) if asked.elapsed() > GRACE => _ = kill(group, Signal::SIGKILL),
                _ => {}
            }
        }
    }
}

fn spawned(line: &CommandLine, command: &mut Command) -> Result<Child, EngineError> {
    command.spawn().map_err(|error| EngineError::Command {
        command: line.shown(),
        reason: match error.kind() {
            std::io::ErrorKind::NotFound => "not installed; `cargo xtask doctor` says what each condition needs".into(),
            _ => format!("cannot be started: {error}"),
        },
    })
}

fn succeeded(line: &CommandLine, status: ExitStatus) -> Result<(), EngineError> {
    if status.success() {
        return Ok(());
    }
    Err(EngineError::Command {
        command: line.shown(),
        reason: format!("ended with {status}; what it said stands above"),
    })
}
