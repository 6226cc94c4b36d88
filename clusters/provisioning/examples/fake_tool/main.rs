//! A stand-in for kind, eksctl, aws and docker. The name of the link that starts it is the name of the tool. It records each
//! command line, keeps a file for each resource that the real tool would create, and refuses command lines that the real
//! tool refuses. It is an example because the tests need it as a program.
//!
//! Sources of the flags: the command definitions of kind 0.33 and eksctl 0.231, the reference of the AWS CLI (a test passes
//! the same lines to an installed `aws`), and `docker --help` of 28.2.
//!
//! `FAKE_STATE` names the folder. With `FAKE_FAIL=N,M`, calls N and M fail before their work; with `FAKE_BREAK=N`, call N
//! fails after its work. With `FAKE_SIGNAL=N`, call N sends a signal to its parent in the middle of its work and then
//! continues. The signal is SIGINT, or the one that `FAKE_SIGNAL_NAME` names.
#![forbid(unsafe_code)]

mod call;
mod state;

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use call::Call;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use state::State;

fn main() -> ExitCode {
    let state = State(PathBuf::from(
        std::env::var_os("FAKE_STATE").expect("FAKE_STATE is set"),
    ));
    let mut line: Vec<String> = std::env::args().collect();
    line[0] = Path::new(&line[0])
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let calls = record(&state.0.join("calls"), &line.join(" ")).expect("the calls are recorded");
    let number = calls.lines().count().to_string();
    let is =
        |variable: &str| std::env::var(variable).is_ok_and(|wanted| wanted.split(',').any(|wanted| wanted == number));
    if is("FAKE_FAIL") {
        eprintln!("a fault at call {number}");
        return ExitCode::FAILURE;
    }
    let call = match Call::parse(&line) {
        Ok(call) => call,
        Err(reason) => {
            eprintln!("Error: {reason}");
            // Distinguishes this error from a requested fault.
            fs::write(state.0.join("refused"), format!("{}: {reason}\n", line.join(" "))).expect("recorded");
            return ExitCode::from(2);
        }
    };
    match act(&call, &state, is("FAKE_SIGNAL")) {
        Err(reason) => {
            eprintln!("Error: {reason}");
            ExitCode::FAILURE
        }
        Ok(_) if is("FAKE_BREAK") => {
            eprintln!("a fault after call {number}");
            ExitCode::FAILURE
        }
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
    }
}

/// Adds a line to the recorded calls and returns all lines. The two sides of a pipe start at the same time.
fn record(log: &Path, line: &str) -> std::io::Result<String> {
    let mut log = fs::OpenOptions::new().read(true).append(true).create(true).open(log)?;
    log.lock()?;
    writeln!(log, "{line}")?;
    log.rewind()?;
    let mut calls = String::new();
    log.read_to_string(&mut calls)?;
    Ok(calls)
}

fn interrupt() {
    let name = std::env::var("FAKE_SIGNAL_NAME").unwrap_or("INT".into());
    let signal: Signal = format!("SIG{name}").parse().expect("a signal's name");
    kill(Pid::parent(), signal).expect("the parent gets a signal");
    std::thread::sleep(Duration::from_millis(300));
}

/// Does the work of the command. With `interrupted`, a signal arrives in the middle of it.
fn act(call: &Call, state: &State, interrupted: bool) -> Result<String, String> {
    let middle = || {
        if interrupted {
            interrupt();
        }
    };
    let text = match call.command {
        "kind create cluster" => {
            let name = call.flag("--name")?;
            state.create("cluster", name)?;
            middle();
            fs::write(call.flag("--kubeconfig")?, "").map_err(|error| error.to_string())?;
            String::new()
        }
        "kind get clusters" => lines(&state.list("cluster")),
        // The real command succeeds, too, if there is none.
        "kind delete cluster" => state
            .delete("cluster", call.flag("--name")?)
            .map_or_else(|_| String::new(), |()| String::new()),
        "kind load image-archive" => {
            if state.list("cluster").is_empty() {
                return Err("no nodes found for cluster".into());
            }
            fs::metadata(&call.words[0]).map_err(|error| error.to_string())?;
            String::new()
        }
        "eksctl create cluster" => {
            if state.list("placement").is_empty() {
                return Err("InvalidPlacementGroup.Unknown: the placement group is unknown".into());
            }
            state.create("stack", "eksctl-hook-latency-cluster")?;
            middle();
            state.create("stack", "eksctl-hook-latency-nodegroup-nodes")?;
            fs::write(call.flag("--kubeconfig")?, "").map_err(|error| error.to_string())?;
            String::new()
        }
        "eksctl delete cluster" => {
            if state.list("stack").is_empty() {
                return Err("ResourceNotFoundException: no cluster found".into());
            }
            _ = state.delete("stack", "eksctl-hook-latency-nodegroup-nodes");
            middle();
            _ = state.delete("stack", "eksctl-hook-latency-cluster");
            String::new()
        }
        _ => aws_or_docker(call, state)?,
    };
    middle();
    Ok(text)
}

