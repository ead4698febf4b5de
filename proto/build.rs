//! Compiles the definitions, without protoc.

use std::{env, fs, path::PathBuf};

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};

/// Every definition, relative to this crate.
const FILES: [&str; 3] = ["sensor/v1/alert.proto", "sensor/v1/row.proto", "sensor/v1/ingest.proto"];

/// In JSON a text that is empty and a number that is absent are left out, as in the rows that the sensor writes.
const EMPTY_IS_ABSENT: &str = "#[serde(skip_serializing_if = \"crate::is_empty\")]";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in FILES {
        println!("cargo::rerun-if-changed={file}");
    }
    let definitions = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("definitions.bin"), definitions.encode_to_vec())?;

    let mut config = prost_build::Config::new();
    config
        .btree_map(["."])
        .type_attribute(".", "#[derive(serde::Serialize, serde::Deserialize)]")
        .message_attribute(".", "#[serde(default)]")
        // A row is flat in JSON: its table's name, then its columns.
        .type_attribute(".sensor.v1.Row.table", "#[serde(tag = \"table\", rename_all = \"snake_case\")]")
        .message_attribute(".sensor.v1.Row", "#[serde(transparent)]");
    for message in definitions.file.iter().flat_map(|file| &file.message_type) {
        for field in &message.field {
            // Lists are always written: no argument and no ancestor are facts, not unknowns. So are counts.
            let is_map = message.nested_type.iter().any(|entry| field.type_name().ends_with(entry.name()));
            let can_be_absent = field.proto3_optional()
                || is_map
                || field.label() == Label::Optional && matches!(field.r#type(), Type::String | Type::Message);
            if can_be_absent && (field.oneof_index.is_none() || field.proto3_optional()) {
                config.field_attribute(format!(".sensor.v1.{}.{}", message.name(), field.name()), EMPTY_IS_ABSENT);
            }
        }
    }
    config.compile_fds(definitions)?;
    Ok(())
}
