//! Reads observations row group by row group, and refuses what is not whole or not ours.

use std::fs::File;
use std::num::NonZeroI64;
use std::path::{Path, PathBuf};

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::error::Error;
use crate::observation::{Observation, Status};
use crate::schema::{Column, FileHeader, HEADER_KEY, OBSERVATIONS, ROW_GROUP_ROWS, message_type};
use crate::table::value;
use crate::timings::{Timings, read};

const ADVICE: &str = "the file is cut short or damaged; restore it or measure again";

/// Reads one file.
pub struct ObservationReader {
    path: PathBuf,
    file: SerializedFileReader<File>,
    header: FileHeader,
}

impl std::fmt::Debug for ObservationReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ObservationReader")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl ObservationReader {
    /// Opens a file and checks what it says of itself.
    ///
    /// # Errors
    /// When it cannot be read, is no Parquet file, or holds another table or version.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let file = SerializedFileReader::new(file).map_err(|source| damaged(path, source))?;
        let metadata = file.metadata().file_metadata();
        OBSERVATIONS.check(path, metadata)?;
        let columns = message_type().map_err(|source| damaged(path, source))?;
        if metadata.schema() != columns.as_ref() {
            return Err(Error::foreign(
                path,
                "other columns than this version has",
                OBSERVATIONS.expected(),
            ));
        }
        let header =
            serde_json::from_str(value(metadata, HEADER_KEY).unwrap_or_default()).map_err(|source| Error::Json {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            path: path.to_owned(),
            header,
            file,
        })
    }

    /// What is the same for all rows.
    #[must_use]
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.file.metadata().file_metadata().num_rows().cast_unsigned()
    }

    /// Visits all rows in order, holding one row group at a time.
    ///
    /// # Errors
    /// When a row group is damaged; rows before it have been visited then.
    pub fn for_each(&self, mut visit: impl FnMut(&Observation)) -> Result<(), Error> {
        self.for_each_group(|group| {
            self.rows_of(group)?.iter().for_each(&mut visit);
            Ok(())
        })
    }

    /// Visits what estimators need, row group by row group, in order.
    ///
    /// # Errors
    /// As [`Self::for_each`].
    pub fn for_each_timings(&self, mut visit: impl FnMut(&Timings)) -> Result<(), Error> {
        let mut timings = Timings::default();
        self.for_each_group(|group| {
            timings.read(group, &self.header.arms)?;
            visit(&timings);
            Ok(())
        })
    }

    /// Decodes the columns that [`Self::for_each_timings`] reads, and drops them: the least that any reader of them must
    /// do, to compare with.
    ///
    /// # Errors
    /// As [`Self::for_each`].
    pub fn decode_timings(&self) -> Result<(), Error> {
        let mut timings = Timings::default();
        self.for_each_group(|group| timings.decode(group))
    }

    fn for_each_group(
        &self,
        mut visit: impl FnMut(&dyn RowGroupReader) -> Result<(), ParquetError>,
    ) -> Result<(), Error> {
        for index in 0..self.file.num_row_groups() {
            let group = self
                .file
                .get_row_group(index)
                .map_err(|source| damaged(&self.path, source))?;
            if group.metadata().num_rows() > ROW_GROUP_ROWS as i64 {
                return Err(Error::foreign(
                    &self.path,
                    "a row group too large",
                    format!("at most {ROW_GROUP_ROWS} rows"),
                ));
            }
            visit(group.as_ref()).map_err(|source| damaged(&self.path, source))?;
        }
        Ok(())
    }

    fn rows_of(&self, group: &dyn RowGroupReader) -> Result<Vec<Observation>, ParquetError> {
        let int32 = |column| required::<Int32Type>(group, column);
        let int64 = |column| required::<Int64Type>(group, column);
        let (round, position, sequence) = (
            int32(Column::Round)?,
            int32(Column::Position)?,
            int32(Column::Sequence)?,
        );
        let (intended, send, receive) = (
            int64(Column::IntendedSend)?,
            int64(Column::UserSend)?,
            int64(Column::UserReceive)?,
        );
        let (tx, rx) = (stamps(group, Column::KernelTx)?, stamps(group, Column::KernelRx)?);
        let (connection, request) = (int32(Column::Connection)?, int32(Column::Request)?);
        let (http_status, bytes) = (int32(Column::HttpStatus)?, int32(Column::Bytes)?);
        let warm_up = required::<BoolType>(group, Column::WarmUp)?;
        let arm = required::<ByteArrayType>(group, Column::Arm)?;
        let status = required::<ByteArrayType>(group, Column::Status)?;
        (0..round.len())
            .map(|row| {
                Ok(Observation {
                    round: round[row].cast_unsigned(),
                    position: small(position[row])?,
                    arm: self.arm(&arm[row])?,
                    sequence: sequence[row].cast_unsigned(),
                    connection: small(connection[row])?,
                    request: small(request[row])?,
                    intended_send_ns: intended[row],
                    user_send_ns: send[row],
                    kernel_tx_ns: tx[row],
                    kernel_rx_ns: rx[row],
                    user_receive_ns: receive[row],
                    status: known(status[row].as_utf8().ok().and_then(Status::from_text), "status")?,
                    http_status: small(http_status[row])?,
                    bytes: bytes[row].cast_unsigned(),
                    warm_up: warm_up[row],
                })
            })
            .collect()
    }

    fn arm(&self, name: &ByteArray) -> Result<u16, ParquetError> {
        let index = self.header.arms.iter().position(|arm| arm.as_bytes() == name.data());
        known(index.and_then(|index| u16::try_from(index).ok()), "arm")
    }
}

fn known<T>(value: Option<T>, what: &str) -> Result<T, ParquetError> {
    value.ok_or_else(|| ParquetError::General(format!("a row with an unknown {what}")))
}

fn small(value: i32) -> Result<u16, ParquetError> {
    u16::try_from(value).map_err(|_| ParquetError::General(format!("{value} where 0 to 65,535 was expected")))
}

fn required<T: DataType>(group: &dyn RowGroupReader, column: Column) -> Result<Vec<T::T>, ParquetError> {
    let mut values = Vec::new();
    read::<T>(group, column, &mut values, None)?;
    Ok(values)
}

fn stamps(group: &dyn RowGroupReader, column: Column) -> Result<Vec<Option<NonZeroI64>>, ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    read::<Int64Type>(group, column, &mut values, Some(&mut levels))?;
    let mut values = values.into_iter();
    Ok(levels
        .into_iter()
        .map(|level| {
            if level == 0 {
                None
            } else {
                values.next().and_then(NonZeroI64::new)
            }
        })
        .collect())
}

fn damaged(path: &Path, source: ParquetError) -> Error {
    Error::Parquet {
        path: path.to_owned(),
        source,
        advice: ADVICE,
    }
}
