//! The connection to an engine, and how one is found.

use std::env;
use std::path::{Path, PathBuf};

use bollard::errors::Error as Refused;
use bollard::models::SystemInfo;
use bollard::{API_DEFAULT_VERSION, Docker as Api};

use crate::blocking::Blocking;
use crate::error::EngineError;
use crate::stop::Stop;

/// Longest time for one answer of the engine, s. It does not limit streams.
const TIMEOUT_S: u64 = 120;

/// The advice when no engine is found.
const ADVICE: &str = "install and start Docker Engine, or Podman with `systemctl --user start podman.socket`; or name \
                   one by DOCKER_HOST or --docker-host";

/// The connection that the engine and its running launches share.
#[derive(Debug)]
pub(super) struct DockerConnection {
    pub(super) blocking: Blocking,
    pub(super) api: Api,
    pub(super) info: SystemInfo,
    pub(super) version: String,
}

/// Returns true when the engine has no such resource.
pub(super) fn is_gone(error: &Refused) -> bool {
    matches!(error, Refused::DockerResponseServerError { status_code: 404, .. })
}

/// Returns true when the resource is in use, or is being removed.
pub(super) fn is_busy(error: &Refused) -> bool {
    matches!(error, Refused::DockerResponseServerError { status_code: 409, .. })
}

/// Connects, and reads facts about the engine.
pub(super) fn connect(host: Option<&str>, stop: Stop) -> Result<DockerConnection, EngineError> {
    let blocking = Blocking::new("docker", stop)?;
    let host = match host.map(str::to_owned).or_else(|| env::var("DOCKER_HOST").ok()) {
        Some(host) => host,
        None => socket().ok_or_else(|| blocking.error("find an engine", &format!("no socket exists; {ADVICE}")))?,
    };
    let action = format!("reach an engine at {host}");
    let api = if host.contains("://") {
        match host.strip_prefix("unix://") {
            Some(path) => Api::connect_with_unix(path, TIMEOUT_S, API_DEFAULT_VERSION),
            None => Api::connect_with_host(&host),
        }
    } else {
        return Err(blocking.error(&action, &"expected unix:///PATH or tcp://HOST:PORT"));
    };
    let ask = async {
        let api = api?.negotiate_version().await?;
        let (info, version) = (api.info().await?, api.version().await?);
        Ok::<_, Refused>((api, info, version))
    };
    let asked = blocking.wait(&action, ask);
    let (api, info, version) = asked.map_err(|error| match error {
        EngineError::Engine { engine, action, reason } => EngineError::Engine {
            engine,
            action,
            reason: format!("{reason}; {ADVICE}"),
        },
        other => other,
    })?;
    let name = version
        .components
        .iter()
        .flatten()
        .map(|component| component.name.as_str())
        .find(|name| name.contains("Podman"))
        .map_or("Docker", |_| "Podman");
    let version = format!(
        "{name} {}, API {}",
        version.version.unwrap_or_default(),
        api.client_version()
    );
    Ok(DockerConnection {
        blocking,
        api,
        info,
        version,
    })
}

/// Returns the first socket that exists: Docker's, Podman's of this user, Podman's of the system.
fn socket() -> Option<String> {
    let own = env::var_os("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("podman/podman.sock"));
    let sockets = [
        Some(PathBuf::from("/var/run/docker.sock")),
        own,
        Some(PathBuf::from("/run/podman/podman.sock")),
    ];
    let found = sockets.into_iter().flatten().find(|path| path.exists())?;
    Some(format!("unix://{}", found.display()))
}
