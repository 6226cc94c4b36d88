//! Servers under test.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application::ApplicationDefinition;
use crate::program::ServerProgram;
use crate::synthetic_server::SyntheticServer;

/// The server that every arm runs. The table `[sut]` of a definition describes it. The key `program` decides the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "program", rename_all = "lowercase", deny_unknown_fields)]
pub enum ServerUnderTest {
    /// The project's synthetic server.
    Synthetic(SyntheticServer),
    /// Any program.
    Command(Box<ServerProgram>),
    /// A program that a file describes, such as `sut/macro/nginx.toml`. The runner reads the file and records
    /// [`ServerUnderTest::Command`].
    File {
        /// The path, relative to the project's folder.
        file: PathBuf,
    },
    /// An application of several workloads in Kubernetes.
    Application(Box<ApplicationDefinition>),
}

impl ServerUnderTest {
    /// Returns the name of the kind in definitions.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Synthetic(_) => "synthetic",
            Self::Command(_) => "command",
            Self::File { .. } => "file",
            Self::Application(_) => "application",
        }
    }
}
