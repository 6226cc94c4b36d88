//! The columns of observations that estimators need. Reading them takes a third less time than reading whole rows.

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;

use crate::observation_columns::ColumnReader;
use crate::observation_table::Column;
use model::RequestOutcome;

/// The rows of one row group. All columns have the same length.
#[derive(Debug, Default)]
pub struct Timings {
    /// Index of the arm in [`crate::FileHeader::arms`].
    pub arm: Vec<u16>,
    /// Round, from 0.
    pub round: Vec<u32>,
    /// Position within the round, from 0.
    pub position: Vec<u32>,
    /// Number of this arm's request, from 0.
    pub sequence: Vec<u32>,
    /// Time immediately before the send call, ns.
    pub user_send_ns: Vec<i64>,
    /// Time immediately after the receive call that completed the response, ns.
    pub user_receive_ns: Vec<i64>,
    /// Kernel stamps of sending and receiving, ns; `None` without both.
    pub kernel_ns: Vec<Option<(i64, i64)>>,
    /// Time at which the request was to be sent, ns; empty unless the reader was asked for it
    /// ([`crate::ObservationReader::with_arrivals`]).
    pub intended_arrival_ns: Vec<i64>,
    /// Whether the request was answered with success.
    pub answered: Vec<bool>,
    /// Whether estimates must leave the request out.
    pub warm_up: Vec<bool>,
    raw: Raw,
}

/// The columns as they are stored in the file. They are reused for the next row group, so that it allocates no memory.
#[derive(Debug, Default)]
struct Raw {
    round: Vec<i32>,
    position: Vec<i32>,
    sequence: Vec<i32>,
    kernel_tx: Vec<i64>,
    kernel_tx_levels: Vec<i16>,
    kernel_rx: Vec<i64>,
    kernel_rx_levels: Vec<i16>,
    arm: Vec<ByteArray>,
    outcome: Vec<ByteArray>,
}

impl Timings {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arm.len()
    }

    /// Returns whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arm.is_empty()
    }

    /// Decodes the columns.
    pub(crate) fn decode(&mut self, columns: &ColumnReader<'_>) -> Result<(), ParquetError> {
        let raw = &mut self.raw;
        columns.read::<Int32Type>(Column::Round, &mut raw.round, None)?;
        columns.read::<Int32Type>(Column::Position, &mut raw.position, None)?;
        columns.read::<Int32Type>(Column::Sequence, &mut raw.sequence, None)?;
        columns.read::<Int64Type>(Column::UserSend, &mut self.user_send_ns, None)?;
        columns.read::<Int64Type>(Column::UserReceive, &mut self.user_receive_ns, None)?;
        let levels = Some(&mut raw.kernel_tx_levels);
        columns.read::<Int64Type>(Column::KernelTx, &mut raw.kernel_tx, levels)?;
        let levels = Some(&mut raw.kernel_rx_levels);
        columns.read::<Int64Type>(Column::KernelRx, &mut raw.kernel_rx, levels)?;
        columns.read::<BoolType>(Column::WarmUp, &mut self.warm_up, None)?;
        columns.read::<ByteArrayType>(Column::Arm, &mut raw.arm, None)?;
        columns.read::<ByteArrayType>(Column::Outcome, &mut raw.outcome, None)
    }

    /// Decodes the intended arrivals.
    pub(crate) fn read_arrivals(&mut self, columns: &ColumnReader<'_>) -> Result<(), ParquetError> {
        columns.read::<Int64Type>(Column::IntendedArrival, &mut self.intended_arrival_ns, None)
    }

    /// Decodes the columns and interprets their values.
    pub(crate) fn read(
        &mut self,
        columns: &ColumnReader<'_>,
        arms: &[String],
        outcome: fn(&str) -> Option<RequestOutcome>,
    ) -> Result<(), ParquetError> {
        self.decode(columns)?;
        let raw = &self.raw;
        for (to, from) in [
            (&mut self.round, &raw.round),
            (&mut self.position, &raw.position),
            (&mut self.sequence, &raw.sequence),
        ] {
            to.clear();
            to.extend(from.iter().map(|value| value.cast_unsigned()));
        }
        interpret(&raw.arm, &mut self.arm, "arm", |name| {
            let index = arms.iter().position(|arm| arm.as_bytes() == name)?;
            u16::try_from(index).ok()
        })?;
        interpret(&raw.outcome, &mut self.answered, "outcome", |name| {
            let outcome = outcome(std::str::from_utf8(name).ok()?)?;
            Some(outcome == RequestOutcome::Answered)
        })?;
        self.kernel_ns.clear();
        let mut stamps = (raw.kernel_tx.iter(), raw.kernel_rx.iter());
        let levels = raw.kernel_tx_levels.iter().zip(&raw.kernel_rx_levels);
        self.kernel_ns.extend(levels.map(|(tx, rx)| {
            let tx_ns = (*tx > 0)
                .then(|| stamps.0.next())
                .flatten()
                .filter(|stamp| **stamp != 0);
            let rx_ns = (*rx > 0)
                .then(|| stamps.1.next())
                .flatten()
                .filter(|stamp| **stamp != 0);
            Some((*tx_ns?, *rx_ns?))
        }));
        Ok(())
    }
}

/// Converts names to values. Successive rows often refer to the same place in the dictionary of names.
fn interpret<T: Copy>(
    names: &[ByteArray],
    to: &mut Vec<T>,
    what: &str,
    meaning: impl Fn(&[u8]) -> Option<T>,
) -> Result<(), ParquetError> {
    to.clear();
    // The names are in the page's dictionary. The address of a name identifies it, and a page has few addresses.
    let mut known: Vec<(*const u8, usize, T)> = Vec::new();
    for name in names {
        let bytes = name.data();
        let (start, length) = (bytes.as_ptr(), bytes.len());
        let found = known.iter().find(|(at, long, _)| *at == start && *long == length);
        let value = if let Some((_, _, value)) = found {
            *value
        } else {
            let value = meaning(bytes).ok_or_else(|| ParquetError::General(format!("a row with an unknown {what}")))?;
            // Without a dictionary each row has its own address. To store them all would be slower than to convert
            // each name.
            if known.len() < 64 {
                known.push((start, length, value));
            }
            value
        };
        to.push(value);
    }
    Ok(())
}
