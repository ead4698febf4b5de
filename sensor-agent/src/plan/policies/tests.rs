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
    assert_eq!(said("throttle: {by: [programName, eventType, imageName]}"), [""; 0]);
    assert_eq!(said("throttle: {by: [acct]}"), ["Error at [acct]: `acct` is a field of audit events"]);
    assert_eq!(
        said("throttle: {by: errno}"),
        ["Error at [errno]: `errno` is a field of PROCESS_EVENT_TYPE_EXEC_FAILED events"]
    );
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
        let reporting_interval = std::time::Duration::from_secs(1);
        crate::engine::Setup {
            detection,
            recorder,
            redaction: std::sync::Arc::default(),
            reporting_interval,
            limits: std::sync::Arc::default(),
        }
        .classes()
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
    for of_memory in ["memoryExec", "memfdCreate", "userfaultfd"] {
        assert_eq!(classes(&of_type(of_memory, "")), always.with(Class::Memory), "{of_memory}");
    }
    for of_crashes in ["crash", "repeatedCrash"] {
        assert_eq!(classes(&of_type(of_crashes, "")), always.with(Class::Crash), "{of_crashes}");
    }
    assert_eq!(classes(&of_type("sysctl", "")), always.with(Class::Sysctl));
    assert_eq!(classes(&of_type("ioUringSetup", "")), always.with(Class::IoUring));
    assert_eq!(classes(&of_type("perfEvent", "")), always.with(Class::Perf));
    assert_eq!(classes(&of_type("kexec", "")), always.with(Class::Kexec));
    assert_eq!(classes(&of_type("rawSocket", "")), always.with(Class::RawSocket));
    assert_eq!(classes(&of_type("unixConnect", "")), always.with(Class::UnixSocket));
    assert_eq!(classes(&of_type("userHelper", "")), always.with(Class::UserHelper));
    for of_bpf in ["bpfAttach", "sensorTampering"] {
        assert_eq!(classes(&of_type(of_bpf, "")), always.with(Class::BpfCalls), "{of_bpf}");
    }
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

fn except(exception: &str) -> String {
    policy(&format!("exceptions:\n  - {exception}"))
}

#[test]
fn an_exception_takes_what_the_rules_say_until_its_last_day_is_over() {
    let text = |until: &str| except(&format!("{{rule: 'ignore programName == \"/bin/a\"', comment: why{until}}}"));
    let run = |detection: &mut Detection, program: &str, day: u64| {
        let time = day * 86_400 * 1_000_000_000;
        let (event, host) = build(&serde_json::json!({"programName": program, "time": time})).unwrap();
        let mut found = 0;
        detection.evaluate(&event, 0, &host, &mut |_| found += 1);
        found
    };
    let counts = |detection: &Detection| detection.counts().next().map(|(_, it)| (it.alerts, it.excepted)).unwrap();
    let (_, mut detection, said) = planned(&text(", until: 2099-12-31"));
    assert_eq!(said, [""; 0]);
    // 2099-12-31 is day 47481.
    assert_eq!((run(&mut detection, "/bin/a", 47_481), run(&mut detection, "/bin/b", 47_481)), (0, 1));
    assert_eq!(run(&mut detection, "/bin/a", 47_482), 1);
    assert_eq!(counts(&detection), (2, vec![1]));
    let end = 47_482 * 86_400 * 1_000_000_000;
    assert_eq!(detection.expired(end - 1).count(), 0);
    assert_eq!(detection.expired(end).collect::<Vec<_>>(), [("P", "ignore programName == \"/bin/a\"")]);
    assert_eq!(detection.expired(end).count(), 0, "it is told once");
    // A reload goes on counting, with another day as well.
    let (_, after, _) = planned(&text(""));
    let mut after = after.after(detection);
    assert_eq!((run(&mut after, "/bin/a", 60_000), counts(&after)), (0, (2, vec![2])));
}

#[test]
fn what_is_wrong_with_an_exception_is_told() {
    let one = |exception: &str, said: &str| {
        for more in ["", "\n  enabled: false"] {
            let (_, _, found) = planned(&policy(&format!("exceptions:\n  - {exception}{more}")));
            assert!(found.len() == 1 && found[0].contains(said), "{exception}: {found:?}");
        }
    };
    one("{rule: match uid == 0, comment: c}", "Error at [match uid == 0]: this is no exception of `P`");
    one("{rule: default ignore, comment: c}", "this is no exception of `P`");
    one("{rule: ignore uidd == 0, comment: c}", "`uidd`");
    one("{rule: ignore uid == 0}", "an exception of `P` has no `comment`");
    one("{rule: ignore uid == 0, comment: ''}", "an exception of `P` has no `comment`");
    one("{comment: c}", "an exception of `P` has no `rule`");
    one("{rule: ignore uid == 0, comment: c, until: tomorrow}", "this is no day of the calendar");
    one(
        "{rule: ignore uid == 0, comment: c, until: 2001-02-03}",
        "Warning at [2001-02-03]: this exception of `P` has expired",
    );
}
