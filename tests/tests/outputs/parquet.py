"""Reads a folder of Parquet files with DuckDB and with pyarrow, and prints what each finds as a line of JSON.

    parquet.py FOLDER TABLE PID [CONDITION]
"""
import json
import sys

import duckdb
import pyarrow.dataset

folder, table, pid = sys.argv[1], sys.argv[2], int(sys.argv[3])
condition = sys.argv[4] if len(sys.argv) > 4 else "true"
rows = duckdb.sql(
    f"select * replace (timestamp::varchar as timestamp), typeof(args) as args_type, typeof(timestamp) as timestamp_type, "
    f"typeof(hour) as hour_type, epoch_us(timestamp) as timestamp_us "
    f"from read_parquet('{folder}/{table}/*/*/*.parquet', hive_partitioning = true) "
    f"where pid = {pid} and {condition} order by unix_nano_timestamp"
)
found = [dict(zip(rows.columns, row)) for row in rows.fetchall()]
print(json.dumps(found, default=str))
dataset = pyarrow.dataset.dataset(f"{folder}/{table}", format="parquet", partitioning="hive")
found = dataset.to_table(filter=pyarrow.dataset.field("pid") == pid)
print(json.dumps({"rows": found.num_rows, "schema": {field.name: str(field.type) for field in found.schema}}))
