//! A command in a container, its streams carried over one WebSocket.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::client::{answer, failed};
use crate::container::CommandOutcome;
use crate::engine::OutputListener;
use crate::error::EngineError;

/// Room for what is under way.
const BUFFER: usize = 1 << 20;
/// The end of standard error that is kept.
const KEPT: usize = 4096;
/// How often the pod is looked at while a command runs: a node that was lost does not close the stream.
const LOOK: Duration = Duration::from_secs(5);

/// How long one may take that ends by itself.
const ENDS: Duration = Duration::from_secs(30);

/// Runs a command to its end. `alive` says why nothing can come any more.
pub(super) async fn run<A, F>(
    pods: &Api<Pod>,
    pod: &str,
    container: &str,
    command: &[&str],
    stdin: &[u8],
    listener: &mut dyn OutputListener,
    alive: A,
) -> Result<CommandOutcome, EngineError>
where
    A: Fn() -> F,
    F: Future<Output = Result<(), EngineError>>,
{
    let action = format!("run `{}` in {container}", command.join(" "));
    let parameters = AttachParams::default()
        .container(container)
        .stdin(true)
        .max_stdin_buf_size(BUFFER)
        .max_stdout_buf_size(BUFFER)
        .max_stderr_buf_size(BUFFER);
    let mut process = answer(&action, pods.exec(pod, command.iter().copied(), &parameters))
        .await?
        .ok_or_else(|| failed(&action, format!("the pod {pod} has gone; was it deleted?")))?;
    let missing = || failed(&action, "no stream");
    // Kept until the end: closing it would close all.
    let mut input = process.stdin().ok_or_else(missing)?;
    let mut output = process.stdout().ok_or_else(missing)?;
    let mut errors = process.stderr().ok_or_else(missing)?;
    let status = process.take_status().ok_or_else(missing)?;
    tokio::pin!(status);
    let mut pending = stdin.to_vec();
    let mut said = Vec::new();
    let mut result = None;
    let (mut heard, mut complained) = (vec![0; 1 << 16], vec![0; 4096]);
    let (mut output_open, mut errors_open) = (true, true);
    while output_open || errors_open || result.is_none() {
        tokio::select! {
            count = read(&mut output, &mut heard), if output_open => match count {
                0 => output_open = false,
                count => {
                    let reply = listener.receive(&heard[..count]).map_err(|error| failed(&action, error))?;
                    pending.extend(reply);
                }
            },
            count = read(&mut errors, &mut complained), if errors_open => match count {
                0 => errors_open = false,
                count => {
                    eprint!("{}", String::from_utf8_lossy(&complained[..count]));
                    said.extend_from_slice(&complained[..count]);
                    said.drain(..said.len().saturating_sub(KEPT));
                }
            },
            written = input.write(&pending), if !pending.is_empty() => match written {
                Ok(count) => _ = pending.drain(..count),
                // The command has ended without reading all of it; its status says the rest.
                Err(_) => pending.clear(),
            },
            ended = &mut status, if result.is_none() => match ended {
                Some(status) => result = Some(status),
                // The client leaves the other streams open for ever then.
                None => {
                    alive().await?;
                    return Err(failed(&action, "the stream broke before the command's end was known"));
                }
            },
            () = tokio::time::sleep(LOOK) => alive().await?,
        }
    }
    let code = code(&result.unwrap_or_default()).map_err(|reason| failed(&action, reason))?;
    Ok(CommandOutcome {
        code,
        stderr: String::from_utf8_lossy(&said).into_owned(),
    })
}

/// Runs a command that ends by itself and returns its standard output. The command receives the line `received`.
///
/// # Errors
/// When the command fails or takes longer than 30 s.
pub async fn run_command(pods: &Api<Pod>, pod: &str, container: &str, command: &[&str]) -> Result<String, EngineError> {
    let mut heard = Vec::<u8>::new();
    let asked = Instant::now();
    let alive = || async {
        let reason = "it does not end";
        (asked.elapsed() < ENDS)
            .then_some(())
            .ok_or_else(|| failed(&format!("run `{}`", command.join(" ")), reason))
    };
    let ended = run(pods, pod, container, command, b"received\n", &mut heard, alive).await?;
    if ended.code != 0 {
        let reason = format!("it ended with {}: {}", ended.code, ended.stderr.trim());
        return Err(failed(&format!("run `{}` in {container}", command.join(" ")), reason));
    }
    Ok(String::from_utf8_lossy(&heard).into_owned())
}

/// Bytes read; none at the end.
async fn read(from: &mut (impl AsyncRead + Unpin), into: &mut [u8]) -> usize {
    from.read(into).await.unwrap_or(0)
}

/// The exit status, which comes as the API's own kind of status.
fn code(status: &Status) -> Result<i64, String> {
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status
        .details
        .iter()
        .flat_map(|details| details.causes.iter().flatten());
    let code = causes
        .filter(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .find_map(|cause| cause.message.as_ref()?.parse().ok());
    code.ok_or_else(|| {
        status
            .message
            .clone()
            .unwrap_or_else(|| "it failed for no stated reason".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Status {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_status_tells_how_a_command_ended() {
        assert_eq!(code(&status(r#"{"status": "Success"}"#)), Ok(0));
        let failure = r#"{"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
            "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}}"#;
        assert_eq!(code(&status(failure)), Ok(7));
        let refused = r#"{"status": "Failure", "reason": "InternalError", "message": "no such file"}"#;
        assert_eq!(code(&status(refused)), Err("no such file".into()));
        assert!(code(&Status::default()).is_err());
    }
}
