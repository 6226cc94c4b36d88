//! The table `tight_loops`: blocks of receive calls without a server, with and without the hook.

use std::path::Path;

use model::TightLoopBlock;
use parquet::data_type::{BoolType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Row, RowAccessor as _};

use crate::error::Error;
use crate::file_header::FileHeader;
use crate::table::{TableKind, put, read_rows, write_arm_rows};

/// Version of the table. A reader refuses any other.
pub const TIGHT_LOOPS_VERSION: u32 = 2;

const TIGHT_LOOPS: TableKind = TableKind {
    name: "hook-latency-tight-loops",
    version: TIGHT_LOOPS_VERSION,
    message: "message tight_loops {
        required binary run (STRING);
        required binary condition (STRING);
        required int32 launch (INTEGER(32, false));
        required binary arm (STRING);
        required boolean hooked;
        required int32 block (INTEGER(32, false));
        required int32 calls (INTEGER(32, false));
        required int64 elapsed_ns;
    }",
};

/// Writes the blocks of one launch. Each stands with the index of its arm; blocks of one arm stand together.
///
/// # Errors
/// When the disk is full. No part of the file stays.
pub fn write_tight_loops(path: &Path, header: &FileHeader, blocks: &[(usize, TightLoopBlock)]) -> Result<(), Error> {
    write_arm_rows(path, TIGHT_LOOPS, header, blocks, |index, to, rows| match index {
        0 => put::<BoolType, _>(to, rows, |(_, block)| block.hooked),
        1 => put::<Int32Type, _>(to, rows, |(_, block)| block.block.cast_signed()),
        2 => put::<Int32Type, _>(to, rows, |(_, block)| block.calls.cast_signed()),
        _ => put::<Int64Type, _>(to, rows, |(_, block)| block.elapsed_ns),
    })
}

/// Reads the blocks of one launch, each with the name of its arm.
///
/// # Errors
/// When the file holds another table or version.
pub fn read_tight_loops(path: &Path) -> Result<Vec<(String, TightLoopBlock)>, Error> {
    read_rows(path, TIGHT_LOOPS, block)
}

fn block(row: &Row) -> Result<(String, TightLoopBlock), ParquetError> {
    Ok((
        row.get_string(3)?.clone(),
        TightLoopBlock {
            hooked: row.get_bool(4)?,
            block: row.get_uint(5)?,
            calls: row.get_uint(6)?,
            elapsed_ns: row.get_long(7)?,
        },
    ))
}
