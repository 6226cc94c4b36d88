//! The table `hook_calls`: the hook's own record of each receive of payload.

use std::path::Path;

use model::HookCoverage;
use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Row, RowAccessor as _};
use readhook_telemetry::{Counters, FUNCTIONS, Record};

use crate::error::Error;
use crate::file_header::FileHeader;
use crate::table::{TableKind, put, read_rows, text, write_arm_rows};

/// Version of the table. A reader refuses any other.
pub const HOOK_CALLS_VERSION: u32 = 2;

const HOOK_CALLS: TableKind = TableKind {
    name: "hook-latency-hook-calls",
    version: HOOK_CALLS_VERSION,
    message: "message hook_calls {
        required binary run (STRING);
        required binary condition (STRING);
        required int32 launch (INTEGER(32, false));
        required binary arm (STRING);
        required int64 sequence;
        required int64 start_ns;
        required int32 real_ns (INTEGER(32, false));
        required int32 own_ns (INTEGER(32, false));
        required int32 spun_ns (INTEGER(32, false));
        required binary function (STRING);
        required int64 bytes;
        required binary verdict (STRING);
        required int32 fd;
        required int32 thread (INTEGER(32, false));
    }",
};

/// Names of the verdicts, by number.
const VERDICTS: [&str; 4] = ["not_searched", "clean", "hit", "blocked"];

/// Writes the calls of one launch. Each call has the index of its arm. The calls of one arm are adjacent.
///
/// # Errors
/// When the disk is full. No part of the file stays.
pub fn write_hook_calls(path: &Path, header: &FileHeader, calls: &[(usize, Record)]) -> Result<(), Error> {
    write_arm_rows(path, HOOK_CALLS, header, calls, |index, to, rows| match index {
        0 => put::<Int64Type, _>(to, rows, |(_, call)| call.sequence.cast_signed()),
        1 => put::<Int64Type, _>(to, rows, |(_, call)| call.start_ns.cast_signed()),
        2 => put::<Int32Type, _>(to, rows, |(_, call)| call.real_ns.cast_signed()),
        3 => put::<Int32Type, _>(to, rows, |(_, call)| call.own_ns.cast_signed()),
        4 => put::<Int32Type, _>(to, rows, |(_, call)| call.spun_ns.cast_signed()),
        5 => put::<ByteArrayType, _>(to, rows, |(_, call)| text(name(&FUNCTIONS, call.function))),
        6 => put::<Int64Type, _>(to, rows, |(_, call)| call.bytes),
        7 => put::<ByteArrayType, _>(to, rows, |(_, call)| text(name(&VERDICTS, call.verdict))),
        8 => put::<Int32Type, _>(to, rows, |(_, call)| call.fd),
        _ => put::<Int32Type, _>(to, rows, |(_, call)| call.thread.cast_signed()),
    })
}

/// Returns the name that belongs to a number. Returns `unknown` for other numbers, because the number comes from
/// shared memory that a program may have damaged.
fn name(names: &[&'static str], index: u8) -> &'static str {
    names.get(usize::from(index)).copied().unwrap_or("unknown")
}

/// Returns the hook's counters by name. Functions without calls are left out.
#[must_use]
pub fn hook_coverage(counters: &Counters) -> HookCoverage {
    let calls = FUNCTIONS.iter().zip(counters.calls).filter(|(_, calls)| *calls > 0);
    HookCoverage {
        processes: counters.attached,
        calls: calls.map(|(name, calls)| ((*name).to_owned(), calls)).collect(),
        sockets_accepted: counters.sockets_accepted,
        sockets_untracked: counters.sockets_untracked,
        payload_receives: counters.payload_receives,
        payload_bytes: counters.payload_bytes,
        hits: counters.hits,
        log_dropped: counters.log_dropped,
    }
}

/// Reads the calls of one launch, each with the name of its arm.
///
/// # Errors
/// When the file holds another table or version.
pub fn read_hook_calls(path: &Path) -> Result<Vec<(String, Record)>, Error> {
    read_rows(path, HOOK_CALLS, call)
}

fn call(row: &Row) -> Result<(String, Record), ParquetError> {
    let index = |names: &[&str], name: &str| {
        let index = names.iter().position(|known| *known == name);
        index
            .and_then(|index| u8::try_from(index).ok())
            .ok_or_else(|| ParquetError::General(format!("unknown {name}")))
    };
    Ok((
        row.get_string(3)?.clone(),
        Record {
            sequence: row.get_long(4)?.cast_unsigned(),
            start_ns: row.get_long(5)?.cast_unsigned(),
            real_ns: row.get_uint(6)?,
            own_ns: row.get_uint(7)?,
            spun_ns: row.get_uint(8)?,
            function: index(&FUNCTIONS, row.get_string(9)?)?,
            bytes: row.get_long(10)?,
            verdict: index(&VERDICTS, row.get_string(11)?)?,
            fd: row.get_int(12)?,
            thread: row.get_uint(13)?,
        },
    ))
}
