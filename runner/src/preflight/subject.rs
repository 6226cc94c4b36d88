//! The server that is measured, from a file or from the command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::program::{missing_server, of_command_line, read_server_file};
use anyhow::{Context, Result, bail};
use model::{HttpRequest, Message, ServerFile, ServerProgram};

/// What the command line says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubjectOptions<'a> {
    pub(crate) environment: &'a [String],
    pub(crate) request: Option<&'a Path>,
    pub(crate) server: Option<&'a Path>,
    pub(crate) command: &'a [String],
    pub(crate) port: Option<u16>,
    pub(crate) directory: Option<&'a Path>,
    /// Longest time until the server answers, ns.
    pub(crate) ready_ns: Option<f64>,
}

/// Server and request.
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

    /// A command that answers `GET /`.
    pub(crate) fn of_command(name: String, program: ServerProgram) -> Result<Self> {
        Ok(Self {
            name,
            program,
            request: Message::Http(HttpRequest::preset("minimal").context("the plain request")?),
            warm_up_rounds: None,
        })
    }

    pub(crate) fn read(given: &SubjectOptions<'_>) -> Result<Self> {
        let environment = environment(given.environment)?;
        let request = given.request.map(request).transpose()?;
        let mut subject = match given.server {
            Some(path) => {
                let file = read_server_file(path)?;
                if let Some(reason) = missing_server(&file) {
                    bail!("{reason}");
                }
                Self::of_file(file)
            }
            None => {
                let program = of_command_line(given.command.to_vec(), given.port, given.directory)?;
                Self::of_command(given.command.join(" "), program)?
            }
        };
        subject.program.environment.extend(environment);
        if let Some(ready_ns) = given.ready_ns {
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
            bail!("--env LD_PRELOAD: what is to be loaded is said by --hook");
        }
        Ok((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// A request from a TOML or JSON file.
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
