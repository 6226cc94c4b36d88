//! Reads observations row group by row group, and refuses files that are incomplete or hold another table.

use std::fs::File;
use std::num::NonZeroI64;
use std::path::{Path, PathBuf};

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::before_plan;
use crate::error::Error;
use crate::file_header::{FileHeader, HEADER_KEY};
use crate::observation::Observation;
use crate::observation_columns::ColumnReader;
use crate::observation_table::{CURRENT, Column, ObservationLayout};
use crate::table::{ROW_GROUP_ROWS, value};
use crate::timings::Timings;

/// Reads one file of observations.
pub struct ObservationReader {
    path: PathBuf,
    file: SerializedFileReader<File>,
    header: FileHeader,
    layout: ObservationLayout,
    /// Whether [`ObservationReader::for_each_timings`] reads the intended arrivals.
    reads_arrivals: bool,
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
    /// Opens a file and checks its table, version and columns.
    ///
    /// # Errors
    /// When the file cannot be read, is no Parquet file, or holds another table or version.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let file = SerializedFileReader::new(file).map_err(|source| Error::damaged(path, source))?;
        let metadata = file.metadata().file_metadata();
        let layouts = [CURRENT, before_plan::OBSERVATION_LAYOUT];
        let Some(layout) = layouts.into_iter().find(|layout| layout.kind.is_of(metadata)) else {
            CURRENT.kind.check(path, metadata)?;
            return Err(Error::foreign(path, "another table", CURRENT.kind.expected()));
        };
        let columns = layout.message_type().map_err(|source| Error::damaged(path, source))?;
        if metadata.schema() != columns.as_ref() {
            return Err(Error::foreign(
                path,
                "other columns than this version has",
                layout.kind.expected(),
            ));
        }
        let header =
            (layout.header)(value(metadata, HEADER_KEY).unwrap_or_default()).map_err(|source| Error::Json {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            path: path.to_owned(),
            header,
            file,
            layout,
            reads_arrivals: false,
        })
    }

    /// The reader, which also reads the intended arrivals of requests with [`Self::for_each_timings`].
    #[must_use]
    pub fn with_arrivals(self) -> Self {
        Self {
            reads_arrivals: true,
            ..self
        }
    }

    /// Returns the values that are the same for all rows.
    #[must_use]
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.file.metadata().file_metadata().num_rows().cast_unsigned()
    }

    /// Visits all rows in order. One row group is in memory at a time.
    ///
    /// # Errors
    /// When a row group is damaged. The rows before it have been visited then.
    pub fn for_each(&self, mut visit: impl FnMut(&Observation)) -> Result<(), Error> {
        self.for_each_group(|group| {
            self.rows_of(group)?.iter().for_each(&mut visit);
            Ok(())
        })
    }

    /// Visits the columns that estimators need, row group by row group, in order.
    ///
    /// # Errors
    /// The errors of [`Self::for_each`].
    pub fn for_each_timings(&self, mut visit: impl FnMut(&Timings)) -> Result<(), Error> {
        let mut timings = Timings::default();
        self.for_each_group(|group| {
            timings.read(&self.columns(group), &self.header.arms, self.layout.outcome)?;
            if self.reads_arrivals {
                timings.read_arrivals(&self.columns(group))?;
            }
            visit(&timings);
            Ok(())
        })
    }

    /// Decodes the columns that [`Self::for_each_timings`] reads and drops them. Benchmarks use its duration as the
    /// smallest possible duration of a reader of these columns.
    ///
    /// # Errors
    /// The errors of [`Self::for_each`].
    pub fn decode_timings(&self) -> Result<(), Error> {
        let mut timings = Timings::default();
        self.for_each_group(|group| timings.decode(&self.columns(group)))
    }

    fn columns<'a>(&self, group: &'a dyn RowGroupReader) -> ColumnReader<'a> {
        ColumnReader {
            group,
            position: self.layout.position,
        }
    }

    fn for_each_group(
        &self,
        mut visit: impl FnMut(&dyn RowGroupReader) -> Result<(), ParquetError>,
    ) -> Result<(), Error> {
        for index in 0..self.file.num_row_groups() {
            let group = self
                .file
                .get_row_group(index)
                .map_err(|source| Error::damaged(&self.path, source))?;
            if group.metadata().num_rows() > ROW_GROUP_ROWS as i64 {
                return Err(Error::foreign(
                    &self.path,
                    "a row group too large",
                    format!("at most {ROW_GROUP_ROWS} rows"),
                ));
            }
            visit(group.as_ref()).map_err(|source| Error::damaged(&self.path, source))?;
        }
        Ok(())
    }

    fn rows_of(&self, group: &dyn RowGroupReader) -> Result<Vec<Observation>, ParquetError> {
        let columns = self.columns(group);
        let int32 = |column| required::<Int32Type>(&columns, column);
        let int64 = |column| required::<Int64Type>(&columns, column);
        let (round, position, sequence) = (
            int32(Column::Round)?,
            int32(Column::Position)?,
            int32(Column::Sequence)?,
        );
        let (intended, send, receive) = (
            int64(Column::IntendedArrival)?,
            int64(Column::UserSend)?,
            int64(Column::UserReceive)?,
        );
        let stamps = |column| optional::<Int64Type>(&columns, column);
        let (tx, rx) = (stamps(Column::KernelTx)?, stamps(Column::KernelRx)?);
        let (connection, request) = (int32(Column::Connection)?, int32(Column::Request)?);
        let whole = |column| optional::<Int32Type>(&columns, column);
        let (step, load_level, block) = (whole(Column::Step)?, whole(Column::LoadLevel)?, whole(Column::Block)?);
        let (http_status, bytes) = (int32(Column::HttpStatus)?, int32(Column::Bytes)?);
        let warm_up = required::<BoolType>(&columns, Column::WarmUp)?;
        let arm = required::<ByteArrayType>(&columns, Column::Arm)?;
        let outcome = required::<ByteArrayType>(&columns, Column::Outcome)?;
        (0..round.len())
            .map(|row| {
                Ok(Observation {
                    round: round[row].cast_unsigned(),
                    position: small(position[row])?,
                    arm: self.arm(&arm[row])?,
                    sequence: sequence[row].cast_unsigned(),
                    connection: small(connection[row])?,
                    request: small(request[row])?,
                    step: step[row].map(small).transpose()?,
                    load_level_permille: load_level[row].map(small).transpose()?,
                    block: block[row].map(i32::cast_unsigned),
                    intended_arrival_ns: intended[row],
                    user_send_ns: send[row],
                    kernel_tx_ns: tx[row].and_then(NonZeroI64::new),
                    kernel_rx_ns: rx[row].and_then(NonZeroI64::new),
                    user_receive_ns: receive[row],
                    outcome: known(outcome[row].as_utf8().ok().and_then(self.layout.outcome), "outcome")?,
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

fn known<T>(value: Option<T>, column: &str) -> Result<T, ParquetError> {
    value.ok_or_else(|| ParquetError::General(format!("a row with an unknown {column}")))
}

fn small(value: i32) -> Result<u16, ParquetError> {
    u16::try_from(value).map_err(|_| ParquetError::General(format!("{value} where 0 to 65,535 was expected")))
}

fn required<T: DataType>(columns: &ColumnReader<'_>, column: Column) -> Result<Vec<T::T>, ParquetError> {
    let mut values = Vec::new();
    columns.read::<T>(column, &mut values, None)?;
    Ok(values)
}

/// Reads an optional column. All values are `None` where the file lacks the column.
fn optional<T: DataType>(columns: &ColumnReader<'_>, column: Column) -> Result<Vec<Option<T::T>>, ParquetError> {
    if !columns.has(column) {
        return Ok(vec![None; columns.rows()]);
    }
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    columns.read::<T>(column, &mut values, Some(&mut levels))?;
    let mut values = values.into_iter();
    Ok(levels
        .into_iter()
        .map(|level| if level == 0 { None } else { values.next() })
        .collect())
}
