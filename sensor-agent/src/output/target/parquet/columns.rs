//! Rows of events as columns, by the field registry.

use std::{
    fs::File,
    io::{self, Write},
};

use delivery::receivers::parquet::{self, ByteArray, Column, Kind, Rows};
use schema::{Table, Type};

use crate::event::{
    Event, Host, Place, Value,
    fields::{self, Field},
    json::{lossless, write_value},
};

/// The column that engines know as a point in time.
const TIMESTAMP: &str = "timestamp";

/// Writes a file of these rows: every column of the table, which can be without a value. Behind them stands the time of
/// the event once more, as a point in time.
///
/// # Errors
///
/// Those of the file.
pub(super) fn write_rows(file: &mut File, table: &Table, host: &Host, events: &[&Event]) -> io::Result<()> {
    let fields: Vec<&Field> = fields::of_table(table).collect();
    let of = |field: &&Field| Column { name: field.column, kind: kind(field.ty), required: false };
    let mut columns: Vec<Column<'_>> = fields.iter().map(of).collect();
    columns.push(Column { name: TIMESTAMP, kind: Kind::Time, required: true });
    let writer = concat!("sophoslinuxsensor ", env!("CARGO_PKG_VERSION"));
    parquet::write(file, table.name, writer, &columns, |rows| {
        for field in fields {
            write_column(rows, field.ty, events.iter().map(|event| field.of(event, host)))?;
        }
        rows.numbers(events.iter().map(|event| Some((event.time / 1000).cast_signed())))
    })
}

const fn kind(ty: Type) -> Kind {
    match ty {
        Type::Bool => Kind::Bool,
        // Times are plain numbers of nanoseconds, as in a row's JSON.
        Type::Number | Type::Size | Type::Duration | Type::Time => Kind::Number,
        Type::Text | Type::Path | Type::Word(_) | Type::Address => Kind::Text,
        Type::Texts => Kind::Texts,
        Type::Numbers => Kind::Numbers,
    }
}

fn write_column<'a, W: Write + Send>(
    rows: &mut Rows<'_, W>,
    ty: Type,
    values: impl Iterator<Item = Value<'a>>,
) -> Result<(), parquet::Error> {
    match kind(ty) {
        Kind::Bool => rows.bools(values.map(|value| if let Value::Bool(value) = value { Some(value) } else { None })),
        Kind::Number | Kind::Time => rows.numbers(values.map(number)),
        Kind::Text => rows.texts(values.map(text)),
        Kind::Texts => rows.lists_of_texts(values.map(|value| match value {
            Value::Args(args) => Some(args.iter().map(|arg| ByteArray::from(&*lossless(arg))).collect()),
            _ => None,
        })),
        Kind::Numbers => rows.lists_of_numbers(values.map(|value| match value {
            Value::Pids(pids) => Some(pids.iter().map(i64::from).collect()),
            _ => None,
        })),
    }
}

fn number(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Int(value) => Some(value),
        Value::Time(value) => Some(value.cast_signed()),
        _ => None,
    }
}

/// Text as in a row's JSON, without quotes and their escapes.
fn text(value: Value<'_>) -> Option<ByteArray> {
    match value {
        Value::Text(text) | Value::Place(Place { text, .. }) => Some(ByteArray::from(&*lossless(text))),
        Value::Word(word) => Some(ByteArray::from(word)),
        Value::Unknown => Some(ByteArray::from("?")),
        Value::Uuid(_) | Value::SophosPid(_) | Value::Addr(_) => {
            // These have nothing to escape.
            let mut out = Vec::new();
            write_value(&mut out, value);
            Some(ByteArray::from(out.strip_prefix(b"\"").and_then(|out| out.strip_suffix(b"\""))?.to_vec()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use schema::TABLES;

    use super::*;

    /// As in JSON, protobuf and alerts: an address that cannot be told is no row without one.
    #[test]
    fn an_unknown_address_is_a_question_mark() {
        assert_eq!(text(Value::Unknown), Some(ByteArray::from("?")));
        assert_eq!(text(Value::Absent), None);
    }

    #[test]
    fn no_table_has_a_column_of_the_timestamp_s_name() {
        assert!(TABLES.iter().flat_map(|table| table.columns).all(|column| column.field.column != TIMESTAMP));
    }

    #[test]
    fn every_table_has_a_file_of_its_columns() {
        for table in TABLES.into_iter().filter(|table| table.is_filled()) {
            let map = serde_json::json!({"eventType": table.kinds[0].word(), "programName": "/bin/x", "time": 5});
            let (event, host) = crate::event::build::build(&map).expect("an event");
            let mut file = tempfile::tempfile().expect("a file");
            write_rows(&mut file, table, &host, &[&event]).unwrap_or_else(|error| panic!("{}: {error}", table.name));
            let read = ::parquet::file::reader::SerializedFileReader::new(file).expect("a Parquet file");
            let schema = ::parquet::file::reader::FileReader::metadata(&read).file_metadata().schema_descr_ptr();
            let has = |name: &str| schema.root_schema().get_fields().iter().any(|field| field.name() == name);
            for column in table.columns {
                assert!(has(column.field.column), "{}.{}", table.name, column.field.column);
            }
        }
    }
}
