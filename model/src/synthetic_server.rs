//! The synthetic server: the project's own system under test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Settings of the synthetic server, an HTTP/1.1 server that calls libc by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyntheticServer {
    /// The function that accepts connections.
    pub accept: AcceptFunction,
    /// The function that receives requests.
    pub receive: ReceiveFunction,
    /// Number of receive calls for each request.
    pub reads_per_request: u16,
    /// Length of a response's body, bytes.
    pub response_bytes: u32,
    /// Busy wait before each response, ns.
    pub work_ns: u64,
    /// Number of threads. Each serves one connection at a time.
    pub threads: u32,
    /// Whether each arm's server stamps its requests, unless the arm says otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stamps: bool,
}

/// The function that accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[derive(IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum AcceptFunction {
    /// `accept(2)`.
    Accept,
    /// `accept4(2)`.
    Accept4,
}

impl AcceptFunction {
    /// Returns the function's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The function that receives the bytes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[derive(IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ReceiveFunction {
    /// `read(2)`.
    Read,
    /// `recv(2)`.
    Recv,
}

impl ReceiveFunction {
    /// Returns the function's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
