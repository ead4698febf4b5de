//! Rows of events as columns, by the field registry.

use std::{fs::File, io, sync::Arc};

use parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::parser::parse_message_type,
};
use schema::{Table, Type};

use crate::event::{
    Event, Host, Place, Value,
    fields::{self, Field},
    json::{lossless, write_value},
};

/// The column that engines know as a point in time.
const TIMESTAMP: &str = "timestamp";

/// Writes a file of these rows.
///
/// # Errors
///
/// Those of the file.
pub(super) fn write_rows(file: &mut File, table: &Table, host: &Host, events: &[&Event]) -> io::Result<()> {
    write(file, table, host, events).map_err(io::Error::other)
}

fn write(file: &mut File, table: &Table, host: &Host, events: &[&Event]) -> Result<(), ParquetError> {
    let columns: Vec<&Field> = fields::of_table(table).collect();
    let schema = Arc::new(parse_message_type(&schema(table.name, &columns))?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("sophoslinuxsensor ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
    let mut rows = writer.next_row_group()?;
    for field in columns {
        let Some(mut column) = rows.next_column()? else { break };
        let values = events.iter().map(|event| field.of(event, host));
        write_column(&mut column, field.ty, values)?;
        column.close()?;
    }
    if let Some(mut column) = rows.next_column()? {
        let times: Vec<i64> = events.iter().map(|event| (event.time / 1000).cast_signed()).collect();
        column.typed::<Int64Type>().write_batch(&times, None, None)?;
        column.close()?;
    }
    rows.close()?;
    writer.close()?;
    Ok(())
}

/// The schema: every column of the table can be without a value. Behind them stands the time of the event once more, as
/// a timestamp: in microseconds, which all engines take (Spark refuses nanoseconds, DuckDB rounds them).
fn schema(name: &str, columns: &[&Field]) -> String {
    let mut text = format!("message {name} {{\n");
    for field in columns {
        let name = field.column;
        text += &match field.ty {
            Type::Bool => format!("OPTIONAL BOOLEAN {name};\n"),
            // Times are plain numbers of nanoseconds, as in a row's JSON.
            Type::Number | Type::Size | Type::Duration | Type::Time => format!("OPTIONAL INT64 {name};\n"),
            Type::Text | Type::Path | Type::Word(_) | Type::Address => format!("OPTIONAL BINARY {name} (STRING);\n"),
            Type::Texts => list(name, "REQUIRED BINARY element (STRING)"),
            Type::Numbers => list(name, "REQUIRED INT64 element"),
        };
    }
    text + &format!("REQUIRED INT64 {TIMESTAMP} (TIMESTAMP(MICROS,true));\n}}\n")
}

fn list(name: &str, element: &str) -> String {
    format!("OPTIONAL group {name} (LIST) {{ REPEATED group list {{ {element}; }} }}\n")
}

fn write_column<'a>(
    column: &mut SerializedColumnWriter<'_>,
    ty: Type,
    values: impl Iterator<Item = Value<'a>>,
) -> Result<(), ParquetError> {
    match ty {
        Type::Bool => {
            let (values, levels) =
                optional(values, |value| if let Value::Bool(value) = value { Some(value) } else { None });
            column.typed::<BoolType>().write_batch(&values, Some(&levels), None)?;
        }
        Type::Number | Type::Size | Type::Duration | Type::Time => {
            let (values, levels) = optional(values, number);
            column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
        }
        Type::Text | Type::Path | Type::Word(_) | Type::Address => {
            let (values, levels) = optional(values, text);
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
        }
        Type::Texts => {
            let (values, levels, repeats) = lists(values, |value| match value {
                Value::Args(args) => Some(args.iter().map(|arg| ByteArray::from(&*lossless(arg))).collect()),
                _ => None,
            });
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), Some(&repeats))?;
        }
        Type::Numbers => {
            let (values, levels, repeats) = lists(values, |value| match value {
                Value::Pids(pids) => Some(pids.iter().map(i64::from).collect()),
                _ => None,
            });
            column.typed::<Int64Type>().write_batch(&values, Some(&levels), Some(&repeats))?;
        }
    }
    Ok(())
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

/// Values, and for each row whether there is one.
fn optional<'a, T>(
    values: impl Iterator<Item = Value<'a>>,
    take: impl Fn(Value<'a>) -> Option<T>,
) -> (Vec<T>, Vec<i16>) {
    let (mut taken, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        let value = take(value);
        levels.push(i16::from(value.is_some()));
        taken.extend(value);
    }
    (taken, levels)
}

/// The elements of all lists; for each, or for a row without one, whether there is a list (1) and an element (2), and
/// whether it is of the same row as the one before (1).
fn lists<'a, T>(
    values: impl Iterator<Item = Value<'a>>,
    take: impl Fn(Value<'a>) -> Option<Vec<T>>,
) -> (Vec<T>, Vec<i16>, Vec<i16>) {
    let (mut taken, mut levels, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        let list = take(value);
        let is_there = i16::from(list.is_some());
        let list = list.unwrap_or_default();
        if list.is_empty() {
            levels.push(is_there);
            repeats.push(0);
        }
        for (number, element) in list.into_iter().enumerate() {
            taken.push(element);
            levels.push(2);
            repeats.push(i16::from(number > 0));
        }
    }
    (taken, levels, repeats)
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
            let read = parquet::file::reader::SerializedFileReader::new(file).expect("a Parquet file");
            let schema = parquet::file::reader::FileReader::metadata(&read).file_metadata().schema_descr_ptr();
            let has = |name: &str| schema.root_schema().get_fields().iter().any(|field| field.name() == name);
            for column in table.columns {
                assert!(has(column.field.column), "{}.{}", table.name, column.field.column);
            }
        }
    }
}
