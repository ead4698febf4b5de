//! The two alerts of `data.json`, and what this crate makes of a template with one of them.

use std::fs;

use gotemplate::{Functions, Limits, Template, Value};
use serde_json::Value as Json;

/// How it ended, as the recorded cases name it, and the text.
pub(crate) type Outcome = (&'static str, Vec<u8>);

pub(crate) struct Alerts(Json);

impl Alerts {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go/data.json")).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    pub(crate) fn get(&self, name: &str) -> Value {
        alert(&self.0[name])
    }
}

pub(crate) fn fill(template: &str, value: &Value) -> (Outcome, String) {
    match Template::parse(template, Functions::default()) {
        Err(error) => (("parse_error", Vec::new()), error.message),
        Ok(parsed) => match parsed.fill(value, &Limits::default()) {
            Ok(text) => (("output", text), String::new()),
            Err(error) => (("exec_error", Vec::new()), error.message),
        },
    }
}

fn alert(json: &Json) -> Value {
    let text = |name: &str| json[name].as_str().unwrap().into();
    let fields = ["StrategyName", "Description", "Comments", "Priority", "Confidence", "PolicyType", "MatchedRule"];
    let fields = fields.map(|name| (name, text(name)));
    let others = [
        ("AlertLabels", map(&json["AlertLabels"])),
        ("Categories", texts(&json["Categories"])),
        ("Timestamp", Value::Int64(json["Timestamp"].as_i64().unwrap())),
        ("ProcessInfo", process(&json["ProcessInfo"])),
        ("Lineage", Value::list("main.Process", json["Lineage"].as_array().unwrap().iter().map(process))),
        ("Location", Value::structure("Location", [("ContainerLabels", map(&json["Location"]["ContainerLabels"]))])),
    ];
    Value::structure("Alert", fields.into_iter().chain(others))
}

fn process(json: &Json) -> Value {
    let text = |name: &str| json[name].as_str().unwrap_or_default().into();
    let id = |name: &str| Value::Uint32(json[name].as_u64().unwrap_or_default().try_into().unwrap());
    Value::structure(
        "Process",
        [
            ("Program", Value::structure("Program", [("Path", json["Program"]["Path"].as_str().unwrap().into())])),
            ("Args", texts(&json["Args"])),
            ("ArgsTruncated", json["ArgsTruncated"].as_bool().unwrap_or_default().into()),
            ("Cwd", text("Cwd")),
            ("User", text("User")),
            ("Uid", id("Uid")),
            ("Gid", id("Gid")),
        ],
    )
}

fn texts(json: &Json) -> Value {
    let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
    Value::list("string", items.iter().map(|item| item.as_str().unwrap().into()))
}

fn map(json: &Json) -> Value {
    let items = json.as_object().into_iter().flatten();
    Value::map(items.map(|(key, value)| (key.as_str(), value.as_str().unwrap())))
}

/// The cases whose values are JSON, one a line.
pub(crate) fn recorded() -> Vec<serde_json::Map<String, Json>> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go/cases.yaml")).unwrap();
    let mut cases = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('-') {
            cases.push(serde_json::Map::new());
        }
        let (key, value) = line[2..].split_once(": ").unwrap();
        cases.last_mut().unwrap().insert(key.to_owned(), serde_json::from_str(value).unwrap());
    }
    cases
}
