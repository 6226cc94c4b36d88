//! Commands in a container.

use std::io::Write as _;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error as Refused;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::connection::DockerConnection;
use crate::container::CommandOutcome;
use crate::engine::OutputListener;

/// Bytes at the end of a command's standard error that are kept.
const STDERR_BYTES: usize = 16 * 1024;
/// Time between two requests for the exit status, which the engine may know only some time after the stream has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
const POLLS: u32 = 1_000;

/// The reason why the exit status of a command is unknown.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Stream(#[from] std::io::Error),
    #[error("its stream ended, and the engine did not return its exit status")]
    Unknown,
}

/// Runs a command in a container and returns how it ended.
pub(super) async fn exec(
    connection: &DockerConnection,
    id: &str,
    command: &[&str],
    stdin: &[u8],
    listener: &mut dyn OutputListener,
) -> Result<CommandOutcome, ExecError> {
    let config = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(command.iter().map(|&word| word.to_owned()).collect()),
        ..Default::default()
    };
    let exec = connection.api.create_exec(id, config).await?.id;
    let StartExecResults::Attached { mut output, mut input } = connection.api.start_exec(&exec, None).await? else {
        return Err(ExecError::Unknown);
    };
    input.write_all(stdin).await?;
    input.flush().await?;
    let mut stderr = Vec::new();
    while let Some(part) = output.next().await {
        match part? {
            LogOutput::StdErr { message } => {
                // A failed copy for the user is no reason to stop.
                _ = std::io::stderr().write_all(&message);
                stderr.extend_from_slice(&message);
                let surplus = stderr.len().saturating_sub(STDERR_BYTES);
                stderr.drain(..surplus);
            }
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                let answer = listener.receive(&message)?;
                if !answer.is_empty() {
                    input.write_all(&answer).await?;
                    input.flush().await?;
                }
            }
            LogOutput::StdIn { .. } => {}
        }
    }
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    for _ in 0..POLLS {
        let state = connection.api.inspect_exec(&exec).await?;
        if let Some(code) = state.exit_code.filter(|_| state.running != Some(true)) {
            return Ok(CommandOutcome { code, stderr });
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Err(ExecError::Unknown)
}
