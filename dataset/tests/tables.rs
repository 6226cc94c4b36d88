//! The tables of server stamps and of tight loops: writing, reading back, and errors of invalid files.

use dataset::{
    FileHeader, ROW_GROUP_ROWS, ServerCall, read_hook_calls, read_server_calls, read_tight_loops, write_server_calls,
    write_tight_loops,
};
use model::TightLoopBlock;

fn header() -> FileHeader {
    FileHeader {
        run: "run".to_owned(),
        condition: "local-pod".to_owned(),
        launch: 3,
        arms: vec!["scan".to_owned(), "log".to_owned()],
    }
}

#[test]
fn server_calls_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.parquet");
    let calls: Vec<(usize, ServerCall)> = (0..ROW_GROUP_ROWS as u32 + 100)
        .map(|number| {
            let call = ServerCall {
                sequence: number.into(),
                start_ns: u64::MAX - u64::from(number),
                call_ns: u32::MAX - number,
                handler_ns: number,
                bytes: 133,
                fd: 7,
            };
            ((number % 2) as usize, call)
        })
        .collect();
    write_server_calls(&path, &header(), &calls).unwrap();
    let found = read_server_calls(&path).unwrap();
    assert_eq!(found.len(), calls.len());
    for ((arm, call), (index, expected)) in found.iter().zip(&calls) {
        assert_eq!((arm, call), (&header().arms[*index], expected));
    }
    // Another table than the hook's own.
    let error = read_hook_calls(&path).unwrap_err().to_string();
    assert!(error.contains("hook-latency-hook-calls"), "{error}");
}

#[test]
fn blocks_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loops.parquet");
    let blocks = [(1, true), (1, false), (0, true)].map(|(arm, hooked)| {
        let block = TightLoopBlock {
            hooked,
            block: 9,
            calls: 100,
            elapsed_ns: i64::MAX,
        };
        (arm, block)
    });
    write_tight_loops(&path, &header(), &blocks).unwrap();
    let expected = blocks.map(|(arm, block)| (header().arms[arm].clone(), block));
    assert_eq!(read_tight_loops(&path).unwrap(), expected);
}
