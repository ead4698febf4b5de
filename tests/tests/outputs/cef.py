"""Prints the extension dictionary of CEF, a key, its type and its greatest length (0: none is said) in each line.

Two packages have the dictionary as it is published; each lacks a few keys.
"""
import csv
import importlib.util
import pathlib

from cefevent.extensions import extension_dictionary

known = {key: (entry["data_type"][0], entry["length"]) for key, entry in extension_dictionary.items()}
names = {"TimeStamp": "Time Stamp"}
known = {key: (names.get(kind, kind), length) for key, (kind, length) in known.items()}
# Its package file imports what newer Pythons have themselves.
package = pathlib.Path(importlib.util.find_spec("format_cef").origin).parent
with open(package / "_cef" / "valid_extensions.csv", newline="") as table:
    for row in csv.DictReader(table):
        known[row["CEF Key Name"]] = (row["Data Type"], int(row["Length"] or 0))
for key, (kind, length) in sorted(known.items()):
    print(key, kind, length, sep="\t")
