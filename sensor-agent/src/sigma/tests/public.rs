//! Rules as the public writes them, on events made by hand. The rules are their authors': see `rules/README.md`.

use super::*;

/// A file of `rules/`, an event with Sigma's names, and whether the rule is about it.
const CASES: &[(&str, &str, bool)] = &[
    ("chmod", r#"{"Image": "/usr/bin/chmod", "CommandLine": "chmod 777 /etc/shadow"}"#, true),
    ("chmod", r#"{"Image": "/usr/bin/chmod", "CommandLine": "chmod 644 notes"}"#, false),
    ("chmod", r#"{"Image": "/usr/bin/chmod", "CommandLine": "chmod 0775 /etc/landscape/"}"#, false),
    (
        "chmod",
        r#"{"Image": "/usr/bin/chmod", "CommandLine": "chmod 644 /etc/x", "ParentCommandLine": "/bin/sh /var/lib/dpkg/info/x.postinst configure 1"}"#,
        false,
    ),
    (
        "chmod",
        r#"{"Image": "/usr/bin/chmod", "CommandLine": "chmod 644 /opt/x", "ParentCommandLine": "/bin/sh /var/lib/dpkg/info/x.postinst configure 1"}"#,
        true,
    ),
    (
        "omigod",
        r#"{"User": "root", "LogonId": 0, "CurrentDirectory": "/var/opt/microsoft/scx/tmp", "CommandLine": "/bin/sh -c id"}"#,
        true,
    ),
    (
        "omigod",
        r#"{"User": "root", "LogonId": 1000, "CurrentDirectory": "/var/opt/microsoft/scx/tmp", "CommandLine": "/bin/sh -c id"}"#,
        false,
    ),
    (
        "omigod",
        r#"{"User": "root", "LogonId": 0, "CurrentDirectory": "/var/opt/microsoft/scx/tmp/x", "CommandLine": "/bin/sh -c id"}"#,
        false,
    ),
    ("syslog", r#"{"Image": "/usr/bin/rm", "CommandLine": "rm -f /var/log/syslog"}"#, true),
    ("syslog", r#"{"Image": "/usr/bin/bash", "CommandLine": "bash -c : > /var/log/syslog"}"#, true),
    ("syslog", r#"{"Image": "/usr/bin/cat", "CommandLine": "cat /var/log/syslog"}"#, false),
    ("pnscan", r#"{"Image": "/opt/scan", "CommandLine": "pnscan -W '0d 0a' 10.0.0.0/8"}"#, true),
    ("pnscan", r#"{"Image": "/opt/scan", "CommandLine": "pnscan -w '0d 0a' 10.0.0.0/8"}"#, false),
    ("flock", r#"{"Image": "/usr/bin/flock", "CommandLine": "flock -u / /bin/sh"}"#, true),
    ("flock", r#"{"Image": "/usr/bin/flock", "CommandLine": "flock -w 5 / /bin/sh"}"#, false),
    ("cron", r#"{"Image": "/usr/bin/vim", "TargetFilename": "/etc/cron.d/x"}"#, true),
    ("cron", r#"{"Image": "/usr/bin/dpkg", "TargetFilename": "/etc/cron.daily/apt"}"#, false),
    ("cron", r#"{"Image": "/usr/bin/vim", "TargetFilename": "/srv/etc/crontab.bak"}"#, true),
    ("cron", r#"{"Image": "/usr/bin/vim", "TargetFilename": "/srv/etc/cron.d/x"}"#, false),
    ("wget", r#"{"Image": "/usr/bin/wget", "TargetFilename": "/tmp/index.html"}"#, true),
    ("wget", r#"{"Image": "/usr/bin/curl", "TargetFilename": "/tmp/index.html"}"#, false),
    ("wget", r#"{"Image": "/usr/bin/wget", "TargetFilename": "/home/a/tmp/x"}"#, false),
    (
        "callback",
        r#"{"Image": "/opt/x", "DestinationIp": "203.0.113.7", "DestinationPort": 4444, "Initiated": "true"}"#,
        true,
    ),
    (
        "callback",
        r#"{"Image": "/opt/x", "DestinationIp": "203.0.113.7", "DestinationPort": 443, "Initiated": "true"}"#,
        false,
    ),
    (
        "callback",
        r#"{"Image": "/opt/x", "DestinationIp": "10.1.2.3", "DestinationPort": 4444, "Initiated": "true"}"#,
        false,
    ),
    (
        "callback",
        r#"{"Image": "/opt/x", "DestinationIp": "fd00::1", "DestinationPort": 2222, "Initiated": "true"}"#,
        false,
    ),
    (
        "callback",
        r#"{"Image": "/opt/x", "DestinationIp": "2001:db8::1", "DestinationPort": 2222, "Initiated": "true"}"#,
        true,
    ),
    ("backconnect", r#"{"Image": "/usr/bin/BASH", "DestinationIp": "203.0.113.7", "DestinationPort": 9}"#, true),
    ("backconnect", r#"{"Image": "/usr/bin/bash", "DestinationIp": "127.0.0.1", "DestinationPort": 9}"#, false),
    ("backconnect", r#"{"Image": "/usr/bin/dash", "DestinationIp": "203.0.113.7", "DestinationPort": 9}"#, false),
];

#[test]
fn public_rules_are_about_what_they_say() {
    for (name, event, expected) in CASES {
        let file = format!("{}/src/sigma/tests/rules/{name}.yml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let imported = import_one(&text);
        assert_eq!((imported.taken, imported.told.as_slice()), (1, &[][..]), "{name}");
        let event: Value = serde_json::from_str(event).expect("JSON");
        let found = matches(&compiled(&imported.text), ChainIndex(0), &ours(&event));
        assert_eq!(found, *expected, "{name} on {event}");
        let rule = serde_saphyr::from_str(&text).expect("YAML");
        assert_eq!(evaluator::holds(&rule, &event), *expected, "{name} on {event}, by the evaluator");
    }
}
