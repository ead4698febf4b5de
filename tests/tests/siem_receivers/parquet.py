"""What DuckDB and pyarrow find in items that were written as Parquet files, each a line of JSON.

    parquet.py folder FOLDER
    parquet.py store PORT KEY SECRET PREFIX     in the bucket `rows` of a store on the loopback
"""
import json
import sys

import duckdb
import pyarrow.dataset
import pyarrow.fs

place, *rest = sys.argv[1:]
if place == "folder":
    at, filesystem = f"{rest[0]}/alerts", None
    rows = duckdb.sql(f"select * from read_parquet('{at}/*/*.parquet', hive_partitioning = true)")
else:
    port, key, secret, prefix = rest
    at = f"rows/{prefix}/alerts"
    filesystem = pyarrow.fs.S3FileSystem(
        access_key=key, secret_key=secret, endpoint_override=f"127.0.0.1:{port}", scheme="http", region="us-east-1"
    )
dataset = pyarrow.dataset.dataset(at, filesystem=filesystem, format="parquet", partitioning="hive")
if place == "store":
    found = dataset.to_table()
    rows = duckdb.sql("select * from found")
# As numbers: what a point in time is printed as depends on the zone of whoever reads it.
rows = duckdb.sql(
    "select * exclude (created_at, \"when\"), typeof(created_at) as created_at_type, epoch_us(created_at) as created_at_us, "
    "epoch_us((item::json ->> 'created_at')::timestamptz) as item_us from rows order by id"
)
print(json.dumps([dict(zip(rows.columns, row)) for row in rows.fetchall()], default=str))
print(json.dumps({"rows": dataset.count_rows(), "schema": {field.name: str(field.type) for field in dataset.schema}}))
