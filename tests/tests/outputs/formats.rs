//! CEF, ECS and OCSF against what is published about them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sensor_tests::{Mark, Sensor, until};
use serde_json::Value;

use super::{raise, with_outputs};

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs").join(name)
}

/// The Python that `setup/install.sh test` installs packages for.
pub(crate) fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
    assert!(python.exists(), "{}: not there; run `setup/install.sh test`", python.display());
    python
}

/// Lines of words, without comments, by the first word.
fn table(name: &str) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(beside(name)).expect("a table of fields");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            (words.next().expect("a name"), words.collect())
        })
        .collect()
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
    let mut child = Command::new(python())
        .arg(beside("ocsf.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs");
    child.stdin.take().expect("its input").write_all((lines.join("\n") + "\n").as_bytes()).expect("it reads");
    let said = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&said.stdout), format!("valid: {}\n", lines.len()));
}

#[test]
fn ecs_has_fields_of_the_schema_alone() {
    let fields = table("ecs-fields.txt");
    for line in lines("ecs") {
        let json: Value = serde_json::from_str(&line).expect("JSON");
        for required in ["@timestamp", "ecs", "event"] {
            assert!(!json[required].is_null(), "{required}");
        }
        look("", &json, &fields);
    }
}

fn look(path: &str, value: &Value, fields: &BTreeMap<String, Vec<String>>) {
    let Value::Object(map) = value else { panic!("{path} is no object") };
    for (key, value) in map {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if path == "sensor" {
            continue;
        }
        let Some(types) = fields.get(&path) else {
            look(&path, value, fields);
            continue;
        };
        let values = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
        for value in values {
            let fits = match types[0].as_str() {
                "long" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                "object" => value.is_object(),
                "date" => value.as_str().is_some_and(|text| text.ends_with('Z') && text.contains('T')),
                "ip" => value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
                _ => value.is_string(),
            };
            assert!(fits, "{path} is {value}, and should be {types:?}");
        }
    }
}

#[test]
fn cef_has_keys_of_the_dictionary_alone() {
    let fields = table("cef-fields.txt");
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
            let [kind, length] = &fields.get(key).unwrap_or_else(|| panic!("{key} in {line}"))[..] else { panic!() };
            let value = extension[at + 1..end].replace("\\=", "=").replace("\\\\", "\\");
            assert!(value.len() <= length.parse().expect("a number"), "{key}={value}");
            assert!(kind == "String" || value.bytes().all(|byte| byte.is_ascii_digit()), "{key}={value}");
        }
    }
}
