//! Compiles the definitions, without protoc.

use std::{env, fs, path::PathBuf};

use prost::Message as _;
use prost_types::{
    FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

/// Every definition, relative to this crate.
const FILES: [&str; 3] = ["sensor/v1/alert.proto", "sensor/v1/row.proto", "sensor/v1/ingest.proto"];

/// In JSON a text that is empty and a number that is absent are left out, as in the rows that the sensor writes.
const EMPTY_IS_ABSENT: &str = "#[serde(skip_serializing_if = \"crate::is_empty\")]";

/// Lists that are empty where nothing is known: what a container's runtime says, or does not.
const TOLD_BY_RUNTIMES: [&str; 3] = ["container_labels", "container_mounts", "host_namespaces"];

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
            // Other lists are always written: no argument and no ancestor are facts, not unknowns. So are counts.
            let is_map = message.nested_type.iter().any(|entry| field.type_name().ends_with(entry.name()));
            let can_be_absent = field.proto3_optional()
                || is_map
                || TOLD_BY_RUNTIMES.contains(&field.name())
                || field.label() == Label::Optional && matches!(field.r#type(), Type::String | Type::Message);
            if can_be_absent && (field.oneof_index.is_none() || field.proto3_optional()) {
                config.field_attribute(format!(".sensor.v1.{}.{}", message.name(), field.name()), EMPTY_IS_ABSENT);
            }
        }
    }
    fs::write(out.join("tables.rs"), tables(&definitions))?;
    config.compile_fds(definitions)?;
    Ok(())
}

/// What all rows have, by table: its name, and when.
fn tables(definitions: &FileDescriptorSet) -> String {
    let messages = || definitions.file.iter().flat_map(|file| &file.message_type);
    let rows = messages().filter(|message| message.name() == "Row").flat_map(|row| &row.field);
    let (mut names, mut nanoseconds, mut seconds) = (String::new(), String::new(), String::new());
    for row in rows {
        let variant: String = row.name().split('_').map(capital).collect();
        let message = row.type_name().rsplit('.').next().unwrap_or_default();
        let has = |name| {
            let fields = messages().filter(|one| one.name() == message).flat_map(|one| &one.field);
            fields.into_iter().any(|field| field.name() == name)
        };
        names += &format!("Self::{variant}(_) => {:?}, ", row.name());
        let tell = |told: &mut String, field| {
            let arm = if has(field) { format!("(row) => row.{field}") } else { "(_) => None".into() };
            *told += &format!("Self::{variant}{arm}, ");
        };
        tell(&mut nanoseconds, "unix_nano_timestamp");
        tell(&mut seconds, "time");
    }
    format!(
        "impl v1::row::Table {{
            /// The table's name.
            #[must_use]
            pub const fn name(&self) -> &'static str {{ match self {{ {names} }} }}

            /// When: nanoseconds since the Unix epoch.
            #[must_use]
            pub const fn unix_nano_timestamp(&self) -> Option<u64> {{ match self {{ {nanoseconds} }} }}

            /// When: seconds since the Unix epoch.
            #[must_use]
            pub const fn time(&self) -> Option<i64> {{ match self {{ {seconds} }} }}
        }}"
    )
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
