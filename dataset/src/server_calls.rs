//! The table `server_calls`: the synthetic server's own stamps of each request.

use std::path::Path;

use parquet::data_type::{Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Row, RowAccessor as _};

use crate::error::Error;
use crate::file_header::FileHeader;
use crate::table::{TableKind, put, read_rows, write_arm_rows};

/// Version of the table. A reader refuses any other.
pub const SERVER_CALLS_VERSION: u32 = 2;

const SERVER_CALLS: TableKind = TableKind {
    name: "hook-latency-server-calls",
    version: SERVER_CALLS_VERSION,
    message: "message server_calls {
        required binary run (STRING);
        required binary condition (STRING);
        required int32 launch (INTEGER(32, false));
        required binary arm (STRING);
        required int64 sequence;
        required int64 start_ns;
        required int32 call_ns (INTEGER(32, false));
        required int32 handler_ns (INTEGER(32, false));
        required int64 bytes;
        required int32 fd;
    }",
};

/// The server's stamps of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerCall {
    /// Number of the server's request over all threads, from 0.
    pub sequence: u64,
    /// Time by `CLOCK_MONOTONIC` before the first receive call, ns. The socket has data at this time.
    pub start_ns: u64,
    /// Time in the receive calls, ns.
    pub call_ns: u32,
    /// Time from `start_ns` until the response was sent, ns.
    pub handler_ns: u32,
    /// Bytes received.
    pub bytes: i64,
    /// File descriptor of the socket.
    pub fd: i32,
}

/// Writes the requests of one launch. Each stands with the index of its arm; requests of one arm stand together.
///
/// # Errors
/// When the disk is full. No part of the file stays.
pub fn write_server_calls(path: &Path, header: &FileHeader, calls: &[(usize, ServerCall)]) -> Result<(), Error> {
    write_arm_rows(path, SERVER_CALLS, header, calls, |index, to, rows| match index {
        0 => put::<Int64Type, _>(to, rows, |(_, call)| call.sequence.cast_signed()),
        1 => put::<Int64Type, _>(to, rows, |(_, call)| call.start_ns.cast_signed()),
        2 => put::<Int32Type, _>(to, rows, |(_, call)| call.call_ns.cast_signed()),
        3 => put::<Int32Type, _>(to, rows, |(_, call)| call.handler_ns.cast_signed()),
        4 => put::<Int64Type, _>(to, rows, |(_, call)| call.bytes),
        _ => put::<Int32Type, _>(to, rows, |(_, call)| call.fd),
    })
}

/// Reads the requests of one launch, each with the name of its arm.
///
/// # Errors
/// When the file holds another table or version.
pub fn read_server_calls(path: &Path) -> Result<Vec<(String, ServerCall)>, Error> {
    read_rows(path, SERVER_CALLS, call)
}

fn call(row: &Row) -> Result<(String, ServerCall), ParquetError> {
    Ok((
        row.get_string(3)?.clone(),
        ServerCall {
            sequence: row.get_long(4)?.cast_unsigned(),
            start_ns: row.get_long(5)?.cast_unsigned(),
            call_ns: row.get_uint(6)?,
            handler_ns: row.get_uint(7)?,
            bytes: row.get_long(8)?,
            fd: row.get_int(9)?,
        },
    ))
}
