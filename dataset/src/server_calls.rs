//! The table `server_calls`: when the synthetic server received each request and answered it, by its own stamps.

use std::path::Path;

use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Row, RowAccessor as _};

use crate::error::Error;
use crate::schema::FileHeader;
use crate::table::{Kind, put, read_rows, text, write_rows};

/// Version of the table; a reader refuses any other.
pub const SERVER_CALLS_VERSION: u32 = 1;

const SERVER_CALLS: Kind = Kind {
    name: "hook-latency-server-calls",
    version: SERVER_CALLS_VERSION,
    message: "message server_calls {
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

/// One request as the server saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerCall {
    /// Number of the server's request, from 0, over all threads.
    pub sequence: u64,
    /// `CLOCK_MONOTONIC` before the first receive call, which has data already, ns.
    pub start_ns: u64,
    /// In the receive calls, ns.
    pub call_ns: u32,
    /// From `start_ns` until the answer was sent, ns.
    pub handler_ns: u32,
    /// Received, bytes.
    pub bytes: i64,
    /// The socket.
    pub fd: i32,
}

/// Writes one launch's requests: those of each arm, in the order of their arms.
///
/// # Errors
/// When the disk is full; nothing is left then.
pub fn write_server_calls(path: &Path, header: &FileHeader, calls: &[(usize, ServerCall)]) -> Result<(), Error> {
    let arms: Vec<ByteArray> = header.arms.iter().map(|arm| text(arm)).collect();
    let (condition, launch) = (text(&header.condition), header.launch.cast_signed());
    write_rows(path, SERVER_CALLS, header, calls, |index, to, rows| match index {
        0 => put::<ByteArrayType, _>(to, rows, |_| condition.clone()),
        1 => put::<Int32Type, _>(to, rows, |_| launch),
        2 => put::<ByteArrayType, _>(to, rows, |(arm, _)| arms[*arm].clone()),
        3 => put::<Int64Type, _>(to, rows, |(_, call)| call.sequence.cast_signed()),
        4 => put::<Int64Type, _>(to, rows, |(_, call)| call.start_ns.cast_signed()),
        5 => put::<Int32Type, _>(to, rows, |(_, call)| call.call_ns.cast_signed()),
        6 => put::<Int32Type, _>(to, rows, |(_, call)| call.handler_ns.cast_signed()),
        7 => put::<Int64Type, _>(to, rows, |(_, call)| call.bytes),
        _ => put::<Int32Type, _>(to, rows, |(_, call)| call.fd),
    })
}

/// Reads one launch's requests: the arm's name and the request.
///
/// # Errors
/// When it is no such table of this version.
pub fn read_server_calls(path: &Path) -> Result<Vec<(String, ServerCall)>, Error> {
    read_rows(path, SERVER_CALLS, call)
}

fn call(row: &Row) -> Result<(String, ServerCall), ParquetError> {
    Ok((
        row.get_string(2)?.clone(),
        ServerCall {
            sequence: row.get_long(3)?.cast_unsigned(),
            start_ns: row.get_long(4)?.cast_unsigned(),
            call_ns: row.get_uint(5)?,
            handler_ns: row.get_uint(6)?,
            bytes: row.get_long(7)?,
            fd: row.get_int(8)?,
        },
    ))
}
