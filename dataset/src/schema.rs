//! The table `observations`: its columns, in order, and the words in a file's metadata.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use serde::{Deserialize, Serialize};

use crate::table::Kind;

/// Version of the table; a reader refuses any other.
pub const OBSERVATIONS_VERSION: u32 = 2;
/// Key of the table's name in a file's metadata.
pub(crate) const SCHEMA_KEY: &str = "schema";
/// Key of the table's version in a file's metadata.
pub(crate) const VERSION_KEY: &str = "schema_version";
/// Key of the [`FileHeader`], as JSON.
pub(crate) const HEADER_KEY: &str = "header";
/// Rows in a row group: what a reader or writer holds in memory at a time.
pub const ROW_GROUP_ROWS: usize = 131_072;

/// The table.
pub(crate) const OBSERVATIONS: Kind = Kind {
    name: "hook-latency-observations",
    version: OBSERVATIONS_VERSION,
    message: MESSAGE,
};

const MESSAGE: &str = "message observations {
    required binary condition (STRING);
    required int32 launch (INTEGER(32, false));
    required int32 round (INTEGER(32, false));
    required int32 position (INTEGER(16, false));
    required binary arm (STRING);
    required int32 sequence (INTEGER(32, false));
    required int32 connection (INTEGER(16, false));
    required int32 request (INTEGER(16, false));
    required int64 intended_send_ns;
    required int64 user_send_ns;
    optional int64 kernel_tx_ns;
    optional int64 kernel_rx_ns;
    required int64 user_receive_ns;
    required binary status (STRING);
    required int32 http_status (INTEGER(16, false));
    required int32 bytes (INTEGER(32, false));
    required boolean warm_up;
}";

/// What is the same for all rows of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileHeader {
    /// Where the launch happened.
    pub condition: String,
    /// Number of the launch, from 0.
    pub launch: u32,
    /// Names of the arms; an observation's `arm` is an index into this list.
    pub arms: Vec<String>,
}

/// The table's columns.
///
/// # Errors
/// None in practice: the message is a constant, and a test parses it.
pub(crate) fn message_type() -> Result<TypePtr, ParquetError> {
    Ok(Arc::new(parse_message_type(MESSAGE)?))
}

/// Names of the columns that hold times: all integers of 64 bits.
#[must_use]
pub fn time_columns() -> Vec<String> {
    MESSAGE
        .lines()
        .filter(|line| line.contains(" int64 "))
        .filter_map(|line| Some(line.split_whitespace().last()?.trim_end_matches(';').to_owned()))
        .collect()
}

/// Compression and encodings: stamps grow, so their differences are small.
pub(crate) fn writer_properties() -> Result<WriterPropertiesPtr, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_dictionary_enabled(false)
        .set_created_by("hook-latency dataset".to_owned());
    for text in ["condition", "arm", "status"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(text), true);
    }
    for increasing in [
        "round",
        "sequence",
        "intended_send_ns",
        "user_send_ns",
        "kernel_tx_ns",
        "kernel_rx_ns",
        "user_receive_ns",
    ] {
        properties = properties.set_column_encoding(ColumnPath::from(increasing), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(Arc::new(properties.build()))
}

/// The columns, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Column {
    Condition,
    Launch,
    Round,
    Position,
    Arm,
    Sequence,
    Connection,
    Request,
    IntendedSend,
    UserSend,
    KernelTx,
    KernelRx,
    UserReceive,
    Status,
    HttpStatus,
    Bytes,
    WarmUp,
}

impl Column {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 17] = [
        Self::Condition,
        Self::Launch,
        Self::Round,
        Self::Position,
        Self::Arm,
        Self::Sequence,
        Self::Connection,
        Self::Request,
        Self::IntendedSend,
        Self::UserSend,
        Self::KernelTx,
        Self::KernelRx,
        Self::UserReceive,
        Self::Status,
        Self::HttpStatus,
        Self::Bytes,
        Self::WarmUp,
    ];
}
