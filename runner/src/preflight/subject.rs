//! The foreign server of `runner measure` and `runner observe`, from a file or from the command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command_line::units::duration_ns;
use crate::program::{lacking, of_command_line, read_server_file};
use anyhow::{Context, Result, bail};
use model::{HttpRequest, Message, ServerFile, ServerProgram};

/// The command-line options of `runner measure` and `runner observe` that describe the server.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ForeignServerOptions {
    /// Environment variable of the server, as NAME=VALUE; once for each variable
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(crate) environment: Vec<String>,
    /// File with the request, TOML or JSON [default: GET /, or the request of --server]
    #[arg(long)]
    pub(crate) request: Option<PathBuf>,
    /// Port on which the server listens, if the command does not contain {port}
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// A ready server, such as sut/macro/nginx.toml, instead of a command
    #[arg(long, conflicts_with_all = ["command", "port"])]
    pub(crate) server: Option<PathBuf>,
    /// Longest time until the server answers, as 30s [default: 60s]
    #[arg(long, value_parser = duration_ns)]
    pub(crate) ready: Option<f64>,
    /// Working directory of the command [default: the current directory]
    #[arg(long)]
    pub(crate) directory: Option<PathBuf>,
}

/// A server and its request.
#[derive(Debug)]
pub(crate) struct ForeignServer {
    pub(crate) name: String,
    pub(crate) program: ServerProgram,
    pub(crate) request: Message,
    pub(crate) warm_up_rounds: Option<u64>,
}

impl ForeignServer {
    pub(crate) fn of_file(file: ServerFile) -> Self {
        Self {
            name: file.name,
            program: file.server,
            request: file.request,
            warm_up_rounds: file.warm_up_rounds,
        }
    }

    /// Returns the server of a command, with the request `GET /`.
    pub(crate) fn of_command(name: String, program: ServerProgram) -> Result<Self> {
        Ok(Self {
            name,
            program,
            request: Message::Http(HttpRequest::preset("minimal").context("the plain request")?),
            warm_up_rounds: None,
        })
    }

    /// Reads the server that the command line describes. `command` is used without the option `--server`.
    ///
    /// # Errors
    /// If a file cannot be read, the server is not installed, or an option is not valid.
    pub(crate) fn read(options: &ForeignServerOptions, command: &[String]) -> Result<Self> {
        let environment = environment(&options.environment)?;
        let request = options.request.as_deref().map(request).transpose()?;
        let mut subject = if let Some(path) = &options.server {
            let file = read_server_file(path)?;
            if let Some(reason) = lacking(&file.server.command[0], &file.debian, &file.nixpkgs) {
                bail!("{reason}");
            }
            Self::of_file(file)
        } else {
            let program = of_command_line(command.to_vec(), options.port, options.directory.as_deref())?;
            Self::of_command(command.join(" "), program)?
        };
        subject.program.environment.extend(environment);
        if let Some(ready_ns) = options.ready {
            subject.program.ready_s = ready_ns / 1e9;
        }
        subject.program.validate()?;
        subject.request = request.unwrap_or(subject.request);
        Ok(subject)
    }
}

fn environment(variables: &[String]) -> Result<BTreeMap<String, String>> {
    let pairs = variables.iter().map(|variable| {
        let (name, value) = variable
            .split_once('=')
            .with_context(|| format!("--env {variable}: expected NAME=VALUE"))?;
        if name == "LD_PRELOAD" {
            bail!("--env LD_PRELOAD: use --hook to name the object to load");
        }
        Ok((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Reads a request from a TOML or JSON file.
fn request(path: &Path) -> Result<Message> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let read = if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(anyhow::Error::from)
    } else {
        toml::from_str(&text).map_err(anyhow::Error::from)
    };
    read.with_context(|| {
        format!(
            "{} is no request; expected method, path, headers and body, or redis, or send with until or length",
            path.display()
        )
    })
}
