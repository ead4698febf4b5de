//! `proto/sensor/v1/row.proto` is made of the tables: `UPDATE_DOCS=1 cargo test -p schema`. What is out keeps its number and
//! its type for ever, also when a column is gone: `numbers.txt` has all that ever were, and grows alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use schema::{Column, Field, Integer, TABLES, Table, Type};

const HEAD: &str = r#"// Rows of the flight recorder's tables. The names are the tables' and their columns'. Made of crates/schema.
//
// A column without a value is absent (numbers, booleans) or empty (text). Text is as in a row's JSON: bytes that are
// not UTF-8 stand as \xHH, and a backslash before x and two hexadecimal digits stands as \x5c. A row must tell when:
// unix_nano_timestamp, or, where there is one, time.
syntax = "proto3";

package sensor.v1;

// One row of one table.
message Row {
  // Each is named as its table is. A row that has none of them is of a table that the reader does not know yet.
  oneof table {
"#;

fn here(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Those with rows, by number.
fn tables() -> Vec<&'static Table> {
    let mut tables: Vec<_> = TABLES.into_iter().filter(|table| table.is_filled()).collect();
    tables.sort_by_key(|table| table.number);
    tables
}

fn columns(table: &Table) -> Vec<Column> {
    let mut columns = table.columns.to_vec();
    columns.sort_by_key(|column| column.number);
    columns
}

fn integer(field: &Field) -> &'static str {
    match field.integer {
        Integer::Int32 => "int32",
        Integer::Int64 => "int64",
        Integer::Uint32 => "uint32",
        Integer::Uint64 => "uint64",
    }
}

fn wire(field: &Field) -> String {
    match field.ty {
        Type::Bool => "optional bool".into(),
        Type::Number | Type::Size | Type::Duration | Type::Time => format!("optional {}", integer(field)),
        Type::Text | Type::Path | Type::Word(_) | Type::Address => "string".into(),
        Type::Texts => "repeated string".into(),
        Type::Numbers => format!("repeated {}", integer(field)),
    }
}

fn row_proto() -> String {
    let mut text = String::from(HEAD);
    for table in tables() {
        let (name, message, number) = (table.name, table.message, table.number);
        write!(text, "    // A row of {name}.\n    {message} {name} = {number};\n").unwrap();
    }
    text.push_str("  }\n}\n");
    for table in tables() {
        write!(text, "\n// {}\nmessage {} {{\n", table.doc, table.message).unwrap();
        for Column { field, number } in columns(table) {
            write!(text, "  // {}\n  {} {} = {number};\n", field.doc, wire(field), field.column).unwrap();
        }
        text.push_str("}\n");
    }
    text
}

/// What has a number: `Row.sensors` or `SensorStart.hostname`, with its number and its type.
fn numbers() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for table in tables() {
        all.insert(format!("Row.{}", table.name), format!("{} {}", table.number, table.message));
        for Column { field, number } in columns(table) {
            all.insert(format!("{}.{}", table.message, field.column), format!("{number} {}", wire(field)));
        }
    }
    all
}

#[test]
fn the_committed_definition_is_the_made_one() {
    let path = here("../../proto/sensor/v1/row.proto");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, row_proto()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == row_proto(), "row.proto is stale: UPDATE_DOCS=1 cargo test -p schema");
}

#[test]
fn what_is_out_keeps_its_number_and_its_type() {
    let path = here("tests/numbers.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let mut out: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, number)| (name.to_owned(), number.to_owned()))
        .collect();
    let now = numbers();
    for (name, number) in &now {
        assert!(out.get(name).is_none_or(|known| known == number), "{name} was {} and is {number}", out[name]);
        let message = name.split_once('.').unwrap().0;
        let digits = number.split_once(' ').unwrap().0;
        for (other, taken) in out.iter().filter(|(other, _)| other.split_once('.').unwrap().0 == message) {
            let is_its = taken.split_once(' ').unwrap().0 == digits && other != name;
            assert!(!is_its, "{name} has the number that {other} has or had");
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        out.extend(now.clone());
        let lines: String = out.iter().map(|(name, number)| format!("{name} = {number}\n")).collect();
        std::fs::write(&path, lines).unwrap();
    }
    let missing: Vec<_> = now.keys().filter(|name| !out.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{missing:?} are new: UPDATE_DOCS=1 cargo test -p schema");
}
