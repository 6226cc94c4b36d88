//! Process 1 of an arm: lays out the hook's files, starts the server, keeps account of how it is. It stays when the server
//! has ended, so that what the server left can still be fetched.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use agent::{LOG, STAMPS, Server, Status, TELEMETRY};
use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

use crate::ask;
use crate::first::{self, Event, Signals};
use crate::processor::{self, Processor};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which of the processors that this container may use
    #[arg(long, value_enum, default_value = "first")]
    processor: Processor,
    /// Lay out the hook's telemetry, with room for so many records
    #[arg(long)]
    records: Option<u32>,
    /// Lay out a file for the server's own stamps, with room for so many
    #[arg(long)]
    stamps: Option<u32>,
    /// A variable of the server's environment
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// The server
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// The server's account, told to whoever asks by a file.
struct Account<'a> {
    work: &'a Path,
    server: Arc<Mutex<Server>>,
}

pub(crate) fn run(work: &Path, options: &Options) -> Result<()> {
    let place = processor::confine(options.processor)?;
    if let Some(records) = options.records {
        lay_out(&work.join(TELEMETRY), records)?;
        let log = work.join(LOG);
        fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
    }
    if let Some(stamps) = options.stamps {
        lay_out(&work.join(STAMPS), stamps)?;
    }
    // Before the signals are blocked, or the server would begin with them blocked.
    let mut child = start(options)?;
    let signals = Signals::block()?;
    let pid = i32::try_from(child.id())?;
    // Where memory runs out, the server is to be killed and not this process, which can tell of it.
    let preference = format!("/proc/{pid}/oom_score_adj");
    fs::write(&preference, "1000").with_context(|| format!("cannot write {preference}"))?;
    let server = Arc::new(Mutex::new(Server {
        pid,
        status: Status::Starting,
        place,
    }));
    let account = Account { work, server };
    account.tell()?;
    let output = child.stdout.take().context("a server without output")?;
    thread::scope(|scope| {
        scope.spawn(|| account.listen(output));
        account.keep(&signals, pid)
    })
}

/// Makes a file with room for so many records.
fn lay_out(path: &Path, records: u32) -> Result<()> {
    let mut bytes = vec![0; usize::try_from(readhook_telemetry::file_len(records))?];
    readhook_telemetry::initialise(&mut bytes, records).context("cannot lay out a file for records")?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn start(options: &Options) -> Result<Child> {
    let Some((program, arguments)) = options.command.split_first() else {
        bail!("no server to start")
    };
    Command::new(program)
        .args(arguments)
        .envs(
            options
                .environment
                .iter()
                .filter_map(|variable| variable.split_once('=')),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}"))
}

impl Account<'_> {
    /// Passes on what the server prints, until it ends; its first line says that it listens.
    fn listen(&self, output: ChildStdout) {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{line}");
            if line.starts_with("listening ") {
                let told = self.change(|status| {
                    if *status == Status::Starting {
                        *status = Status::Listening;
                    }
                });
                if let Err(error) = told {
                    eprintln!("agent: {error:#}");
                }
            }
        }
    }

    /// Until this process is to end.
    fn keep(&self, signals: &Signals, pid: i32) -> Result<()> {
        // The server may have ended before its signal was waited for.
        let mut event = Event::Ended(first::ended());
        while let Event::Ended(children) = event {
            for child in children {
                self.note(pid, child)?;
            }
            event = signals.wait()?;
        }
        // Ends with this process 1 in any case; asked first, so that it can end in order.
        _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        std::process::exit(0);
    }

    fn note(&self, pid: i32, child: WaitStatus) -> Result<()> {
        match child {
            WaitStatus::Exited(ended, code) if ended.as_raw() == pid => {
                self.change(|status| *status = Status::Exited(code))
            }
            WaitStatus::Signaled(ended, signal, _) if ended.as_raw() == pid => {
                self.change(|status| *status = Status::Killed(signal as i32))
            }
            _ => Ok(()),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Status)) -> Result<()> {
        change(&mut self.server.lock().unwrap_or_else(PoisonError::into_inner).status);
        self.tell()
    }

    fn tell(&self) -> Result<()> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        ask::write(self.work, &server)
    }
}
