//! Files that describe servers which other people wrote.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::Message;
use crate::program::ServerProgram;

/// A file of `sut/macro/`: a server that other people wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerFile {
    /// Name of the server. The server's file has the same name.
    pub name: String,
    /// The Debian package that contains the server.
    pub debian: String,
    /// The package of nixpkgs that contains the server.
    pub nixpkgs: String,
    /// Number of rounds until the server has reached its usual speed, for servers that compile while they run.
    #[serde(default)]
    pub warm_up_rounds: Option<u64>,
    /// The command that prints the server's version.
    #[serde(default)]
    pub version: Vec<String>,
    /// The request that the server answers.
    pub request: Message,
    /// Command, environment and files of the server.
    pub server: ServerProgram,
}
