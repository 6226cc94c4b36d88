"""Prints, as one JSON object per line, what DuckDB, pandas and Polars read in the files of observations of a glob."""

import glob
import json
import sys

import duckdb
import pandas
import polars

path = sys.argv[1]


def told(reader, columns, rows, rtt_ns, wire_ns, unstamped, last_ns, ok, second, in_blocks):
    values = [rows, rtt_ns, wire_ns, unstamped, last_ns, ok, second, in_blocks]
    print(json.dumps({"reader": reader, "columns": columns, "values": [int(value) for value in values]}))


query = duckdb.execute(
    "SELECT count(*), sum(user_receive_ns - user_send_ns), sum(kernel_rx_ns - kernel_tx_ns), "
    "count(*) FILTER (kernel_tx_ns IS NULL), max(user_receive_ns), count(*) FILTER (outcome = 'answered'), "
    "count(*) FILTER (run = 'run' AND condition = 'local-pod' AND launch = 1), count(block) "
    "FROM read_parquet(?)",
    [path],
).fetchone()
names = [row[0] for row in duckdb.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()]
told("duckdb", names, *query)

# Without the backend, a column of integers with gaps becomes floating-point numbers, which count in steps of 256 ns.
tables = [pandas.read_parquet(one, dtype_backend="pyarrow") for one in sorted(glob.glob(path))]
table = pandas.concat(tables)
told(
    "pandas",
    list(table.columns),
    len(table),
    (table.user_receive_ns - table.user_send_ns).sum(),
    (table.kernel_rx_ns - table.kernel_tx_ns).sum(),
    table.kernel_tx_ns.isna().sum(),
    table.user_receive_ns.max(),
    (table.outcome == "answered").sum(),
    ((table.run == "run") & (table.condition == "local-pod") & (table.launch == 1)).sum(),
    table.block.count(),
)

frame = polars.read_parquet(path)
told(
    "polars",
    frame.columns,
    frame.height,
    (frame["user_receive_ns"] - frame["user_send_ns"]).sum(),
    (frame["kernel_rx_ns"] - frame["kernel_tx_ns"]).sum(),
    frame["kernel_tx_ns"].null_count(),
    frame["user_receive_ns"].max(),
    (frame["outcome"] == "answered").sum(),
    ((frame["run"] == "run") & (frame["condition"] == "local-pod") & (frame["launch"] == 1)).sum(),
    frame["block"].count(),
)
