//! Process 1 of an arm: it waits for the program to start, writes the program's files, starts it and keeps its status. It
//! stays after the server has ended, so that the server's files can be fetched.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use agent::{HOOK_LOG, PROGRAM_FOLDER, ReadinessSign, STAMPS, ServerReport, ServerStatus, StartRequest, TELEMETRY};
use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

use crate::placement::{self, ProcessorChoice};
use crate::process_one::{self, ProcessEvent, Signals};
use crate::{listeners, requests};

/// Name of the file in the work folder with the request to start a program.
const START: &str = "start.json";

/// Passes the request on standard input to process 1.
pub(crate) fn request_start(work: &Path) -> Result<()> {
    let request: StartRequest = requests::read_request()?;
    let own = work.join(PROGRAM_FOLDER);
    fs::create_dir_all(&own).with_context(|| format!("cannot make the folder {}", own.display()))?;
    for (name, text) in &request.files {
        let path = own.join(name);
        let folder = path.parent().unwrap_or(&own);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    requests::replace(&work.join(START), &request)
}

/// Runs as process 1 until SIGTERM.
pub(crate) fn run(work: &Path, processor: ProcessorChoice) -> Result<()> {
    let placement = placement::confine(processor)?;
    let request = wait_for_request(work)?;
    if let Some(records) = request.records {
        lay_out(&work.join(TELEMETRY), records)?;
        let log = work.join(HOOK_LOG);
        fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
    }
    if let Some(stamps) = request.stamps {
        lay_out(&work.join(STAMPS), stamps)?;
    }
    // Before the signals are blocked, because the server would inherit the block.
    let mut child = spawn(&request, work)?;
    let signals = Signals::block()?;
    let pid = i32::try_from(child.id())?;
    // When memory runs out, the kernel kills the server and not this process, which can report it. The file is missing if
    // the server has ended already.
    _ = fs::write(format!("/proc/{pid}/oom_score_adj"), "1000");
    let status = match request.ready {
        ReadinessSign::Started => ServerStatus::Listening,
        ReadinessSign::Announcement | ReadinessSign::ListeningPort(_) => ServerStatus::Starting,
    };
    let supervisor = Supervisor {
        work,
        server: Arc::new(Mutex::new(ServerReport { pid, status, placement })),
    };
    supervisor.write_report()?;
    let output = child.stdout.take().context("a server without output")?;
    thread::scope(|scope| {
        scope.spawn(|| supervisor.copy_output(output, request.ready == ReadinessSign::Announcement));
        if let ReadinessSign::ListeningPort(port) = request.ready {
            let supervisor = &supervisor;
            scope.spawn(move || supervisor.wait_for_port(port));
        }
        supervisor.supervise(&signals, pid)
    })
}

fn wait_for_request(work: &Path) -> Result<StartRequest> {
    let path = work.join(START);
    while !path.exists() {
        thread::sleep(requests::POLL_INTERVAL);
    }
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// Makes a telemetry file with room for this many records.
pub(crate) fn lay_out(path: &Path, records: u32) -> Result<()> {
    let mut bytes = vec![0; usize::try_from(readhook_telemetry::file_len(records))?];
    readhook_telemetry::initialise(&mut bytes, records).context("cannot lay out a file for records")?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Starts the program in a folder of its own.
fn spawn(request: &StartRequest, work: &Path) -> Result<Child> {
    let Some((program, arguments)) = request.command.split_first() else {
        bail!("no server to start")
    };
    Command::new(program)
        .args(arguments)
        .envs(&request.environment)
        .current_dir(work.join(PROGRAM_FOLDER))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}"))
}

/// The server's status, which further processes read from a file.
struct Supervisor<'a> {
    work: &'a Path,
    server: Arc<Mutex<ServerReport>>,
}

impl Supervisor<'_> {
    /// Copies the server's output until it ends. If `announces`, the line `listening …` makes the server ready.
    fn copy_output(&self, output: ChildStdout, announces: bool) {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{line}");
            if announces && line.starts_with("listening ") {
                self.set_listening();
            }
        }
    }

    /// Waits until a socket listens on the port, or the server has ended.
    fn wait_for_port(&self, port: u16) {
        let status = || {
            self.server
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .status
                .clone()
        };
        while status() == ServerStatus::Starting {
            if listeners::is_listening(port) {
                self.set_listening();
            }
            thread::sleep(requests::POLL_INTERVAL);
        }
    }

    fn set_listening(&self) {
        let written = self.update(|status| {
            if *status == ServerStatus::Starting {
                *status = ServerStatus::Listening;
            }
        });
        if let Err(error) = written {
            eprintln!("agent: {error:#}");
        }
    }

    /// Records ends of children until this process must end.
    fn supervise(&self, signals: &Signals, pid: i32) -> Result<()> {
        // The server may have ended before its signal was waited for.
        let mut event = ProcessEvent::ChildrenEnded(process_one::reap());
        while let ProcessEvent::ChildrenEnded(children) = event {
            for child in children {
                self.record_end(pid, child)?;
            }
            event = signals.wait()?;
        }
        // The server ends with process 1 in any case; SIGTERM lets it end in order.
        _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        std::process::exit(0);
    }

    fn record_end(&self, pid: i32, child: WaitStatus) -> Result<()> {
        match child {
            WaitStatus::Exited(ended, code) if ended.as_raw() == pid => {
                self.update(|status| *status = ServerStatus::Exited(code))
            }
            WaitStatus::Signaled(ended, signal, _) if ended.as_raw() == pid => {
                self.update(|status| *status = ServerStatus::Killed(signal as i32))
            }
            _ => Ok(()),
        }
    }

    fn update(&self, change: impl FnOnce(&mut ServerStatus)) -> Result<()> {
        change(&mut self.server.lock().unwrap_or_else(PoisonError::into_inner).status);
        self.write_report()
    }

    fn write_report(&self) -> Result<()> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        requests::write_report(self.work, &server)
    }
}
