//! The table `observations` of version 2.

use serde::Deserialize;

use crate::file_header::FileHeader;
use crate::observation_table::{Column, OBSERVATIONS, ObservationLayout};
use crate::table::TableKind;
use model::RequestOutcome;

/// The layout of version 2.
pub(crate) const OBSERVATION_LAYOUT: ObservationLayout = ObservationLayout {
    kind: TableKind {
        name: OBSERVATIONS.name,
        version: 2,
        message: "message observations {
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
        }",
    },
    position,
    outcome,
    header,
};

/// The columns of version 2, in its order.
const COLUMNS: [Column; 17] = [
    Column::Condition,
    Column::Launch,
    Column::Round,
    Column::Position,
    Column::Arm,
    Column::Sequence,
    Column::Connection,
    Column::Request,
    Column::IntendedArrival,
    Column::UserSend,
    Column::KernelTx,
    Column::KernelRx,
    Column::UserReceive,
    Column::Outcome,
    Column::HttpStatus,
    Column::Bytes,
    Column::WarmUp,
];

fn position(column: Column) -> Option<usize> {
    COLUMNS.iter().position(|known| *known == column)
}

/// Returns the outcome of a status. Version 2 called a connection `reset` also when the server had closed it.
pub(super) fn outcome(status: &str) -> Option<RequestOutcome> {
    match status {
        "ok" => Some(RequestOutcome::Answered),
        "refused" => Some(RequestOutcome::Refused),
        "reset" => Some(RequestOutcome::Reset),
        "timeout" => Some(RequestOutcome::TimedOut),
        "bad_status" => Some(RequestOutcome::WrongStatus),
        "malformed" => Some(RequestOutcome::Invalid),
        _ => None,
    }
}

/// The header of version 2, which did not name the run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObservationsHeader {
    condition: String,
    launch: u32,
    arms: Vec<String>,
}

fn header(text: &str) -> Result<FileHeader, serde_json::Error> {
    let ObservationsHeader {
        condition,
        launch,
        arms,
    } = serde_json::from_str(text)?;
    Ok(FileHeader {
        run: String::new(),
        condition,
        launch,
        arms,
    })
}

#[cfg(test)]
mod tests {
    use super::OBSERVATION_LAYOUT;

    #[test]
    fn the_layout_is_a_parquet_schema_of_its_columns() {
        let message = OBSERVATION_LAYOUT.message_type().unwrap();
        assert_eq!(message.get_fields().len(), super::COLUMNS.len());
    }
}
