#!/bin/sh
# serde_json 1.0.154 (crates.io): which objects can be read into its `Value` depends on a feature that another crate turns on.
#
# A container's label, a field of an audit message, a header: names in what a sensor tells are chosen by others, and one would
# expect `serde_json::Value` to take any object of RFC 8259, as any other map does, and the same in every program. But with the
# feature `raw_value` (which is turned on for all of a program as soon as one crate in it asks for it: axum 0.8 does with its
# feature `json`), a first member of the name that serde_json knows its `RawValue` by is not a member: its text is read as JSON in
# place of the whole object. Where it is none, nothing of the document can be read; where it is a number, the object has become that
# number. As a second member it is a member, in a `BTreeMap<String, Value>` it is one too, and without the feature always. Who reads
# documents with names of others takes a type of their own, or a map.
#
# Output seen:
#   alone, text first: {"labels":{"$serde_json::private::RawValue":"7 a.m.","app":"web"}}
#   alone, number first: {"labels":{"$serde_json::private::RawValue":"7"}}
#   alone, second: {"labels":{"$serde_json::private::RawValue":"7 a.m.","app":"web"}}
#   alone, as a map: {"$serde_json::private::RawValue":"7"}
#   with raw_value, text first: error: trailing characters at line 1 column 3
#   with raw_value, number first: {"labels":7}
#   with raw_value, second: {"labels":{"$serde_json::private::RawValue":"7 a.m.","app":"web"}}
#   with raw_value, as a map: {"$serde_json::private::RawValue":"7"}
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "names"
version = "0.0.0"
edition = "2021"

[features]
raw = ["serde_json/raw_value"]

[dependencies]
serde_json = "=1.0.154"
TOML
cat >src/main.rs <<'RUST'
use std::collections::BTreeMap;

use serde_json::{from_str, to_string, Value};

fn main() {
    let with = if cfg!(feature = "raw") { "with raw_value" } else { "alone" };
    let name = r#""$serde_json::private::RawValue""#;
    for (what, labels) in [
        ("text first", format!(r#"{{{name}: "7 a.m.", "app": "web"}}"#)),
        ("number first", format!(r#"{{{name}: "7"}}"#)),
        ("second", format!(r#"{{"app": "web", {name}: "7 a.m."}}"#)),
    ] {
        match from_str::<Value>(&format!(r#"{{"labels": {labels}}}"#)) {
            Ok(value) => println!("{with}, {what}: {value}"),
            Err(error) => println!("{with}, {what}: error: {error}"),
        }
    }
    let map: BTreeMap<String, Value> = from_str(&format!(r#"{{{name}: "7"}}"#)).unwrap();
    println!("{with}, as a map: {}", to_string(&map).unwrap());
}
RUST
cargo run --quiet >said
cargo run --quiet --features raw >>said
cat said
cat >expected <<'TEXT'
alone, text first: {"labels":{"$serde_json::private::RawValue":"7 a.m.","app":"web"}}
alone, number first: {"labels":{"$serde_json::private::RawValue":"7"}}
alone, second: {"labels":{"$serde_json::private::RawValue":"7 a.m.","app":"web"}}
alone, as a map: {"$serde_json::private::RawValue":"7"}
with raw_value, text first: error: trailing characters at line 1 column 3
with raw_value, number first: {"labels":7}
with raw_value, second: {"labels":{"$serde_json::private::RawValue":"7 a.m.","app":"web"}}
with raw_value, as a map: {"$serde_json::private::RawValue":"7"}
TEXT
cmp -s said expected || { echo "changed: see above"; exit 1; }
