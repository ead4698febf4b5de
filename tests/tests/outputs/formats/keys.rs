//! The keys and fields of CEF and ECS, and their values, are those that are published.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{beside, lines, python};

#[test]
fn ecs_has_fields_of_both_published_schemas_alone() {
    let lines = lines("ecs");
    for version in ["8.11.5", "9.4.0"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/ecs/{version}.json"));
        let text = fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; `setup/install.sh test` gets the published schema", path.display())
        });
        let fields: BTreeMap<String, Value> = serde_json::from_slice(&text).expect("fields");
        for line in &lines {
            let json: Value = serde_json::from_str(line).expect("JSON");
            for (name, _) in fields.iter().filter(|(_, field)| field["required"] == true) {
                assert!(json.pointer(&format!("/{}", name.replace('.', "/"))).is_some(), "{name}");
            }
            look("", &json, &fields);
        }
    }
}

/// Each value is that of a field: its type, whether it is always a list, and what it may be, if that is published.
fn look(path: &str, value: &Value, fields: &BTreeMap<String, Value>) {
    let Value::Object(map) = value else { panic!("{path} is no field") };
    for (key, value) in map {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        // What the schema leaves to others.
        if path == "sensor" {
            continue;
        }
        let Some(field) = fields.get(&path) else {
            look(&path, value, fields);
            continue;
        };
        assert_eq!(field["list"], value.is_array(), "{path} is {value}");
        let values = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
        for value in values {
            let fits = match field["type"].as_str().expect("a type") {
                "long" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                "object" => value.is_object(),
                "date" => value.as_str().is_some_and(|text| text.ends_with('Z') && text.contains('T')),
                "ip" => value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
                _ => value.is_string(),
            };
            assert!(fits, "{path} is {value}, and should be a {}", field["type"]);
            let known = field["values"].as_array().is_none_or(|known| known.contains(value));
            assert!(known, "{path} is {value}, and should be one of {}", field["values"]);
        }
    }
}

/// The published extension dictionary: type and greatest length of each key, 0 where nothing is said.
fn dictionary() -> BTreeMap<String, (String, usize)> {
    let said = Command::new(python()).arg(beside("cef.py")).output().expect("Python runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let entry = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [key, kind, length] => (key.to_owned(), (kind.to_owned(), length.parse().expect("a length"))),
        _ => panic!("{line}"),
    };
    String::from_utf8(said.stdout).expect("UTF-8").lines().map(entry).collect()
}

#[test]
fn cef_has_keys_of_the_dictionary_alone() {
    let fields = dictionary();
    for line in lines("cef") {
        let mut parts = line.splitn(8, '|');
        assert_eq!(parts.next(), Some("CEF:0"), "{line}");
        let extension = parts.nth(6).expect("an extension");
        // Keys are words before an equals sign that is not escaped.
        let bare = extension.replace("\\\\", "  ").replace("\\=", "  ");
        let equals: Vec<usize> = bare.match_indices('=').map(|(at, _)| at).collect();
        let start = |at: usize| bare[..at].rfind(' ').map_or(0, |blank| blank + 1);
        for (number, &at) in equals.iter().enumerate() {
            let key = &bare[start(at)..at];
            let end = equals.get(number + 1).map_or(bare.len(), |&next| start(next) - 1);
            let (kind, length) = fields.get(key).unwrap_or_else(|| panic!("{key} in {line}"));
            let value = extension[at + 1..end].replace("\\=", "=").replace("\\n", "\n").replace("\\\\", "\\");
            assert!(*length == 0 || value.chars().count() <= *length, "{key}={value}");
            match kind.as_str() {
                "String" => {}
                "Integer" => drop(value.parse::<i32>().unwrap_or_else(|error| panic!("{key}={value}: {error}"))),
                "IPv4 Address" => assert!(value.parse::<std::net::Ipv4Addr>().is_ok(), "{key}={value}"),
                "IPv6 address" | "IPv6 Address" => {
                    assert!(value.parse::<std::net::Ipv6Addr>().is_ok(), "{key}={value}")
                }
                // Milliseconds since the Unix epoch are one of the forms.
                "Time Stamp" => drop(value.parse::<u64>().unwrap_or_else(|error| panic!("{key}={value}: {error}"))),
                other => panic!("{key}={value}: how is {other} written?"),
            }
        }
    }
}
