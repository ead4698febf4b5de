//! What all outputs, and all sinks, have.

use sensor_agent::policy::MessageType;
use sensor_tests::until;

use super::{Effect, Place, alert, alert_of, rows, status};

pub(super) const OUTPUTS: &[Effect] = &[
    ("type", the_type_says_what_it_is),
    ("enabled", one_that_is_off_gets_nothing),
    ("name", the_name_is_in_the_status),
    ("template", a_template_is_the_shape_of_an_alert),
    ("message_types", kinds_that_are_not_named_do_not_go_there),
    ("format", a_format_is_the_shape_of_an_alert),
    ("max_bytes", no_alert_is_longer_than_it_may_be),
];

pub(super) const SINKS: &[Effect] = &[
    ("backend", the_backend_says_what_it_is),
    ("name", the_name_of_a_sink_is_in_the_status),
    ("type", the_type_of_a_sink_is_its_backend),
];

/// Sends these to a file and returns what is in it then.
fn written(output: &str, kinds: &[MessageType]) -> String {
    let place = Place::new();
    let outputs = place.outputs(&format!("{{type: file, name: \"@HERE@/a\", {output}}}"));
    kinds.iter().for_each(|kind| outputs.send(alert_of(*kind, 0)));
    let done = |status: delivery::ledger::OutputStatus| status.sent + status.filtered;
    let expected = if output.contains("audit") { 1 } else { kinds.len() as u64 };
    until("the alerts to be written", || (done(status(&outputs)) == expected).then_some(()));
    place.read("a")
}

#[test]
fn the_type_says_what_it_is() {
    let place = Place::new();
    let list = "{type: stdout}, {type: file, name: \"@HERE@/a\"}, {type: syslog}, {type: webhook, url: 'http://h'}, \
                {type: zeromq, endpoint: 'ipc://@HERE@/z'}, {type: splunk_hec, url: 'http://h', token: t}";
    let (plan, report) = place.plan(&super::outputs(list));
    assert!(!report.has_errors(), "{report}");
    let kinds: Vec<_> = plan.outputs.iter().map(|output| output.target.kind()).collect();
    assert_eq!(kinds, ["stdout", "file", "syslog", "webhook", "zeromq", "splunk_hec"]);
}

#[test]
fn one_that_is_off_gets_nothing() {
    let place = Place::new();
    let outputs =
        place.outputs("{type: file, name: \"@HERE@/off\", enabled: false}, {type: file, name: \"@HERE@/on\"}");
    outputs.send(alert());
    until("the alert to be written", || place.read("on").ends_with('\n').then_some(()));
    assert!(!place.path("off").exists());
}

#[test]
fn the_name_is_in_the_status() {
    let outputs = Place::new().outputs("{type: zeromq, name: bus, endpoint: 'ipc://@HERE@/z'}");
    assert_eq!(status(&outputs).name, "bus");
}

#[test]
fn a_template_is_the_shape_of_an_alert() {
    assert_eq!(written("template: '{{ .StrategyName }}!'", &[MessageType::Alert]), "Each!\n");
}

#[test]
fn kinds_that_are_not_named_do_not_go_there() {
    let written = written("message_types: audit, template: '{{ .UUID }}'", &[MessageType::Alert, MessageType::Audit]);
    assert_eq!(written.lines().count(), 1, "{written}");
}

#[test]
fn a_format_is_the_shape_of_an_alert() {
    assert!(written("format: cef", &[MessageType::Alert]).starts_with("CEF:0|"));
    assert!(written("format: ecs", &[MessageType::Alert]).contains("\"ecs\":{\"version\""));
}

#[test]
fn no_alert_is_longer_than_it_may_be() {
    for (setting, most) in [("max_bytes: 1500", 1500), ("format: json", 256 << 10)] {
        let place = Place::new();
        let outputs = place.outputs(&format!("{{type: file, name: \"@HERE@/a\", {setting}}}"));
        outputs.send(alert_of(MessageType::Alert, 300_000));
        let line = until("the alert to be written", || Some(place.read("a")).filter(|text| text.ends_with('\n')));
        assert!((most / 2..=most + 1).contains(&line.len()), "{setting}: {}", line.len());
        serde_json::from_str::<serde_json::Value>(&line).expect("JSON");
        assert_eq!(status(&outputs).shortened, 1);
    }
    let told = Place::new().refused("{type: syslog, address: 'udp://h', max_bytes: 70000}");
    assert!(told.contains("65507"), "{told}");
}

#[test]
fn the_backend_says_what_it_is() {
    let place = Place::new();
    let list = "{backend: stdout}, {backend: file, name: \"@HERE@/a\"}, {backend: parquet, name: \"@HERE@/b\"}, \
                {backend: zeromq, endpoint: 'ipc://@HERE@/z'}";
    let (plan, report) = place.plan(&super::sinks(list));
    assert!(!report.has_errors(), "{report}");
    let kinds: Vec<_> = plan.sinks.iter().map(|sink| sink.target.kind()).collect();
    assert_eq!(kinds, ["stdout", "file", "parquet", "zeromq"]);
}

#[test]
fn the_name_of_a_sink_is_in_the_status() {
    let place = Place::new();
    let sinks = place.sinks("{backend: file, name: \"@HERE@/rows\"}");
    sinks.send(rows(1));
    until("the row", || place.read("rows").ends_with('\n').then_some(()));
    assert_eq!(sinks.status()[0].name, place.path("rows").display().to_string());
}

#[test]
fn the_type_of_a_sink_is_its_backend() {
    let place = Place::new();
    let (_, report) = place.plan(&super::sinks("{backend: stdout, type: file}"));
    assert!(report.to_string().contains("`type` says something else"), "{report}");
}
