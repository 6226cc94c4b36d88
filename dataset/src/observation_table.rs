//! The table `observations`: its columns in their order, and the layouts of files that a reader understands.

use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterPropertiesPtr};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use strum::VariantArray;

use crate::file_header::FileHeader;
use crate::table::{TableKind, writer_properties};
use model::RequestOutcome;

/// Version of the table that is written.
pub const OBSERVATIONS_VERSION: u32 = 3;

/// The table that is written.
pub(crate) const OBSERVATIONS: TableKind = TableKind {
    name: "hook-latency-observations",
    version: OBSERVATIONS_VERSION,
    message: MESSAGE,
};

const MESSAGE: &str = "message observations {
    required binary run (STRING);
    required binary condition (STRING);
    required int32 launch (INTEGER(32, false));
    required int32 round (INTEGER(32, false));
    required int32 position (INTEGER(16, false));
    required binary arm (STRING);
    required int32 sequence (INTEGER(32, false));
    required int32 connection (INTEGER(16, false));
    required int32 request (INTEGER(16, false));
    optional int32 step (INTEGER(16, false));
    optional int32 load_level_permille (INTEGER(16, false));
    optional int32 block (INTEGER(32, false));
    required int64 intended_arrival_ns;
    required int64 user_send_ns;
    optional int64 kernel_tx_ns;
    optional int64 kernel_rx_ns;
    required int64 user_receive_ns;
    required binary outcome (STRING);
    required int32 http_status (INTEGER(16, false));
    required int32 bytes (INTEGER(32, false));
    required boolean warm_up;
}";

/// The layout of a file of observations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObservationLayout {
    /// Name, version and columns.
    pub(crate) kind: TableKind,
    /// Returns the position of a column in the file; `None` where the file lacks it.
    pub(crate) position: fn(Column) -> Option<usize>,
    /// Returns the outcome that a value of the column [`Column::Outcome`] stands for.
    pub(crate) outcome: fn(&str) -> Option<RequestOutcome>,
    /// Parses the header in the file's metadata.
    pub(crate) header: fn(&str) -> Result<FileHeader, serde_json::Error>,
}

/// The layout of files that are written now.
pub(crate) const CURRENT: ObservationLayout = ObservationLayout {
    kind: OBSERVATIONS,
    position: |column| Some(column as usize),
    outcome: |name| name.parse().ok(),
    header: |text| serde_json::from_str(text),
};

impl ObservationLayout {
    /// Returns the columns of the layout.
    ///
    /// # Errors
    /// None in practice: the message is a constant, and tests parse it.
    pub(crate) fn message_type(self) -> Result<TypePtr, ParquetError> {
        Ok(Arc::new(parse_message_type(self.kind.message)?))
    }
}

/// Returns the names of the columns that hold times. They are integers of 64 bits.
#[must_use]
pub fn time_columns() -> Vec<String> {
    MESSAGE
        .lines()
        .filter(|line| line.contains(" int64 "))
        .filter_map(|line| Some(line.split_whitespace().last()?.trim_end_matches(';').to_owned()))
        .collect()
}

/// Returns compression and encodings. The values of stamps and counters grow, so that their differences are small. Columns of
/// text have no statistics: the smallest and the largest name help no reader, and finding them takes a fifth of the
/// instructions of writing.
pub(crate) fn observation_properties() -> Result<WriterPropertiesPtr, ParquetError> {
    let mut properties = writer_properties()?.set_dictionary_enabled(false);
    for text in ["run", "condition", "arm", "outcome"] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(text), true)
            .set_column_statistics_enabled(ColumnPath::from(text), EnabledStatistics::None);
    }
    for repeated in ["load_level_permille", "block"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(repeated), true);
    }
    for increasing in [
        "round",
        "sequence",
        "intended_arrival_ns",
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
#[repr(usize)]
pub(crate) enum Column {
    Run,
    Condition,
    Launch,
    Round,
    Position,
    Arm,
    Sequence,
    Connection,
    Request,
    Step,
    LoadLevel,
    Block,
    IntendedArrival,
    UserSend,
    KernelTx,
    KernelRx,
    UserReceive,
    Outcome,
    HttpStatus,
    Bytes,
    WarmUp,
}
