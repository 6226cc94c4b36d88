"""Prints, as one JSON object per line, what DuckDB, pandas and Polars read in a file of resources."""

import json
import sys

import duckdb
import pandas
import polars

path = sys.argv[1]


def told(reader, columns, rows, without_cpu, threads, largest):
    values = [rows, without_cpu, threads, largest]
    print(json.dumps({"reader": reader, "columns": columns, "values": [int(value) for value in values]}))


query = duckdb.execute(
    "SELECT count(*), count(*) FILTER (cpu_ns IS NULL), sum(threads) FILTER (kind = 'arm'), max(memory_bytes) "
    "FROM read_parquet(?)",
    [path],
).fetchone()
names = [row[0] for row in duckdb.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()]
told("duckdb", names, *query)

table = pandas.read_parquet(path, dtype_backend="pyarrow")
arms = table[table.kind == "arm"]
told("pandas", list(table.columns), len(table), table.cpu_ns.isna().sum(), arms.threads.sum(), table.memory_bytes.max())

frame = polars.read_parquet(path)
arms = frame.filter(polars.col("kind") == "arm")
told(
    "polars",
    frame.columns,
    frame.height,
    frame["cpu_ns"].null_count(),
    arms["threads"].sum(),
    frame["memory_bytes"].max(),
)
