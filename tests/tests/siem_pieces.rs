//! What is for SIEMs (`packaging/splunk`, `elastic`, `wazuh`, `sentinel`) does what it should on the lines that the sensor and
//! `sensor-siem` write. `tests/packages/siem` has more to try it with: Splunk's own tools, the data models, and KQL.

use std::path::Path;
use std::process::Command;

/// Runs a script of the folder `tests/siem`: it ends well, and leaves nothing behind.
fn holds(script: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let said = Command::new("python3")
        .arg(format!("tests/siem/{script}"))
        .args(arguments)
        .current_dir(root)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap_or_else(|error| panic!("python3: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(said.status.success(), "{script}: {}{}", text(&said.stdout), text(&said.stderr));
}

#[test]
fn splunk_has_every_field_event_type_and_tag() {
    holds("splunk/try.py", &["packaging/splunk/TA-sophoslinuxsensor"]);
}

#[test]
fn the_pipeline_for_elasticsearch_writes_fields_of_ecs() {
    holds("elastic.py", &["target/ecs/8.11.5.json", "target/ecs/9.4.0.json"]);
}

#[test]
fn every_line_comes_to_its_rule_in_wazuh() {
    holds("wazuh.py", &[]);
}

#[test]
fn rsyslog_takes_cef_with_the_settings_for_sentinel() {
    holds("rsyslog.py", &[]);
}
