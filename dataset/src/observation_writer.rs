//! Writes observations row group by row group. The file gets its name when it is complete.

use std::num::NonZeroI64;
use std::path::Path;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use strum::VariantArray as _;

use crate::error::Error;
use crate::file_header::FileHeader;
use crate::observation::Observation;
use crate::observation_table::{Column, OBSERVATIONS, observation_properties};
use crate::table::{MISTAKE, ROW_GROUP_ROWS, RowGroupWriter, TableWriter, put, put_optional, text};
use model::RequestOutcome;

/// Writes one file. The file is removed when the writer is dropped before
/// [`finish`](Self::finish).
pub struct ObservationWriter {
    header: FileHeader,
    table: TableWriter,
}

impl std::fmt::Debug for ObservationWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ObservationWriter")
            .field("path", &self.table.path())
            .finish_non_exhaustive()
    }
}

impl ObservationWriter {
    /// Begins a file that will be at `path`.
    ///
    /// # Errors
    /// When no file can be made in the folder of `path`.
    pub fn create(path: &Path, header: FileHeader) -> Result<Self, Error> {
        let properties = observation_properties().map_err(|source| Error::Parquet {
            path: path.to_owned(),
            source,
            advice: MISTAKE,
        })?;
        let table = TableWriter::create(path, OBSERVATIONS, properties, &header)?;
        Ok(Self { header, table })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// When the disk is full, or a row names an arm that the header does not.
    pub fn write(&mut self, observations: &[Observation]) -> Result<(), Error> {
        for rows in observations.chunks(ROW_GROUP_ROWS) {
            self.table.append(|group| write_row_group(&self.header, rows, group))?;
        }
        Ok(())
    }

    /// Completes the file, writes it through to the disk and gives it its name.
    ///
    /// # Errors
    /// When the disk is full. No part of the file stays.
    pub fn finish(self) -> Result<(), Error> {
        self.table.finish()
    }
}

fn write_row_group(
    header: &FileHeader,
    rows: &[Observation],
    group: &mut RowGroupWriter<'_>,
) -> Result<(), ParquetError> {
    let arms: Vec<ByteArray> = header.arms.iter().map(|arm| text(arm)).collect();
    if let Some(row) = rows.iter().find(|row| usize::from(row.arm) >= arms.len()) {
        return Err(ParquetError::General(format!(
            "arm {} is not one of the {} arms",
            row.arm,
            arms.len()
        )));
    }
    let launch = header.launch.cast_signed();
    let (run, condition) = (text(&header.run), text(&header.condition));
    let outcomes: Vec<ByteArray> = RequestOutcome::ALL.iter().map(|outcome| text(outcome.name())).collect();
    for &column in Column::VARIANTS {
        let Some(mut writer) = group.next_column()? else {
            return Err(ParquetError::General(format!("column {column:?} is missing")));
        };
        let to = &mut writer;
        match column {
            Column::Run => put::<ByteArrayType, _>(to, rows, |_| run.clone()),
            Column::Condition => put::<ByteArrayType, _>(to, rows, |_| condition.clone()),
            Column::Arm => put::<ByteArrayType, _>(to, rows, |row| arms[usize::from(row.arm)].clone()),
            Column::Outcome => put::<ByteArrayType, _>(to, rows, |row| outcomes[row.outcome as usize].clone()),
            Column::Launch => put::<Int32Type, _>(to, rows, |_| launch),
            Column::Round => put::<Int32Type, _>(to, rows, |row| row.round.cast_signed()),
            Column::Position => put::<Int32Type, _>(to, rows, |row| row.position.into()),
            Column::Sequence => put::<Int32Type, _>(to, rows, |row| row.sequence.cast_signed()),
            Column::Connection => put::<Int32Type, _>(to, rows, |row| row.connection.into()),
            Column::Request => put::<Int32Type, _>(to, rows, |row| row.request.into()),
            Column::Step => put_optional::<Int32Type, _>(to, rows, |row| row.step.map(Into::into)),
            Column::LoadLevel => put_optional::<Int32Type, _>(to, rows, |row| row.load_level_permille.map(Into::into)),
            Column::Block => put_optional::<Int32Type, _>(to, rows, |row| row.block.map(u32::cast_signed)),
            Column::HttpStatus => put::<Int32Type, _>(to, rows, |row| row.http_status.into()),
            Column::Bytes => put::<Int32Type, _>(to, rows, |row| row.bytes.cast_signed()),
            Column::IntendedArrival => put::<Int64Type, _>(to, rows, |row| row.intended_arrival_ns),
            Column::UserSend => put::<Int64Type, _>(to, rows, |row| row.user_send_ns),
            Column::UserReceive => put::<Int64Type, _>(to, rows, |row| row.user_receive_ns),
            Column::KernelTx => put_optional::<Int64Type, _>(to, rows, |row| row.kernel_tx_ns.map(NonZeroI64::get)),
            Column::KernelRx => put_optional::<Int64Type, _>(to, rows, |row| row.kernel_rx_ns.map(NonZeroI64::get)),
            Column::WarmUp => put::<BoolType, _>(to, rows, |row| row.warm_up),
        }?;
        writer.close()?;
    }
    Ok(())
}
