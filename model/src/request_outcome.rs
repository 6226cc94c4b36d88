//! The outcome of a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// How a request ended.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumString,
    IntoStaticStr,
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[repr(u8)]
pub enum RequestOutcome {
    /// A complete response arrived with the expected status code.
    Answered,
    /// A complete response arrived with another status code.
    WrongStatus,
    /// Bytes arrived that are no response.
    Invalid,
    /// The server closed the connection before the response was complete.
    Closed,
    /// The server refused the connection.
    Refused,
    /// The connection was reset before the response was complete.
    Reset,
    /// No complete response arrived in time.
    TimedOut,
    /// The operating system reported another error.
    Failed,
}

impl RequestOutcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Returns the name, which is the value of the column `outcome`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
