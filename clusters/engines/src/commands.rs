//! External programs, run one after the other. Each command line is printed. A signal stops a program, unless it cleans up.

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

/// Time after which a program that got SIGTERM is killed.
const KILL_AFTER: Duration = Duration::from_secs(10);

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl CommandLine {
    /// Makes a command line of a program and its arguments.
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

    /// Adds arguments.
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

    fn text(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or(OsStr::new(""), OsString::as_os_str));
        command.args(words).envs(self.environment.iter().cloned());
        // The program has a process group of its own. Ctrl-C therefore reaches only this process, which then stops the
        // program.
        command.stdin(Stdio::null()).process_group(0);
        command
    }
}

/// Runs command lines, one after the other.
#[derive(Clone, Debug)]
pub struct CommandRunner {
    /// `None` for a cleanup, which no signal interrupts.
    stop: Option<Stop>,
    pause: Duration,
}

impl CommandRunner {
    /// Makes a runner whose programs a signal stops.
    #[must_use]
    pub fn new(stop: Stop) -> Self {
        Self {
            stop: Some(stop),
            pause: Duration::from_secs(5),
        }
    }

    /// Returns a runner that no signal stops, to delete resources.
    #[must_use]
    pub fn for_cleaning_up(&self) -> Self {
        Self {
            stop: None,
            ..self.clone()
        }
    }

    /// Sets the time between two attempts of [`CommandRunner::output_with_retries`].
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Runs a program. Its output goes to the standard error of this process.
    ///
    /// # Errors
    /// When the program cannot be started or fails, or a signal came.
    pub fn run(&self, line: &CommandLine) -> Result<(), EngineError> {
        self.begin(&line.text())?;
        let mut child = spawn(line, line.command().stdout(std::io::stderr()))?;
        let status = self.wait(&mut child)?;
        check_status(line, status)
    }

    /// Runs a program and returns its standard output, trimmed.
    ///
    /// # Errors
    /// The errors of [`CommandRunner::run`].
    pub fn output(&self, line: &CommandLine) -> Result<String, EngineError> {
        self.begin(&line.text())?;
        let mut child = spawn(line, line.command().stdout(Stdio::piped()))?;
        let pipe = child.stdout.take();
        let reader = thread::spawn(move || {
            let mut text = String::new();
            pipe.map(|mut pipe| pipe.read_to_string(&mut text));
            text
        });
        let status = self.wait(&mut child)?;
        check_status(line, status)?;
        Ok(reader.join().unwrap_or_default().trim().to_owned())
    }

    /// Runs two programs. A pipe connects the output of the first with the input of the second.
    ///
    /// # Errors
    /// The errors of [`CommandRunner::run`], for either program.
    pub fn pipe(&self, from: &CommandLine, to: &CommandLine) -> Result<(), EngineError> {
        self.begin(&format!("{} | {}", from.text(), to.text()))?;
        let mut first = spawn(from, from.command().stdout(Stdio::piped()))?;
        let input = first.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let second = spawn(to, to.command().stdin(input).stdout(std::io::stderr()));
        let ended = self.wait(&mut first);
        let mut second = second?;
        let then = self.wait(&mut second);
        check_status(from, ended?)?;
        check_status(to, then?)
    }

    /// Runs a program in up to three attempts and returns its standard output, trimmed. A temporary fault thus does not
    /// prevent a cleanup.
    ///
    /// # Errors
    /// The error of the last attempt.
    pub fn output_with_retries(&self, line: &CommandLine) -> Result<String, EngineError> {
        for _ in 0..2 {
            match self.output(line) {
                Err(EngineError::Command { reason, .. }) => eprintln!("{}: {reason}; trying again", line.text()),
                other => return other,
            }
            thread::sleep(self.pause);
        }
        self.output(line)
    }

    /// Returns an error if a signal came, also during a cleanup.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub fn check_stop(&self) -> Result<(), EngineError> {
        if self.stopped() {
            Err(EngineError::Stopped)
        } else {
            Ok(())
        }
    }

    fn stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn begin(&self, text: &str) -> Result<(), EngineError> {
        self.check_stop()?;
        eprintln!("$ {text}");
        Ok(())
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, EngineError> {
        let mut terminated: Option<Instant> = None;
        loop {
            match child.try_wait() {
                Ok(Some(_)) if terminated.is_some() => return Err(EngineError::Stopped),
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
            match terminated {
                None if self.stopped() => {
                    terminated = Some(Instant::now());
                    // The program may have ended meanwhile.
                    _ = kill(group, Signal::SIGTERM);
                }
                Some(since) if since.elapsed() > KILL_AFTER => _ = kill(group, Signal::SIGKILL),
                _ => {}
            }
        }
    }
}

fn spawn(line: &CommandLine, command: &mut Command) -> Result<Child, EngineError> {
    command.spawn().map_err(|error| EngineError::Command {
        command: line.text(),
        reason: match error.kind() {
            std::io::ErrorKind::NotFound => {
                "not installed; `cargo xtask doctor` lists the programs that each condition needs".into()
            }
            _ => format!("cannot be started: {error}"),
        },
    })
}

fn check_status(line: &CommandLine, status: ExitStatus) -> Result<(), EngineError> {
    if status.success() {
        return Ok(());
    }
    Err(EngineError::Command {
        command: line.text(),
        reason: format!("ended with {status}; its output stands above"),
    })
}
