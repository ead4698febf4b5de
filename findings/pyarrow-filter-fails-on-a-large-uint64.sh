#!/bin/sh
# pyarrow 26.0.1 (PyPI): whether a filter on a uint64 column works depends on the values in the file, not on the filter.
#
# Rows of a sensor hold ids and masks as uint64. One would expect `id == 5` to find the row with 5 in any file of that schema.
# But Python's 5 becomes an int64, and Arrow compares the two as int64 (told in the C++ documentation under implicit casts, for
# two columns; not where filters are): the filter that has worked on every file is an error on the first one with an id of
# 2^63 or more, though it asks for another row, and such an id cannot be asked for by a Python number at all. A scalar of the
# column's own type works everywhere, and DuckDB 1.5.4 reads the same file with a plain 5. Whoever writes the rows keeps ids
# below 2^63 if possible; whoever reads them writes `pyarrow.scalar(5, pyarrow.uint64())`.
#
# Output seen:
#   small id == 5: [5]
#   small id == uint64 5: [5]
#   large id == 5: ArrowInvalid: Integer value 18446744073709551615 not in range: 0 to 9223372036854775807
#   large id == uint64 5: [5]
#   large id == 18446744073709551615: OverflowError: Python int too large to convert to C long
#   large id == uint64 18446744073709551615: [18446744073709551615]
#   large in DuckDB, id = 5: [5]
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 duckdb==1.5.4
cd "$folder"
python/bin/python - >said <<'PYTHON'
import duckdb
import pyarrow as pa, pyarrow.parquet as pq

def look(file, name, value):
    try:
        found = pq.read_table(f"{file}.parquet", filters=[("id", "==", value)])["id"].to_pylist()
    except (pa.ArrowInvalid, OverflowError) as error:
        found = f"{type(error).__name__}: {error}"
    print(f"{file} id == {name}: {found}")

most = 2**64 - 1
for file, ids in (("small", [5, 7]), ("large", [5, most])):
    pq.write_table(pa.table({"id": pa.array(ids, pa.uint64())}), f"{file}.parquet")
    look(file, 5, 5)
    look(file, "uint64 5", pa.scalar(5, pa.uint64()))
look("large", most, most)
look("large", f"uint64 {most}", pa.scalar(most, pa.uint64()))
rows = duckdb.sql("select id from 'large.parquet' where id = 5").fetchall()
print(f"large in DuckDB, id = 5: {[row[0] for row in rows]}")
PYTHON
cat said
cat >expected <<'TEXT'
small id == 5: [5]
small id == uint64 5: [5]
large id == 5: ArrowInvalid: Integer value 18446744073709551615 not in range: 0 to 9223372036854775807
large id == uint64 5: [5]
large id == 18446744073709551615: OverflowError: Python int too large to convert to C long
large id == uint64 18446744073709551615: [18446744073709551615]
large in DuckDB, id = 5: [5]
TEXT
cmp -s said expected || { echo "changed: see above"; exit 1; }
