//! Decodes single columns of a row group of observations.

use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;

use crate::observation_table::Column;

/// Decodes columns of one row group.
pub(crate) struct ColumnReader<'a> {
    pub(crate) group: &'a dyn RowGroupReader,
    /// Returns the position of a column in the file; `None` where the file lacks it.
    pub(crate) position: fn(Column) -> Option<usize>,
}

impl ColumnReader<'_> {
    /// Returns whether the file has a column.
    pub(crate) fn has(&self, column: Column) -> bool {
        (self.position)(column).is_some()
    }

    /// Returns the number of rows.
    pub(crate) fn rows(&self) -> usize {
        usize::try_from(self.group.metadata().num_rows()).unwrap_or(0)
    }

    /// Replaces `values` by the values of a column. For an optional column, `levels` gets a definition level for each row.
    pub(crate) fn read<T: DataType>(
        &self,
        column: Column,
        values: &mut Vec<T::T>,
        mut levels: Option<&mut Vec<i16>>,
    ) -> Result<(), ParquetError> {
        values.clear();
        if let Some(levels) = levels.as_deref_mut() {
            levels.clear();
        }
        let rows = self.rows();
        let Some(position) = (self.position)(column) else {
            return Err(ParquetError::General(format!("there is no column {column:?}")));
        };
        if self.group.metadata().column(position).column_type() != T::get_physical_type() {
            return Err(ParquetError::General(format!("column {column:?} has another type")));
        }
        let mut reader = get_typed_column_reader::<T>(self.group.get_column_reader(position)?);
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
}
