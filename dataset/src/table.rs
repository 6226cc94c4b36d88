//! A Parquet file that is written under a temporary name until it is complete.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, KeyValue};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::Row;
use parquet::schema::parser::parse_message_type;

use crate::error::Error;
use crate::schema::{FileHeader, HEADER_KEY, ROW_GROUP_ROWS, SCHEMA_KEY, VERSION_KEY};

const ADVICE: &str = "free space on the disk or choose another place; nothing was kept";

/// Which table a file holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// The table's name in the file's metadata.
    pub(crate) name: &'static str,
    /// Its version; a reader refuses any other.
    pub(crate) version: u32,
    /// Its columns.
    pub(crate) message: &'static str,
}

impl Kind {
    /// Checks that a file says of itself that it holds this table in this version.
    pub(crate) fn check(self, path: &Path, metadata: &FileMetaData) -> Result<(), Error> {
        if value(metadata, SCHEMA_KEY) != Some(self.name) {
            return Err(Error::foreign(
                path,
                "a Parquet file of another origin",
                self.expected(),
            ));
        }
        let version = value(metadata, VERSION_KEY).unwrap_or("none");
        if version != self.version.to_string() {
            let found = format!("version {version} of the table");
            return Err(Error::foreign(path, found, self.expected()));
        }
        Ok(())
    }

    /// What a reader expects.
    pub(crate) fn expected(self) -> String {
        format!("table {}, version {}", self.name, self.version)
    }
}

/// What a file says of itself under a key.
pub(crate) fn value<'a>(metadata: &'a FileMetaData, key: &str) -> Option<&'a str> {
    let pairs = metadata.key_value_metadata()?;
    pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
}

/// The file. Dropped before [`finish`](Self::finish), it leaves nothing behind.
pub(crate) struct Table {
    path: PathBuf,
    temporary: PathBuf,
    // `None` once finished.
    file: Option<SerializedFileWriter<BufWriter<File>>>,
}

impl Table {
    /// Starts a file that will be at `path`.
    pub(crate) fn create(
        path: &Path,
        kind: Kind,
        properties: WriterPropertiesPtr,
        header: &FileHeader,
    ) -> Result<Self, Error> {
        let temporary = path.with_added_extension("tmp");
        let file = File::create(&temporary).map_err(Error::io("create", &temporary))?;
        let mut table = Self {
            path: path.to_owned(),
            temporary,
            file: None,
        };
        table.file = Some(start(file, kind, properties, header).map_err(|source| table.error(source))?);
        Ok(table)
    }

    /// Appends a row group.
    pub(crate) fn append(
        &mut self,
        write: impl FnOnce(&mut SerializedRowGroupWriter<'_, BufWriter<File>>) -> Result<(), ParquetError>,
    ) -> Result<(), Error> {
        let appended = match &mut self.file {
            None => Err(ParquetError::General("already finished".into())),
            Some(file) => file.next_row_group().and_then(|mut group| {
                write(&mut group)?;
                group.close()?;
                Ok(())
            }),
        };
        appended.map_err(|source| self.error(source))
    }

    /// Completes the file, writes it through to the disk and gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let buffer = file.into_inner().map_err(|source| self.error(source))?;
        let file = buffer
            .into_inner()
            .map_err(|error| Error::io("write", &self.temporary)(error.into_error()))?;
        file.sync_all().map_err(Error::io("write", &self.temporary))?;
        fs::rename(&self.temporary, &self.path).map_err(Error::io("rename", &self.temporary))
    }

    /// Where the file will be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn error(&self, source: ParquetError) -> Error {
        Error::Parquet {
            path: self.temporary.clone(),
            source,
            advice: ADVICE,
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // After `finish` the temporary name is gone and there is nothing to remove.
        _ = fs::remove_file(&self.temporary);
    }
}

fn start(
    file: File,
    kind: Kind,
    properties: WriterPropertiesPtr,
    header: &FileHeader,
) -> Result<SerializedFileWriter<BufWriter<File>>, ParquetError> {
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

/// Writes a column of whole numbers, some of which are not there.
pub(crate) fn put_optional<R>(
    writer: &mut SerializedColumnWriter<'_>,
    rows: &[R],
    value: impl Fn(&R) -> Option<i64>,
) -> Result<(), ParquetError> {
    let values: Vec<i64> = rows.iter().filter_map(&value).collect();
    let levels: Vec<i16> = rows.iter().map(|row| i16::from(value(row).is_some())).collect();
    writer.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}

/// Writes a table whose rows are all there; `column` writes the column of this number. When that fails nothing is left.
pub(crate) fn write_rows<R>(
    path: &Path,
    kind: Kind,
    header: &FileHeader,
    rows: &[R],
    column: impl Fn(usize, &mut SerializedColumnWriter<'_>, &[R]) -> Result<(), ParquetError>,
) -> Result<(), Error> {
    let level = ZstdLevel::try_new(3).map_err(|source| Error::Parquet {
        path: path.to_owned(),
        source,
        advice: "this is a mistake of this program",
    })?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by("hook-latency dataset".to_owned())
        .build();
    let mut table = Table::create(path, kind, Arc::new(properties), header)?;
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

/// Reads all rows of a table.
pub(crate) fn read_rows<R>(
    path: &Path,
    kind: Kind,
    row: impl Fn(&Row) -> Result<R, ParquetError>,
) -> Result<Vec<R>, Error> {
    let damaged = |source| Error::Parquet {
        path: path.to_owned(),
        source,
        advice: "the file is cut short or damaged; restore it or measure again",
    };
    let file = File::open(path).map_err(Error::io("open", path))?;
    let file = SerializedFileReader::new(file).map_err(damaged)?;
    kind.check(path, file.metadata().file_metadata())?;
    let rows = file.get_row_iter(None).map_err(damaged)?;
    rows.map(|found| found.and_then(|found| row(&found)).map_err(damaged))
        .collect()
}
