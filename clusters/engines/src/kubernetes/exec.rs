//! Commands in a container; one WebSocket carries the streams of a command.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::client::{answer, failed};
use crate::container::CommandOutcome;
use crate::engine::OutputListener;
use crate::error::EngineError;

/// Size of the buffer of each stream, bytes.
const BUFFER_BYTES: usize = 1 << 20;
/// Number of bytes at the end of standard error that are kept.
const STDERR_BYTES: usize = 4096;
/// Time between two checks of the pod while a command runs: the loss of a node does not close the stream.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Longest time for a command that ends by itself.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs a command until it ends. `alive` returns an error if the container no longer runs or its node is lost.
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
        .max_stdin_buf_size(BUFFER_BYTES)
        .max_stdout_buf_size(BUFFER_BYTES)
        .max_stderr_buf_size(BUFFER_BYTES);
    let mut process = answer(&action, pods.exec(pod, command.iter().copied(), &parameters))
        .await?
        .ok_or_else(|| failed(&action, format!("the pod {pod} does not exist; was it deleted?")))?;
    let missing = || failed(&action, "no stream");
    // The input stays open until the end, because closing it would close all streams.
    let mut input = process.stdin().ok_or_else(missing)?;
    let mut output = process.stdout().ok_or_else(missing)?;
    let mut errors = process.stderr().ok_or_else(missing)?;
    let status = process.take_status().ok_or_else(missing)?;
    tokio::pin!(status);
    let mut pending = stdin.to_vec();
    let mut stderr = Vec::new();
    let mut result = None;
    let (mut output_part, mut errors_part) = (vec![0; 1 << 16], vec![0; 4096]);
    let (mut output_open, mut errors_open) = (true, true);
    while output_open || errors_open || result.is_none() {
        tokio::select! {
            count = read(&mut output, &mut output_part), if output_open => match count {
                0 => output_open = false,
                count => {
                    let reply = listener.receive(&output_part[..count]).map_err(|error| failed(&action, error))?;
                    pending.extend(reply);
                }
            },
            count = read(&mut errors, &mut errors_part), if errors_open => match count {
                0 => errors_open = false,
                count => {
                    eprint!("{}", String::from_utf8_lossy(&errors_part[..count]));
                    stderr.extend_from_slice(&errors_part[..count]);
                    stderr.drain(..stderr.len().saturating_sub(STDERR_BYTES));
                }
            },
            written = input.write(&pending), if !pending.is_empty() => match written {
                Ok(count) => _ = pending.drain(..count),
                // The command has ended without reading all its input; its status gives the reason.
                Err(_) => pending.clear(),
            },
            ended = &mut status, if result.is_none() => match ended {
                Some(status) => result = Some(status),
                // If there is no status, the client never closes the other streams.
                None => {
                    alive().await?;
                    return Err(failed(&action, "the stream broke before the command's end was known"));
                }
            },
            () = tokio::time::sleep(CHECK_INTERVAL) => alive().await?,
        }
    }
    let code = code(&result.unwrap_or_default()).map_err(|reason| failed(&action, reason))?;
    Ok(CommandOutcome {
        code,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// Runs a command that ends by itself and returns its standard output. The command receives the line `received`.
///
/// # Errors
/// When the command fails or takes longer than 30 s.
pub async fn run_command(pods: &Api<Pod>, pod: &str, container: &str, command: &[&str]) -> Result<String, EngineError> {
    let mut output = Vec::<u8>::new();
    let began = Instant::now();
    let alive = || async {
        let reason = "it has not ended after 30 s";
        (began.elapsed() < COMMAND_TIMEOUT)
            .then_some(())
            .ok_or_else(|| failed(&format!("run `{}`", command.join(" ")), reason))
    };
    let ended = run(pods, pod, container, command, b"received\n", &mut output, alive).await?;
    if ended.code != 0 {
        let reason = format!("it ended with {}: {}", ended.code, ended.stderr.trim());
        return Err(failed(&format!("run `{}` in {container}", command.join(" ")), reason));
    }
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// Reads a part of a stream and returns its length, 0 at the end.
async fn read(from: &mut (impl AsyncRead + Unpin), into: &mut [u8]) -> usize {
    from.read(into).await.unwrap_or(0)
}

/// Returns the exit status from the API's status object.
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
            .unwrap_or_else(|| "it failed without a reason".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Status {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_exit_status_is_read_from_the_status_object() {
        assert_eq!(code(&status(r#"{"status": "Success"}"#)), Ok(0));
        let failure = r#"{"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
            "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}}"#;
        assert_eq!(code(&status(failure)), Ok(7));
        let refused = r#"{"status": "Failure", "reason": "InternalError", "message": "no such file"}"#;
        assert_eq!(code(&status(refused)), Err("no such file".into()));
        assert!(code(&Status::default()).is_err());
    }
}
