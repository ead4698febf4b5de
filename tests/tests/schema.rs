//! The JSON Schema of the configuration, judged by a validator that knows nothing of the sensor.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sensor_tests::{Home, Said};
use serde_json::{Value, json};

/// Prints a line for each document: what is wrong with it, or nothing.
const VALIDATE: &str = "
import json, sys, jsonschema
schema, documents = json.load(sys.stdin)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for document in documents:
    print(json.dumps([error.message for error in validator.iter_errors(document)]))
";

fn read(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"))
}

fn validated(documents: &[Value]) -> Vec<Vec<String>> {
    let said = Said::of(&mut Home::new("").command(&["config", "schema"]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let schema: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let target = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/python"));
    let mut python =
        Command::new(target).args(["-c", VALIDATE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(json!([schema, documents]).to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_shipped_and_what_is_right_fits_the_schema() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let files = [
        "etc/runtimedetections.yaml",
        "etc/content/runtimedetections-content.yaml",
        "sensor-agent/tests/config/meant.yaml",
    ];
    let documents: Vec<Value> =
        files.iter().map(|file| read(&fs::read_to_string(root.join(file)).expect(file))).collect();
    for (file, wrong) in files.iter().zip(validated(&documents)) {
        assert_eq!(wrong, [""; 0], "{file}");
    }
}

#[test]
fn an_editor_sees_what_the_check_sees() {
    let documents = [
        ("alert_output: {outputs: [{type: sylog}]}", "sylog"),
        ("alert_output: {outputs: [{type: stdout, url: 'https://a.test'}]}", "url"),
        ("investigations: {reporting_interval: 5 seconds}", "5 seconds"),
        ("investigations: {reporting_intervall: 5s}", "reporting_intervall"),
        ("My Rule: {policy: program, enabled: maybe, rules: [default ignore]}", "maybe"),
        ("My Rule: {policy: program, rules: default match}", "default match"),
        ("My Rule: {policy: program, priority: Critical, rules: [default match]}", "Critical"),
    ];
    let read: Vec<Value> = documents.iter().map(|(yaml, _)| read(yaml)).collect();
    for ((yaml, part), wrong) in documents.iter().zip(validated(&read)) {
        assert!(wrong.iter().any(|wrong| wrong.contains(part)), "{yaml}: {wrong:?}");
        let said = Home::new(yaml).run(&["-check", "-json", "-strict"]);
        let found: Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert_eq!((said.code, &found["right"]), (Some(78), &json!(false)), "{yaml}");
        let place = &found["findings"][0]["place"];
        assert_eq!(place["line"], 1, "{found}");
        assert!(place["file"].as_str().is_some_and(|file| file.ends_with("config.yaml")), "{found}");
    }
}
