//! CEF, ECS and OCSF against what is published about them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sensor_tests::{Mark, Sensor, until};
use serde_json::Value;

use super::{fed, raise, with_outputs, with_sinks};

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs").join(name)
}

/// The Python that `setup/install.sh test` installs packages for.
pub(crate) fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
    assert!(python.exists(), "{}: not there; run `setup/install.sh test`", python.display());
    python
}

/// Lines of alerts in each format, whole and short, of plain processes and of one with an odd name.
fn lines(format: &str) -> Vec<String> {
    let mark = Mark::new(format);
    let outputs = format!(
        "    - {{type: file, name: \"@HOME@/whole\", format: {format}, message_types: [alert, audit]}}\n    \
         - {{type: file, name: \"@HOME@/short\", format: {format}, max_bytes: 1500, message_types: [alert, audit]}}\n    \
         - {{type: file, name: \"@HOME@/least\", format: {format}, max_bytes: 1024, message_types: [alert, audit]}}"
    );
    let audit = format!(
        "Recorded Program:\n  policy: program\n  contentGroup: Audit\n  categories: [\"MITRE.Execution.Unix Shell (T1059.004)\"]\n  \
         rules: ['match {}', default ignore]\n",
        mark.rule()
    );
    let config = mark.config_with(&audit).replacen(
        "  alertLabels:",
        "  categories: [\"MITRE.Execution.Python (T1059.006)\", \"MITRE.Discovery.System Owner/User Discovery (T1033)\", other]\n  alertLabels:",
        1,
    );
    let sensor = Sensor::start(&with_outputs(&config, &outputs));
    raise(&sensor, &mark);
    let odd = "a=b|c\\ \"x\" \n\u{1b}[2J\u{2028} é";
    sensor.finish(Command::new(sensor_tests::programs::tiny()).args([mark.word(), odd, &"long ".repeat(500)]));
    let lines = until("all alerts", || {
        let read = |name| fs::read_to_string(sensor.file(name)).unwrap_or_default();
        let lines: Vec<String> = ["whole", "short", "least"]
            .iter()
            .flat_map(|name| read(name).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        (lines.len() >= 12).then_some(lines)
    });
    assert!(lines.iter().all(|line| !line.contains(char::is_control)));
    lines
}

#[test]
fn ocsf_is_valid_by_the_published_schema() {
    let lines = lines("ocsf");
    let classes: Vec<u64> = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).expect("JSON")["class_uid"].as_u64())
        .collect();
    assert!(classes.contains(&2004) && classes.contains(&1007), "{classes:?}");
    assert_valid_ocsf(&lines);
}

fn assert_valid_ocsf(lines: &[String]) {
    let said = fed(Command::new(python()).arg(beside("ocsf.py")), &(lines.join("\n") + "\n"));
    assert_eq!(said, format!("valid: {}\n", lines.len()));
}

#[test]
fn rows_in_ocsf_are_valid_by_the_published_schema_and_tell_as_much() {
    let mark = Mark::new("rowocsf");
    let sensor =
        Sensor::start(&with_sinks(&mark.config(), "    - {backend: file, name: \"@HOME@/ocsf\", format: ocsf}"));
    let pid = raise(&sensor, &mark);
    let rows = sensor.until_exit(pid);
    let events = || {
        let text = fs::read_to_string(sensor.file("ocsf")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect::<Vec<_>>()
    };
    let of_process = until("all events of the process", || {
        let mut events = events();
        events.retain(|event| event["process"]["pid"] == pid);
        (events.len() == rows.len()).then_some(events)
    });
    for (row, event) in rows.iter().zip(&of_process) {
        let activity = match row["event_type"].as_str() {
            Some("PROCESS_EVENT_TYPE_EXIT") => "Process Activity: Terminate",
            _ => "Process Activity: Launch",
        };
        assert_eq!((&event["class_uid"], &event["type_name"]), (&1007.into(), &activity.into()));
        let told = |event: &Value, column: &str| match column {
            "table" => event["metadata"]["log_name"].clone(),
            "sensor_id" => event["device"]["uid"].clone(),
            "process_uuid" => event["process"]["uid"].clone(),
            "pid" => event["process"]["pid"].clone(),
            "uid" => event["process"]["user"]["uid"].as_str().and_then(|uid| uid.parse::<u32>().ok()).into(),
            "username" => event["process"]["user"]["name"].clone(),
            "tty" => event["process"]["session"]["terminal"].clone(),
            "name" => event["process"]["name"].clone(),
            "path" => event["process"]["path"].clone(),
            "cmdline" => event["process"]["cmd_line"].clone(),
            "cwd" => event["process"]["working_directory"].clone(),
            other => event["unmapped"][other].clone(),
        };
        for (column, value) in row.as_object().expect("a row") {
            assert_eq!(told(event, column), *value, "{column} in {event:#}");
        }
    }
    // Other tables are of the class that takes anything.
    let all = until("the sensor's own row", || {
        Some(events()).filter(|events| events.iter().any(|event| event["metadata"]["log_name"] == "sensors"))
    });
    assert!(all.iter().any(|event| event["class_uid"] == 0 && !event["unmapped"]["hostname"].is_null()));
    assert_valid_ocsf(&all.iter().map(Value::to_string).collect::<Vec<_>>());
}

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
            let value = extension[at + 1..end].replace("\\=", "=").replace("\\\\", "\\");
            assert!(*length == 0 || value.chars().count() <= *length, "{key}={value}");
            match kind.as_str() {
                "String" => {}
                "Integer" => drop(value.parse::<i32>().unwrap_or_else(|error| panic!("{key}={value}: {error}"))),
                // Milliseconds since the Unix epoch are one of the forms.
                "Time Stamp" => drop(value.parse::<u64>().unwrap_or_else(|error| panic!("{key}={value}: {error}"))),
                other => panic!("{key}={value}: how is {other} written?"),
            }
        }
    }
}
