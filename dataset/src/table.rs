//! Parquet tables: their kinds, a writer whose file gets its name when it is complete, and a reader of rows.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, KeyValue};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterPropertiesPtr};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::Row;
use parquet::schema::parser::parse_message_type;
use tempfile::NamedTempFile;

use crate::atomic_file;
use crate::error::Error;
use crate::file_header::{FileHeader, HEADER_KEY, SCHEMA_KEY, VERSION_KEY};

/// Number of rows in a row group. A reader or writer holds one row group in memory at a time.
pub const ROW_GROUP_ROWS: usize = 131_072;

const ADVICE: &str = "free space on the disk or choose another folder; no part of the file was kept";
/// Advice for an error that only a mistake of this program can cause.
pub(crate) const MISTAKE: &str = "this is a mistake of this program";

/// A row group that is being written.
pub(crate) type RowGroupWriter<'a> = SerializedRowGroupWriter<'a, BufWriter<NamedTempFile>>;

/// Name, version and columns of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableKind {
    /// Name in the file's metadata.
    pub(crate) name: &'static str,
    /// Version in the file's metadata. A reader refuses any other.
    pub(crate) version: u32,
    /// Columns as a Parquet message type.
    pub(crate) message: &'static str,
}

impl TableKind {
    /// Returns whether a file's metadata names this table and this version.
    pub(crate) fn is_of(self, metadata: &FileMetaData) -> bool {
        value(metadata, SCHEMA_KEY) == Some(self.name)
            && value(metadata, VERSION_KEY) == Some(self.version.to_string().as_str())
    }

    /// Checks that a file's metadata names this table and this version.
    pub(crate) fn check(self, path: &Path, metadata: &FileMetaData) -> Result<(), Error> {
        if self.is_of(metadata) {
            return Ok(());
        }
        let found = match value(metadata, SCHEMA_KEY) {
            Some(name) if name == self.name => {
                format!(
                    "version {} of the table",
                    value(metadata, VERSION_KEY).unwrap_or("none")
                )
            }
            _ => "a Parquet file of another origin".to_owned(),
        };
        Err(Error::foreign(path, found, self.expected()))
    }

    /// Returns the table's name and version for an error message.
    pub(crate) fn expected(self) -> String {
        format!("table {}, version {}", self.name, self.version)
    }
}

/// Returns the value of a key in a file's metadata.
pub(crate) fn value<'a>(metadata: &'a FileMetaData, key: &str) -> Option<&'a str> {
    let pairs = metadata.key_value_metadata()?;
    pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
}

/// Returns the properties of the files of all tables.
pub(crate) fn writer_properties() -> Result<WriterPropertiesBuilder, ParquetError> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by("hook-latency dataset".to_owned()))
}

/// Writes a table. Its file is removed when the writer is dropped before [`finish`](Self::finish).
pub(crate) struct TableWriter {
    path: PathBuf,
    file: SerializedFileWriter<BufWriter<NamedTempFile>>,
}

impl TableWriter {
    /// Begins a file that will be at `path`.
    pub(crate) fn create(
        path: &Path,
        kind: TableKind,
        properties: WriterPropertiesPtr,
        header: &FileHeader,
    ) -> Result<Self, Error> {
        Self::over(atomic_file::begin(path)?, path, kind, properties, header)
    }