fn aws_or_docker(call: &Call, state: &State) -> Result<String, String> {
    Ok(match call.command {
        "aws sts get-caller-identity" => "123456789012\n".into(),
        "aws ec2 create-placement-group" => {
            state.create("placement", call.flag("--group-name")?)?;
            "{\"PlacementGroup\": {}}\n".into()
        }
        "aws ec2 describe-placement-groups" => tabs(&state.list("placement")),
        "aws ec2 delete-placement-group" => {
            if !state.list("stack").is_empty() {
                return Err("InvalidPlacementGroup.InUse: the placement group is in use".into());
            }
            state.delete("placement", call.flag("--group-name")?)?;
            String::new()
        }
        "aws ecr create-repository" => {
            state.create("repository", call.flag("--repository-name")?)?;
            "{\"repository\": {}}\n".into()
        }
        "aws ecr describe-repositories" => tabs(&state.list("repository")),
        "aws ecr delete-repository" => {
            let name = call.flag("--repository-name")?;
            if !state.list("image").is_empty() && call.flag("--force").is_err() {
                return Err("RepositoryNotEmptyException: it still contains images".into());
            }
            state.delete("repository", name)?;
            for image in state.list("image") {
                state.delete("image", &image)?;
            }
            String::new()
        }
        "aws ecr get-login-password" => "a password\n".into(),
        "aws ecr describe-images" => {
            if state.list("image").is_empty() {
                return Err("ImageNotFoundException: no such image".into());
            }
            "sha256:0123456789abcdef\n".into()
        }
        "aws cloudformation describe-stacks" => tabs(&state.list("stack")),
        "aws cloudformation delete-stack" => {
            let name = call.flag("--stack-name")?;
            if name.ends_with("-cluster") && state.list("stack").len() > 1 {
                return Err("the stack of the nodes stands on it".into());
            }
            // The real command succeeds, too, if there is none.
            _ = state.delete("stack", name);
            String::new()
        }
        "aws cloudformation wait stack-delete-complete" => String::new(),
        _ => docker(call, state)?,
    })
}

fn docker(call: &Call, state: &State) -> Result<String, String> {
    let home = std::env::var("DOCKER_CONFIG").map_err(|_| "would write into the user's own ~/.docker")?;
    Ok(match call.command {
        "docker images" => state
            .list("local")
            .into_iter()
            .filter(|name| *name == call.words[0])
            .collect(),
        "docker load" => {
            fs::metadata(call.flag("--input")?).map_err(|error| error.to_string())?;
            state.create("local", "hook-latency:1")?;
            String::new()
        }
        "docker tag" => {
            if !state.list("local").contains(&call.words[0]) {
                return Err(format!("No such image: {}", call.words[0]));
            }
            state.create("local", &call.words[1])?;
            String::new()
        }
        "docker login" => {
            let mut password = String::new();
            _ = std::io::stdin().read_to_string(&mut password);
            if password.trim() != "a password" {
                return Err("unauthorized".into());
            }
            fs::write(Path::new(&home).join("config.json"), password).map_err(|error| error.to_string())?;
            String::new()
        }
        "docker push" => {
            fs::metadata(Path::new(&home).join("config.json")).map_err(|_| "no basic auth credentials")?;
            if state.list("repository").is_empty() {
                return Err("name unknown: the repository does not exist".into());
            }
            state.create("image", &call.words[0])?;
            String::new()
        }
        "docker image rm" => {
            state.delete("local", &call.words[0])?;
            String::new()
        }
        other => return Err(format!("nobody said what `{other}` does")),
    })
}

fn lines(names: &[String]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

/// Returns a list in the form of `--output text`.
fn tabs(names: &[String]) -> String {
    names.join("\t") + "\n"
}
