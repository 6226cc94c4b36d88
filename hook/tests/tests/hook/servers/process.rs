//! Starts servers, waits until they are ready, sends signals to them and stops them.

use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hook_tests::{bare, machine};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::protocol::Protocol;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Nginx,
    Redis,
    Node,
    Python,
    Java,
    Sut {
        accept: &'static str,
        receive: &'static str,
    },
}

/// A server whose answer depends on the path, with keep-alive and without chunked encoding.
const NODE: &str = "require('http').createServer((request, response) => {
  const body = request.url + ' ' + request.headers['x-number'] + '\\n';
  response.writeHead(request.url === '/missing' ? 404 : 200, { 'Content-Length': body.length });
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');";
const PYTHON: &str = "import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    def log_message(self, *arguments): pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()";

impl Kind {
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Redis => Protocol::Redis,
            _ => Protocol::Http,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Redis => "redis-server",
            Self::Node => "node",
            Self::Python => "python3",
            Self::Java => "javac",
            Self::Sut { .. } => "sut",
        }
    }

    /// Returns the reason why this server cannot be tested here, `None` if it can.
    pub(crate) fn missing(self) -> Option<String> {
        if let Self::Sut { .. } = self {
            return None;
        }
        let program = self.program();
        let place = machine::emulated().map_or("this machine", |_| "the emulated machine");
        machine::find(program)
            .is_none()
            .then(|| format!("{program} is not installed on {place}"))
    }

    fn command(self, directory: &Path, port: u16) -> Result<Command> {
        let file = |name: &str, text: &str| -> Result<PathBuf> {
            let path = directory.join(name);
            fs::write(&path, text)?;
            Ok(path)
        };
        let address = format!("127.0.0.1:{port}");
        let (program, arguments): (OsString, Vec<OsString>) = match self {
            Self::Nginx => {
                let text = format!(
                    "user root; daemon off; worker_processes 2; pid {0}/pid; error_log {0}/error.log;
                     events {{}}
                     http {{ access_log {0}/access.log;
                         client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi;
                         uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;
                         server {{
                         listen {address}; root {0}/www; keepalive_requests 100000000; }} }}",
                    directory.display()
                );
                let configuration = file("nginx.conf", &text)?;
                (
                    "nginx".into(),
                    vec!["-c".into(), configuration.into(), "-p".into(), directory.into()],
                )
            }
            Self::Redis => {
                let words = ["--bind", "127.0.0.1", "--save", "", "--port"];
                let words = words.into_iter().map(OsString::from).chain([port.to_string().into()]);
                ("redis-server".into(), words.collect())
            }
            Self::Node => (
                "node".into(),
                vec![file("server.js", NODE)?.into(), port.to_string().into()],
            ),
            Self::Python => (
                "python3".into(),
                vec![file("server.py", PYTHON)?.into(), port.to_string().into()],
            ),
            Self::Java => {
                let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sut/java/HttpServerApp.java");
                ("java".into(), vec![source.into(), address.into()])
            }
            Self::Sut { accept, receive } => {
                let words = [
                    "--listen",
                    &address,
                    "--accept",
                    accept,
                    "--receive",
                    receive,
                    "--threads",
                    "8",
                ];
                (
                    machine::workspace_program("sut", "sut")?.into(),
                    words.into_iter().map(OsString::from).collect(),
                )
            }
        };
        let program = machine::find(&program.to_string_lossy()).unwrap_or(program.into());
        let mut command = bare(&program);
        command.args(arguments).current_dir(directory.join("www"));
        Ok(command)
    }
}

/// A running server, which is stopped when the value is dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    pub(crate) fn start(kind: Kind, directory: &Path, environment: &[(&'static str, String)]) -> Result<Self> {
        let www = directory.join("www");
        fs::create_dir_all(&www)?;
        for (name, text) in [
            ("index.html", "index\n"),
            ("a.txt", "a\n"),
            ("b.txt", &"b".repeat(3_000)),
        ] {
            // The file is written only once, because an answer contains its modification time.
            if !www.join(name).exists() {
                fs::write(www.join(name), text)?;
            }
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = kind
            .command(directory, port)?
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{kind:?}"))?;
        let mut server = Self {
            child,
            address: ([127, 0, 0, 1], port).into(),
        };
        let start = Instant::now();
        while TcpStream::connect(server.address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{kind:?} ended with {status} before it listened");
            }
            ensure!(start.elapsed() < Duration::from_secs(60), "{kind:?} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    pub(crate) fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(stream)
    }

    /// Sends these signals in turn, `count` in total.
    pub(crate) fn storm(&self, signals: &[Signal], count: u32) -> Result<()> {
        for (_, signal) in (0..count).zip(signals.iter().cycle()) {
            self.signal(*signal)?;
            thread::sleep(Duration::from_millis(40));
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.child.id().try_into()?), signal).with_context(|| format!("{signal} cannot be sent"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM comes first, so that the workers end too.
        _ = self.signal(Signal::SIGTERM);
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() > Duration::from_secs(5) {
                _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}
