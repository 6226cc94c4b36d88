//! What estimators need of observations, column by column: a third faster to read than whole rows, and nothing of it is
//! kept.

use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;

use crate::observation::Status;
use crate::schema::Column;

/// The rows of one row group. All columns have the same length.
#[derive(Debug, Default)]
pub struct Timings {
    /// Index into [`crate::FileHeader::arms`].
    pub arm: Vec<u16>,
    /// Round, from 0.
    pub round: Vec<u32>,
    /// Position within the round, from 0.
    pub position: Vec<u32>,
    /// Number of this arm's request, from 0.
    pub sequence: Vec<u32>,
    /// Immediately before the send call, ns.
    pub user_send_ns: Vec<i64>,
    /// Immediately after the receive call that completed the answer, ns.
    pub user_receive_ns: Vec<i64>,
    /// The kernel's stamps of sending and receiving, ns; `None` without both.
    pub kernel_ns: Vec<Option<(i64, i64)>>,
    /// Whether it was answered with success.
    pub ok: Vec<bool>,
    /// Not to be used in an estimate.
    pub warm_up: Vec<bool>,
    raw: Raw,
}

/// Columns as they are stored, kept from one row group to the next so that nothing is allocated anew.
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
    status: Vec<ByteArray>,
}

impl Timings {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arm.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arm.is_empty()
    }

    /// Decodes the columns and nothing else.
    pub(crate) fn decode(&mut self, group: &dyn RowGroupReader) -> Result<(), ParquetError> {
        let raw = &mut self.raw;
        read::<Int32Type>(group, Column::Round, &mut raw.round, None)?;
        read::<Int32Type>(group, Column::Position, &mut raw.position, None)?;
        read::<Int32Type>(group, Column::Sequence, &mut raw.sequence, None)?;
        read::<Int64Type>(group, Column::UserSend, &mut self.user_send_ns, None)?;
        read::<Int64Type>(group, Column::UserReceive, &mut self.user_receive_ns, None)?;
        let levels = Some(&mut raw.kernel_tx_levels);
        read::<Int64Type>(group, Column::KernelTx, &mut raw.kernel_tx, levels)?;
        let levels = Some(&mut raw.kernel_rx_levels);
        read::<Int64Type>(group, Column::KernelRx, &mut raw.kernel_rx, levels)?;
        read::<BoolType>(group, Column::WarmUp, &mut self.warm_up, None)?;
        read::<ByteArrayType>(group, Column::Arm, &mut raw.arm, None)?;
        read::<ByteArrayType>(group, Column::Status, &mut raw.status, None)
    }

    /// Decodes the columns and turns them into what they mean.
    pub(crate) fn read(&mut self, group: &dyn RowGroupReader, arms: &[String]) -> Result<(), ParquetError> {
        self.decode(group)?;
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
        interpret(&raw.status, &mut self.ok, "status", |name| {
            let status = Status::from_text(std::str::from_utf8(name).ok()?)?;
            Some(status == Status::Ok)
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

/// Names to what they stand for. Rows that follow each other often share the name and its place in the dictionary.
fn interpret<T: Copy>(
    names: &[ByteArray],
    to: &mut Vec<T>,
    what: &str,
    meaning: impl Fn(&[u8]) -> Option<T>,
) -> Result<(), ParquetError> {
    to.clear();
    // Names lie in the page's dictionary: the address says which it is, and few addresses there are.
    let mut known: Vec<(*const u8, usize, T)> = Vec::new();
    for name in names {
        let bytes = name.data();
        let (start, length) = (bytes.as_ptr(), bytes.len());
        let found = known.iter().find(|(at, long, _)| *at == start && *long == length);
        let value = if let Some((_, _, value)) = found {
            *value
        } else {
            let value = meaning(bytes).ok_or_else(|| ParquetError::General(format!("a row with an unknown {what}")))?;
            // Without a dictionary each row has its own address, and remembering them would be slower than not.
            if known.len() < 64 {
                known.push((start, length, value));
            }
            value
        };
        to.push(value);
    }
    Ok(())
}

/// A column's values and, for an optional column, a definition level per row; what the vectors held before is gone.
pub(crate) fn read<T: DataType>(
    group: &dyn RowGroupReader,
    column: Column,
    values: &mut Vec<T::T>,
    mut levels: Option<&mut Vec<i16>>,
) -> Result<(), ParquetError> {
    values.clear();
    if let Some(levels) = levels.as_deref_mut() {
        levels.clear();
    }
    let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    if group.metadata().column(column as usize).column_type() != T::get_physical_type() {
        return Err(ParquetError::General(format!("column {column:?} has another type")));
    }
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(column as usize)?);
    let mut done = 0;
    while done < rows {
        let (records, _, _) = reader.read_records(rows - done, levels.as_deref_mut(), None, values)?;
        if records == 0 {
            return Err(ParquetError::General(format!(
                "column {column:?} ends after {done} of {rows} rows"
            )));
        }
        done += records;
    }
    Ok(())
}
