//! Writes observations row group by row group, to a temporary name until the file is complete.

use std::fs::{self, File};
use std::io::BufWriter;
use std::num::NonZeroI64;
use std::path::{Path, PathBuf};

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use crate::error::Error;
use crate::observation::{Observation, Status};
use crate::schema::{
    Column, FileHeader, HEADER_KEY, OBSERVATIONS_VERSION, ROW_GROUP_ROWS, SCHEMA_KEY, SCHEMA_NAME, VERSION_KEY,
    message_type, writer_properties,
};

const ADVICE: &str = "free space on the disk or choose another place; nothing was kept";

/// Writes one file. Dropped before [`finish`](Self::finish), it leaves nothing behind.
pub struct ObservationWriter {
    path: PathBuf,
    temporary: PathBuf,
    header: FileHeader,
    // `None` once finished.
    file: Option<SerializedFileWriter<BufWriter<File>>>,
}

impl std::fmt::Debug for ObservationWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ObservationWriter")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl ObservationWriter {
    /// Starts a file that will be at `path`.
    ///
    /// # Errors
    /// When the temporary file beside `path` cannot be made.
    pub fn create(path: &Path, header: FileHeader) -> Result<Self, Error> {
        let temporary = path.with_added_extension("tmp");
        let file = File::create(&temporary).map_err(Error::io("create", &temporary))?;
        let mut writer = Self {
            path: path.to_owned(),
            temporary,
            header,
            file: None,
        };
        writer.file = Some(writer.start(file).map_err(|source| writer.error(source))?);
        Ok(writer)
    }

    fn start(&self, file: File) -> Result<SerializedFileWriter<BufWriter<File>>, ParquetError> {
        let mut writer = SerializedFileWriter::new(BufWriter::new(file), message_type()?, writer_properties()?)?;
        let header = serde_json::to_string(&self.header).map_err(|error| ParquetError::General(error.to_string()))?;
        for (key, value) in [
            (SCHEMA_KEY, SCHEMA_NAME.to_owned()),
            (VERSION_KEY, OBSERVATIONS_VERSION.to_string()),
            (HEADER_KEY, header),
        ] {
            writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        Ok(writer)
    }

    /// Appends rows.
    ///
    /// # Errors
    /// When the disk is full, or a row names an arm that the header does not.
    pub fn write(&mut self, observations: &[Observation]) -> Result<(), Error> {
        for rows in observations.chunks(ROW_GROUP_ROWS) {
            self.write_row_group(rows).map_err(|source| self.error(source))?;
        }
        Ok(())
    }

    fn write_row_group(&mut self, rows: &[Observation]) -> Result<(), ParquetError> {
        let arms: Vec<ByteArray> = self.header.arms.iter().map(|arm| text(arm)).collect();
        if let Some(row) = rows.iter().find(|row| usize::from(row.arm) >= arms.len()) {
            return Err(ParquetError::General(format!(
                "arm {} is not one of the {} arms",
                row.arm,
                arms.len()
            )));
        }
        let launch = self.header.launch.cast_signed();
        let condition = text(&self.header.condition);
        let statuses = Status::ALL.map(|status| text(status.text()));
        let Some(file) = self.file.as_mut() else {
            return Err(ParquetError::General("already finished".into()));
        };
        let mut group = file.next_row_group()?;
        for column in Column::ALL {
            let Some(mut writer) = group.next_column()? else {
                return Err(ParquetError::General(format!("column {column:?} is missing")));
            };
            let column_writer = &mut writer;
            match column {
                Column::Condition => put::<ByteArrayType>(column_writer, rows, |_| condition.clone()),
                Column::Arm => put::<ByteArrayType>(column_writer, rows, |row| arms[usize::from(row.arm)].clone()),
                Column::Status => {
                    put::<ByteArrayType>(column_writer, rows, |row| statuses[row.status as usize].clone())
                }
                Column::Launch => put::<Int32Type>(column_writer, rows, |_| launch),
                Column::Round => put::<Int32Type>(column_writer, rows, |row| row.round.cast_signed()),
                Column::Position => put::<Int32Type>(column_writer, rows, |row| row.position.into()),
                Column::Sequence => put::<Int32Type>(column_writer, rows, |row| row.sequence.cast_signed()),
                Column::HttpStatus => put::<Int32Type>(column_writer, rows, |row| row.http_status.into()),
                Column::Bytes => put::<Int32Type>(column_writer, rows, |row| row.bytes.cast_signed()),
                Column::IntendedSend => put::<Int64Type>(column_writer, rows, |row| row.intended_send_ns),
                Column::UserSend => put::<Int64Type>(column_writer, rows, |row| row.user_send_ns),
                Column::UserReceive => put::<Int64Type>(column_writer, rows, |row| row.user_receive_ns),
                Column::KernelTx => put_optional(column_writer, rows, |row| row.kernel_tx_ns),
                Column::KernelRx => put_optional(column_writer, rows, |row| row.kernel_rx_ns),
                Column::WarmUp => put::<BoolType>(column_writer, rows, |row| row.warm_up),
            }?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// Completes the file, writes it through to the disk and gives it its name.
    ///
    /// # Errors
    /// When the disk is full; nothing is left then.
    pub fn finish(mut self) -> Result<(), Error> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let buffer = file.into_inner().map_err(|source| self.error(source))?;
        let file = buffer
            .into_inner()
            .map_err(|error| Error::io("write", &self.temporary)(error.into_error()))?;
        file.sync_all().map_err(Error::io("write", &self.temporary))?;
        fs::rename(&self.temporary, &self.path).map_err(Error::io("rename", &self.temporary))
    }

    fn error(&self, source: ParquetError) -> Error {
        Error::Parquet {
            path: self.temporary.clone(),
            source,
            advice: ADVICE,
        }
    }
}

impl Drop for ObservationWriter {
    fn drop(&mut self) {
        // After `finish` the temporary name is gone and there is nothing to remove.
        _ = fs::remove_file(&self.temporary);
    }
}

fn text(text: &str) -> ByteArray {
    ByteArray::from(text.as_bytes().to_vec())
}

fn put<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    rows: &[Observation],
    value: impl Fn(&Observation) -> T::T,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = rows.iter().map(value).collect();
    writer.typed::<T>().write_batch(&values, None, None)?;
    Ok(())
}

fn put_optional(
    writer: &mut SerializedColumnWriter<'_>,
    rows: &[Observation],
    stamp: impl Fn(&Observation) -> Option<NonZeroI64>,
) -> Result<(), ParquetError> {
    let values: Vec<i64> = rows.iter().filter_map(&stamp).map(NonZeroI64::get).collect();
    let levels: Vec<i16> = rows.iter().map(|row| i16::from(stamp(row).is_some())).collect();
    writer.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}
