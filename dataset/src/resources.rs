//! The table `resources`: samples of the resources that servers, load generator, neighbour, helpers and node use during a
//! launch, and of the resources that they are denied.

use std::path::Path;

use model::{Measure, ResourceSample, ResourceSubject, Usage};
use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Field, Row};

use crate::error::Error;
use crate::file_header::FileHeader;
use crate::table::{TableKind, put, put_optional, read_rows, text, write_rows};

/// Version of the table. A reader refuses any other.
pub const RESOURCES_VERSION: u32 = 2;

const RESOURCES: TableKind = TableKind {
    name: "hook-latency-resources",
    version: RESOURCES_VERSION,
    message: "message resources {
        required binary run (STRING);
        required binary condition (STRING);
        required int32 launch (INTEGER(32, false));
        required int64 time_ns;
        required binary kind (STRING);
        required binary subject (STRING);
        optional int64 cpu_ns;
        optional int64 periods;
        optional int64 throttled_periods;
        optional int64 throttled_ns;
        optional int64 memory_bytes;
        optional int64 memory_limit_bytes;
        optional int64 memory_limit_hits;
        optional int64 oom_kills;
        optional int64 cpu_pressure_ns;
        optional int64 memory_pressure_ns;
        optional int64 io_pressure_ns;
        optional int64 run_queue_wait_ns;
        optional int64 context_switches;
        optional int64 involuntary_switches;
        optional int64 steal_ns;
        optional int64 tcp_retransmits;
        optional int64 tcp_drops;
        optional int64 file_descriptors;
        optional int64 file_descriptor_limit;
        optional int64 threads;
    }",
};

/// Number of columns before the measures.
const FIRST_MEASURE: usize = 6;

/// Writes the samples of one launch.
///
/// # Errors
/// When the disk is full. No part of the file stays.
pub fn write_resources(path: &Path, header: &FileHeader, samples: &[ResourceSample]) -> Result<(), Error> {
    let (run, condition) = (text(&header.run), text(&header.condition));
    let launch = header.launch.cast_signed();
    write_rows(path, RESOURCES, header, samples, |index, to, rows| match index {
        0 => put::<ByteArrayType, _>(to, rows, |_| run.clone()),
        1 => put::<ByteArrayType, _>(to, rows, |_| condition.clone()),
        2 => put::<Int32Type, _>(to, rows, |_| launch),
        3 => put::<Int64Type, _>(to, rows, |row| row.time_ns),
        4 => put::<ByteArrayType, _>(to, rows, |row| text(row.subject.kind())),
        5 => put::<ByteArrayType, _>(to, rows, |row| text(row.subject.name())),
        _ => put_optional::<Int64Type, _>(to, rows, |row| row.usage[Measure::ALL[index - FIRST_MEASURE]]),
    })
}

/// Reads the samples of one launch.
///
/// # Errors
/// When the file holds another table or version.
pub fn read_resources(path: &Path) -> Result<Vec<ResourceSample>, Error> {
    read_rows(path, RESOURCES, sample)
}

fn sample(row: &Row) -> Result<ResourceSample, ParquetError> {
    let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
    let [
        _,
        _,
        _,
        Field::Long(time_ns),
        Field::Str(kind),
        Field::Str(name),
        measures @ ..,
    ] = &fields[..]
    else {
        return Err(ParquetError::General("unexpected columns".to_owned()));
    };
    let mut usage = Usage::default();
    for (measure, field) in Measure::ALL.iter().copied().zip(measures) {
        usage[measure] = match field {
            Field::Long(value) => Some(*value),
            _ => None,
        };
    }
    Ok(ResourceSample {
        time_ns: *time_ns,
        subject: subject(kind, name)?,
        usage,
    })
}

fn subject(kind: &str, name: &str) -> Result<ResourceSubject, ParquetError> {
    match kind {
        "arm" => Ok(ResourceSubject::Arm(name.to_owned())),
        "loadgen" => Ok(ResourceSubject::Loadgen),
        "neighbour" => Ok(ResourceSubject::Neighbour),
        "helper" => Ok(ResourceSubject::Helper(name.to_owned())),
        "node" => Ok(ResourceSubject::Node(name.to_owned())),
        _ => Err(ParquetError::General(format!("unknown kind {kind}"))),
    }
}
