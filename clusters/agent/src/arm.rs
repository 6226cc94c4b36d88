//! Process 1 of an arm: waits until it is told what to start, lays out files, starts it, keeps account of how it is. It
//! stays when the server has ended, so that what the server left can still be fetched.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use agent::{LOG, OWN, Ready, STAMPS, Server, Start, Status, TELEMETRY};
use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

use crate::first::{self, Event, Signals};
use crate::processor::{self, Processor};
use crate::{ask, sockets};

/// What process 1 is to start, in the work folder.
const START: &str = "start.json";

/// The server's account, told to whoever asks by a file.
struct Account<'a> {
    work: &'a Path,
    server: Arc<Mutex<Server>>,
}

/// Leaves what was asked on standard input to process 1.
pub(crate) fn tell(work: &Path) -> Result<()> {
    let start: Start = ask::hear()?;
    let own = work.join(OWN);
    fs::create_dir_all(&own).with_context(|| format!("cannot make the folder {}", own.display()))?;
    for (name, text) in &start.files {
        let path = own.join(name);
        let folder = path.parent().unwrap_or(&own);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    ask::replace(&work.join(START), &start)
}

pub(crate) fn run(work: &Path, processor: Processor) -> Result<()> {
    let place = processor::confine(processor)?;
    let start = told(work)?;
    if let Some(records) = start.records {
        lay_out(&work.join(TELEMETRY), records)?;
        let log = work.join(LOG);
        fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
    }
    if let Some(stamps) = start.stamps {
        lay_out(&work.join(STAMPS), stamps)?;
    }
    // Before the signals are blocked, or the server would begin with them blocked.
    let mut child = spawn(&start, work)?;
    let signals = Signals::block()?;
    let pid = i32::try_from(child.id())?;
    // Where memory runs out, the server is to be killed and not this process, which can tell of it. One that has ended
    // already has no preference any more.
    _ = fs::write(format!("/proc/{pid}/oom_score_adj"), "1000");
    let status = match start.ready {
        Ready::Starts => Status::Listening,
        Ready::Says | Ready::Listens(_) => Status::Starting,
    };
    let server = Arc::new(Mutex::new(Server { pid, status, place }));
    let account = Account { work, server };
    account.tell()?;
    let output = child.stdout.take().context("a server without output")?;
    thread::scope(|scope| {
        scope.spawn(|| account.listen(output, start.ready == Ready::Says));
        if let Ready::Listens(port) = start.ready {
            let account = &account;
            scope.spawn(move || account.look(port));
        }
        account.keep(&signals, pid)
    })
}

/// Waits until it is said what to start.
fn told(work: &Path) -> Result<Start> {
    let path = work.join(START);
    while !path.exists() {
        thread::sleep(ask::LOOK);
    }
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// Makes a file with room for so many records.
pub(crate) fn lay_out(path: &Path, records: u32) -> Result<()> {
    let mut bytes = vec![0; usize::try_from(readhook_telemetry::file_len(records))?];
    readhook_telemetry::initialise(&mut bytes, records).context("cannot lay out a file for records")?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Starts it in a folder of its own.
fn spawn(start: &Start, work: &Path) -> Result<Child> {
    let Some((program, arguments)) = start.command.split_first() else {
        bail!("no server to start")
    };
    Command::new(program)
        .args(arguments)
        .envs(&start.environment)
        .current_dir(work.join(OWN))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}"))
}

impl Account<'_> {
    /// Passes on what the server prints, until it ends; where it is one that `says` that it listens, that is heard.
    fn listen(&self, output: ChildStdout, says: bool) {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{line}");
            if says && line.starts_with("listening ") {
                self.listens();
            }
        }
    }

    /// Looks until somebody listens on the port, or the server has ended.
    fn look(&self, port: u16) {
        let starting = || self.server.lock().unwrap_or_else(PoisonError::into_inner).status == Status::Starting;
        while starting() {
            if sockets::is_listening(port) {
                self.listens();
            }
            thread::sleep(ask::LOOK);
        }
    }

    fn listens(&self) {
        let told = self.change(|status| {
            if *status == Status::Starting {
                *status = Status::Listening;
            }
        });
        if let Err(error) = told {
            eprintln!("agent: {error:#}");
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
