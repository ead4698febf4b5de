use settings::Environment;

use super::*;
use crate::config::{Paths, load};
use crate::event::build::build;

/// The policies of a configuration, and what was said of it, a line each.
fn planned(text: &str) -> (Config, Detection, Vec<String>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let empty = tempfile::NamedTempFile::new().unwrap();
    let paths = Paths {
        main: Some(file.path().to_owned()),
        content: Some(empty.path().to_owned()),
        rules: Some(empty.path().to_owned()),
        ..Paths::default()
    };
    let mut report = Report::default();
    let config = load(&paths, &Environment::default(), &mut report);
    let (detection, _) = compile(&config, &Lists::default(), &mut report);
    let line = |found: &diagnostic::Diagnostic| {
        let at = found.span.as_ref().map_or("", |span| &report.source_text(span.source)[span.bytes.clone()]);
        format!("{:?} at [{at}]: {}", found.severity, found.message)
    };
    let said = report.diagnostics().iter().map(line).collect();
    (config, detection, said)
}

fn policy(more: &str) -> String {
    format!("P:\n  policy: program\n  rules: [default match]\n  {more}\n")
}

#[test]
fn a_throttle_tells_apart_by_what_the_policy_sees() {
    let said = |more: &str| planned(&policy(more)).2;
    assert_eq!(said("throttle: {by: [programName, eventType]}"), [""; 0]);
    assert_eq!(said("throttle: {by: [acct]}"), ["Error at [acct]: `acct` is a field of audit events"]);
    assert_eq!(
        said("throttle: {by: errno}"),
        ["Error at [errno]: `errno` is a field of PROCESS_EVENT_TYPE_EXEC_FAILED events"]
    );
    assert_eq!(said("throttle: {by: [imageName]}"), ["Warning at [imageName]: nothing fills `imageName` yet"]);
    // Once, and also when the policy is off.
    let unknown = said("throttle: {by: [programNam]}");
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert_eq!(said("enabled: false\n  throttle: {by: [acct]}").len(), 1);
}

#[test]
fn a_policy_asks_for_what_it_sees() {
    use sensor_ebpf::classes::{Class, Classes};

    let classes = |text: &str| {
        let (_, detection, said) = planned(text);
        assert_eq!(said, [""; 0], "{text}");
        let recorder = crate::recorder::Recorder::new(&[], Vec::new(), false);
        crate::engine::Setup { detection, recorder, reporting_interval: std::time::Duration::from_secs(1) }.classes()
    };
    let of_type = |word: &str, more: &str| format!("P:\n  policy: {word}\n  rules: [default match]\n  {more}\n");
    let always: Classes = Class::ALWAYS;
    assert_eq!(classes(""), always);
    assert_eq!(classes(&of_type("program", "")), always);
    assert_eq!(classes(&of_type("loadKernelModule", "")), always.with(Class::Module));
    assert_eq!(classes(&of_type("bpfExec", "")), always.with(Class::Bpf));
    assert_eq!(classes(&of_type("credentialChange", "")), always.with(Class::Credentials));
    assert_eq!(classes(&of_type("ptrace", "")), always.with(Class::Tracing));
    for word in ["connect", "connectResult", "networkService", "sendto", "cloudMetadata"] {
        assert_eq!(classes(&of_type(word, "")), always.with(Class::Network), "{word}");
    }
    assert_eq!(classes(&of_type("namespace", "")), always.with(Class::Containment));
    assert_eq!(classes(&of_type("mount", "")), always.with(Class::Containment));
    assert_eq!(classes(&of_type("bpfExec", "enabled: false")), always);
}

#[test]
fn groups_and_actions_decide_what_kind_of_message_it_is() {
    for (more, expected) in [
        ("priority: Low", MessageType::Alert),
        ("contentGroup: smart policy", MessageType::SmartPolicy),
        ("contentGroup: audit.x", MessageType::Audit),
        ("responseActions: [audit]", MessageType::Audit),
        ("responseAction: audit", MessageType::Audit),
        ("responseActions: [alert, audit]", MessageType::Alert),
    ] {
        let (config, _, said) = planned(&policy(more));
        assert_eq!(said, [""; 0], "{more}");
        assert_eq!(facts(&config.policies[0]).message_type, expected, "{more}");
    }
}

#[test]
fn a_smart_policy_that_audits_still_takes_an_incident() {
    let (_, mut detection, _) = planned(&policy("contentGroup: Smart Policy\n  responseActions: [audit]"));
    for (event, expected) in [
        (serde_json::json!({"uid": 0}), 0),
        (serde_json::json!({"uid": 0, "incidentId": "018f4e5a-0000-7000-8000-000000000001"}), 1),
    ] {
        let (event, host) = build(&event).unwrap();
        let mut found = 0;
        detection.evaluate(&event, 0, &host, &mut |_| found += 1);
        assert_eq!(found, expected);
    }
}
