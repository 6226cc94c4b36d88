//! The table `tight_loops`: receive calls without a server around them, with and without the hook.

use std::path::Path;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Row, RowAccessor as _};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::schema::FileHeader;
use crate::table::{Kind, put, read_rows, text, write_rows};

/// Version of the table; a reader refuses any other.
pub const TIGHT_LOOPS_VERSION: u32 = 1;

const TIGHT_LOOPS: Kind = Kind {
    name: "hook-latency-tight-loops",
    version: TIGHT_LOOPS_VERSION,
    message: "message tight_loops {
        required binary condition (STRING);
        required int32 launch (INTEGER(32, false));
        required binary arm (STRING);
        required boolean hooked;
        required int32 block (INTEGER(32, false));
        required int32 calls (INTEGER(32, false));
        required int64 elapsed_ns;
    }",
};

/// One block of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// With the arm's treatment, or bare.
    pub hooked: bool,
    /// Number of the block, from 0; the bare and the hooked block of one number follow each other.
    pub block: u32,
    /// Receive calls in it.
    pub calls: u32,
    /// What they took together, ns.
    pub elapsed_ns: i64,
}

/// Writes one launch's blocks: those of each arm, in the order of their arms.
///
/// # Errors
/// When the disk is full; nothing is left then.
pub fn write_tight_loops(path: &Path, header: &FileHeader, blocks: &[(usize, Block)]) -> Result<(), Error> {
    let arms: Vec<ByteArray> = header.arms.iter().map(|arm| text(arm)).collect();
    let (condition, launch) = (text(&header.condition), header.launch.cast_signed());
    write_rows(path, TIGHT_LOOPS, header, blocks, |index, to, rows| match index {
        0 => put::<ByteArrayType, _>(to, rows, |_| condition.clone()),
        1 => put::<Int32Type, _>(to, rows, |_| launch),
        2 => put::<ByteArrayType, _>(to, rows, |(arm, _)| arms[*arm].clone()),
        3 => put::<BoolType, _>(to, rows, |(_, block)| block.hooked),
        4 => put::<Int32Type, _>(to, rows, |(_, block)| block.block.cast_signed()),
        5 => put::<Int32Type, _>(to, rows, |(_, block)| block.calls.cast_signed()),
        _ => put::<Int64Type, _>(to, rows, |(_, block)| block.elapsed_ns),
    })
}

/// Reads one launch's blocks: the arm's name and the block.
///
/// # Errors
/// When it is no such table of this version.
pub fn read_tight_loops(path: &Path) -> Result<Vec<(String, Block)>, Error> {
    read_rows(path, TIGHT_LOOPS, block)
}

fn block(row: &Row) -> Result<(String, Block), ParquetError> {
    Ok((
        row.get_string(2)?.clone(),
        Block {
            hooked: row.get_bool(3)?,
            block: row.get_uint(4)?,
            calls: row.get_uint(5)?,
            elapsed_ns: row.get_long(6)?,
        },
    ))
}