    fn over(
        file: NamedTempFile,
        path: &Path,
        kind: TableKind,
        properties: WriterPropertiesPtr,
        header: &FileHeader,
    ) -> Result<Self, Error> {
        let file = start(file, kind, properties, header).map_err(|source| error(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Appends a row group.
    pub(crate) fn append(
        &mut self,
        write: impl FnOnce(&mut RowGroupWriter<'_>) -> Result<(), ParquetError>,
    ) -> Result<(), Error> {
        let appended = self.file.next_row_group().and_then(|mut group| {
            write(&mut group)?;
            group.close()?;
            Ok(())
        });
        appended.map_err(|source| error(&self.path, source))
    }

    /// Completes the file, writes it through to the disk and gives it its name.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let Self { path, file } = self;
        let buffer = file.into_inner().map_err(|source| error(&path, source))?;
        let file = buffer
            .into_inner()
            .map_err(|error| Error::io("write", &path)(error.into_error()))?;
        atomic_file::persist(file, &path)
    }

    /// Returns the path that the file will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn error(path: &Path, source: ParquetError) -> Error {
    Error::Parquet {
        path: path.to_owned(),
        source,
        advice: ADVICE,
    }
}

fn start(
    file: NamedTempFile,
    kind: TableKind,
    properties: WriterPropertiesPtr,
    header: &FileHeader,
) -> Result<SerializedFileWriter<BufWriter<NamedTempFile>>, ParquetError> {
    let columns = Arc::new(parse_message_type(kind.message)?);
    let mut writer = SerializedFileWriter::new(BufWriter::new(file), columns, properties)?;
    let header = serde_json::to_string(header).map_err(|error| ParquetError::General(error.to_string()))?;
    for (key, value) in [
        (SCHEMA_KEY, kind.name.to_owned()),
        (VERSION_KEY, kind.version.to_string()),
        (HEADER_KEY, header),
    ] {
        writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }
    Ok(writer)
}

/// Returns a text as a Parquet value.
pub(crate) fn text(text: &str) -> ByteArray {
    ByteArray::from(text.as_bytes().to_vec())
}

/// Writes a required column.
pub(crate) fn put<T: DataType, R>(
    writer: &mut SerializedColumnWriter<'_>,
    rows: &[R],
    value: impl Fn(&R) -> T::T,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = rows.iter().map(value).collect();
    writer.typed::<T>().write_batch(&values, None, None)?;
    Ok(())
}

/// Writes an optional column.
pub(crate) fn put_optional<T: DataType, R>(
    writer: &mut SerializedColumnWriter<'_>,
    rows: &[R],
    value: impl Fn(&R) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = rows.iter().filter_map(&value).collect();
    let levels: Vec<i16> = rows.iter().map(|row| i16::from(value(row).is_some())).collect();
    writer.typed::<T>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}

/// Writes a table of rows that are all in memory. `column` writes the column with the given index. No part of the file
/// stays after an error.
pub(crate) fn write_rows<R>(
    path: &Path,
    kind: TableKind,
    header: &FileHeader,
    rows: &[R],
    column: impl Fn(usize, &mut SerializedColumnWriter<'_>, &[R]) -> Result<(), ParquetError>,
) -> Result<(), Error> {
    let properties = writer_properties().map_err(|source| Error::Parquet {
        path: path.to_owned(),
        source,
        advice: MISTAKE,
    })?;
    let mut table = TableWriter::create(path, kind, Arc::new(properties.build()), header)?;
    for rows in rows.chunks(ROW_GROUP_ROWS) {
        table.append(|group| {
            for index in 0.. {
                let Some(mut writer) = group.next_column()? else { break };
                column(index, &mut writer, rows)?;
                writer.close()?;
            }
            Ok(())
        })?;
    }
    table.finish()
}

/// Number of columns that [`write_arm_rows`] writes before the table's own columns: `run`, `condition`, `launch` and
/// `arm`.
pub(crate) const ARM_COLUMNS: usize = 4;

/// Writes a table whose rows belong to arms. Each row has the index of its arm. `column` writes the column with the
/// given index, which does not count the first [`ARM_COLUMNS`].
pub(crate) fn write_arm_rows<R>(
    path: &Path,
    kind: TableKind,
    header: &FileHeader,
    rows: &[(usize, R)],
    column: impl Fn(usize, &mut SerializedColumnWriter<'_>, &[(usize, R)]) -> Result<(), ParquetError>,
) -> Result<(), Error> {
    let arms: Vec<ByteArray> = header.arms.iter().map(|arm| text(arm)).collect();
    let (run, condition) = (text(&header.run), text(&header.condition));
    let launch = header.launch.cast_signed();
    write_rows(path, kind, header, rows, |index, to, rows| match index {
        0 => put::<ByteArrayType, _>(to, rows, |_| run.clone()),
        1 => put::<ByteArrayType, _>(to, rows, |_| condition.clone()),
        2 => put::<Int32Type, _>(to, rows, |_| launch),
        3 => put::<ByteArrayType, _>(to, rows, |(arm, _)| arms[*arm].clone()),
        _ => column(index - ARM_COLUMNS, to, rows),
    })
}

/// Reads all rows of a table.
pub(crate) fn read_rows<R>(
    path: &Path,
    kind: TableKind,
    row: impl Fn(&Row) -> Result<R, ParquetError>,
) -> Result<Vec<R>, Error> {
    let damaged = |source| Error::damaged(path, source);
    let file = File::open(path).map_err(Error::io("open", path))?;
    let file = SerializedFileReader::new(file).map_err(damaged)?;
    kind.check(path, file.metadata().file_metadata())?;
    let rows = file.get_row_iter(None).map_err(damaged)?;
    rows.map(|found| found.and_then(|found| row(&found)).map_err(damaged))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use parquet::data_type::Int64Type;

    use super::*;

    const NUMBERS: TableKind = TableKind {
        name: "numbers",
        version: 1,
        message: "message numbers { required int64 number; }",
    };

    #[test]
    fn a_full_disk_is_named_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        // Every write to this device fails as on a full disk.
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let name = atomic_file::begin(&path).unwrap().into_temp_path();
        let header = FileHeader {
            run: "run".to_owned(),
            condition: "local-pod".to_owned(),
            launch: 0,
            arms: Vec::new(),
        };
        let properties = Arc::new(writer_properties().unwrap().build());
        let written = TableWriter::over(
            NamedTempFile::from_parts(full, name),
            &path,
            NUMBERS,
            properties,
            &header,
        )
        .and_then(|mut table| {
            let rows: Vec<i64> = (0..100_000).map(|number| number * number).collect();
            table.append(|group| {
                let Some(mut writer) = group.next_column()? else {
                    return Ok(());
                };
                put::<Int64Type, _>(&mut writer, &rows, |row| *row)?;
                writer.close()?;
                Ok(())
            })?;
            table.finish()
        });
        let error = written.unwrap_err().to_string();
        assert!(
            error.contains("No space left") && error.contains("a.parquet"),
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
