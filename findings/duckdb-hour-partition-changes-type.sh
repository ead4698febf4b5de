#!/bin/sh
# DuckDB 1.5.4 (PyPI): the type of a Hive partition column comes with its values, and a zero in front decides it.
#
# Partitioned folders of logs are usually written `date=2026-11-22/hour=06`. One would expect `hour` to be of one type, as
# pyarrow 25.0.0 has it (int32, whatever the zeros). DuckDB takes `06` for a text and `16` for a number, so that the query
# `hour >= 6` is right in the afternoon and an error in the morning; and one `06` beside a `16` makes both texts.
#
# Output seen:
#   hour=16         BIGINT   hour >= 6: 1 row     pyarrow: int32
#   hour=06         VARCHAR  hour >= 6: Binder Error: Cannot compare values of type VARCHAR and type INTEGER_LITERAL
#                                                 pyarrow: int32
#   hour=06, hour=16  VARCHAR                     pyarrow: int32
#   hour=6, hour=16   BIGINT  hour >= 6: 2 rows   pyarrow: int32
#
# Without the zero every reader sees a number. Exit code 1 if any of it is otherwise.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.4 pyarrow==25.0.0
cd "$place"
"$place/venv/bin/python" - <<'P'
import os, sys
import duckdb, pyarrow as pa, pyarrow.dataset, pyarrow.parquet

def look(*hours):
    folder = "rows-" + "-".join(hours)
    for hour in hours:
        os.makedirs(f"{folder}/hour={hour}")
        pa.parquet.write_table(pa.table({"n": [1]}), f"{folder}/hour={hour}/a.parquet")
    files = f"read_parquet('{folder}/*/*.parquet', hive_partitioning = true)"
    kind = duckdb.sql(f"select typeof(hour) from {files}").fetchone()[0]
    try:
        rows = str(duckdb.sql(f"select count(*) from {files} where hour >= 6").fetchone()[0])
    except duckdb.Error as error:
        rows = str(error).split("\n")[0][:80]
    arrow = str(pyarrow.dataset.dataset(folder, partitioning="hive").schema.field("hour").type)
    print(f"{' '.join(hours):8} DuckDB {kind:8} hour >= 6: {rows}   pyarrow: {arrow}")
    return kind, rows.isdigit(), arrow

seen = [look("16"), look("06"), look("06", "16"), look("6", "16")]
wanted = [("BIGINT", True, "int32"), ("VARCHAR", False, "int32"), ("VARCHAR", False, "int32"), ("BIGINT", True, "int32")]
if seen != wanted:
    sys.exit(f"changed: {seen}")
P
