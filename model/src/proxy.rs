//! Proxies: processes that stand between the load generator and each server.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::delays::DelayDistribution;
use crate::error::ModelError;
use crate::invalid_value::require;
use crate::program::ServerProgram;

/// A process between the load generator and the server of each arm, beside the server like a sidecar. It loads no
/// hook. The table `[[proxy]]` of a definition describes it.
///
/// A definition names a file ([`Proxy::File`], [`Proxy::Relay`]). The runner reads the file and records its content
/// ([`Proxy::Program`], [`Proxy::Delays`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// The file that describes a proxy program, such as `clusters/proxies/nginx.toml`.
    File(PathBuf),
    /// A proxy program.
    Program(Box<ProxyProgram>),
    /// The delays of a relay. A relay is a proxy of the project that delays requests.
    Relay(RelayDelays),
    /// A relay, by the delays that it draws from.
    Delays(DelayDistribution),
}

/// The delays of a relay as a definition names them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RelayDelays {
    /// The file with the delays, such as `experiments/jitter/eks-nodes.toml`.
    File(PathBuf),
    /// The delays of a file, each multiplied by a factor.
    Scaled(ScaledDelays),
}

/// The delays of a file, each multiplied by a factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaledDelays {
    /// The file with the delays.
    pub file: PathBuf,
    /// The factor, above 0.
    pub factor: f64,
}

impl RelayDelays {
    /// Returns the file with the delays.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::File(file) | Self::Scaled(ScaledDelays { file, .. }) => file,
        }
    }

    /// Returns the factor of the delays.
    #[must_use]
    pub const fn factor(&self) -> f64 {
        match self {
            Self::File(_) => 1.0,
            Self::Scaled(scaled) => scaled.factor,
        }
    }
}

impl Proxy {
    /// Returns the proxy's name in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Program(program) => &program.name,
            Self::Delays(_) | Self::File(_) | Self::Relay(_) => "relay",
        }
    }

    /// Checks the proxy program or the delays.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub fn validate(&self) -> Result<(), ModelError> {
        match self {
            Self::Program(program) => program.validate(),
            Self::Delays(delays) => delays.validate(),
            Self::Relay(delays) => {
                let factor = delays.factor();
                let accepted = factor.is_finite() && factor > 0.0;
                Ok(require(accepted, "relay.factor", factor, "a number above 0")?)
            }
            Self::File(_) => Ok(()),
        }
    }
}

/// A proxy program, as a file of `clusters/proxies/` describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProxyProgram {
    /// Name of the proxy. The proxy's file has the same name.
    pub name: String,
    /// Programs that must be installed.
    pub needs: Vec<String>,
    /// Debian packages that contain the programs, or another repository if Debian has none.
    pub debian: String,
    /// Packages of nixpkgs that contain the programs.
    pub nixpkgs: String,
    /// Command, environment and files.
    pub server: ServerProgram,
}

impl ProxyProgram {
    /// Checks the program, and that it has a placeholder for the address to forward to.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub fn validate(&self) -> Result<(), ModelError> {
        let within = |error: ModelError| error.within(format!("proxy {}", self.name));
        self.server.validate().map_err(within)?;
        if self.server.has_placeholder("{upstream}") || self.server.has_placeholder("{upstream_port}") {
            return Ok(());
        }
        Err(within(ModelError::Problem(
            "the address to forward to is missing; write {upstream} into its command, environment or files".to_owned(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_forwards_nowhere_is_refused() {
        let text = "name = \"x\"\nneeds = [\"x\"]\ndebian = \"a\"\nnixpkgs = \"b\"\n\
                    [server]\ncommand = [\"x\", \"{port}\"]";
        let mut proxy: ProxyProgram = toml::from_str(text).unwrap();
        let error = proxy.validate().unwrap_err().to_string();
        assert!(error.contains("proxy x") && error.contains("{upstream}"), "{error}");
        proxy.server.command.push("{upstream}".to_owned());
        proxy.validate().unwrap();
    }
}
