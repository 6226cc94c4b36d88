//! The table `hook_calls`: what the hook itself saw of each payload receive.

use std::path::Path;

use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Row, RowAccessor as _};
use readhook_telemetry::{FUNCTIONS, Record};

use crate::error::Error;
use crate::schema::FileHeader;
use crate::table::{Kind, put, read_rows, text, write_rows};

/// Version of the table; a reader refuses any other.
pub const HOOK_CALLS_VERSION: u32 = 1;

const HOOK_CALLS: Kind = Kind {
    name: "hook-latency-hook-calls",
    version: HOOK_CALLS_VERSION,
    message: "message hook_calls {
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

/// Writes one launch's calls: those of each arm, in the order of their arms.
///
/// # Errors
/// When the disk is full; nothing is left then.
pub fn write_hook_calls(path: &Path, header: &FileHeader, calls: &[(usize, Record)]) -> Result<(), Error> {
    let arms: Vec<ByteArray> = header.arms.iter().map(|arm| text(arm)).collect();
    let (condition, launch) = (text(&header.condition), header.launch.cast_signed());
    write_rows(path, HOOK_CALLS, header, calls, |index, to, rows| match index {
        0 => put::<ByteArrayType, _>(to, rows, |_| condition.clone()),
        1 => put::<Int32Type, _>(to, rows, |_| launch),
        2 => put::<ByteArrayType, _>(to, rows, |(arm, _)| arms[*arm].clone()),
        3 => put::<Int64Type, _>(to, rows, |(_, call)| call.sequence.cast_signed()),
        4 => put::<Int64Type, _>(to, rows, |(_, call)| call.start_ns.cast_signed()),
        5 => put::<Int32Type, _>(to, rows, |(_, call)| call.real_ns.cast_signed()),
        6 => put::<Int32Type, _>(to, rows, |(_, call)| call.own_ns.cast_signed()),
        7 => put::<Int32Type, _>(to, rows, |(_, call)| call.spun_ns.cast_signed()),
        8 => put::<ByteArrayType, _>(to, rows, |(_, call)| text(name(&FUNCTIONS, call.function))),
        9 => put::<Int64Type, _>(to, rows, |(_, call)| call.bytes),
        10 => put::<ByteArrayType, _>(to, rows, |(_, call)| text(name(&VERDICTS, call.verdict))),
        11 => put::<Int32Type, _>(to, rows, |(_, call)| call.fd),
        _ => put::<Int32Type, _>(to, rows, |(_, call)| call.thread.cast_signed()),
    })
}

/// A number from shared memory, which a program may have damaged.
fn name(names: &[&'static str], index: u8) -> &'static str {
    names.get(usize::from(index)).copied().unwrap_or("unknown")
}

/// Reads one launch's calls: the arm's name and the call.
///
/// # Errors
/// When it is no such table of this version.
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
        row.get_string(2)?.clone(),
        Record {
            sequence: row.get_long(3)?.cast_unsigned(),
            start_ns: row.get_long(4)?.cast_unsigned(),
            real_ns: row.get_uint(5)?,
            own_ns: row.get_uint(6)?,
            spun_ns: row.get_uint(7)?,
            function: index(&FUNCTIONS, row.get_string(8)?)?,
            bytes: row.get_long(9)?,
            verdict: index(&VERDICTS, row.get_string(10)?)?,
            fd: row.get_int(11)?,
            thread: row.get_uint(12)?,
        },
    ))
}
