//! Rules on files and on connections: which events are meant, and what cannot be judged.

use super::*;

fn holds(category: &str, detection: &str, event: &Value) -> bool {
    let imported = import_one(&rule_of(category, &format!("  {detection}")));
    assert_eq!((imported.taken, imported.told.as_slice()), (1, &[][..]), "{detection}");
    assert!(!crate::config::check_text(imported.text.as_bytes()).has_errors(), "{}", imported.text);
    matches(&compiled(&imported.text), ChainIndex(0), event)
}

/// Sysmon's event 11: a file is created or overwritten.
#[test]
fn a_file_is_created_or_overwritten() {
    for (event, expected) in [
        (json!({"eventType": "FILE_EVENT_TYPE_CREATE", "fileType": "regular"}), true),
        (json!({"eventType": "FILE_EVENT_TYPE_CREATE", "fileType": "symlink"}), true),
        (json!({"eventType": "FILE_EVENT_TYPE_CREATE", "fileType": "directory"}), false),
        (json!({"eventType": "FILE_EVENT_TYPE_CREATE", "fileError": 13}), false),
        (json!({"eventType": "FILE_EVENT_TYPE_OPEN_FOR_MODIFY", "fileType": "regular"}), true),
        (json!({"eventType": "FILE_EVENT_TYPE_MODIFY"}), false),
        (json!({"eventType": "FILE_EVENT_TYPE_DELETE"}), false),
        (json!({"eventType": "FILE_EVENT_TYPE_RENAME", "targetPath": "/srv/x"}), false),
        (json!({"eventType": "FILE_EVENT_TYPE_LINK", "targetPath": "/srv/x"}), false),
        (json!({"eventType": "FILE_EVENT_TYPE_ATTRIBUTE_CHANGE", "attribute": "mode"}), false),
    ] {
        let mut event = event;
        event["filePath"] = "/etc/Doas.conf".into();
        for detection in [
            "{s: {TargetFilename|endswith: /etc/doas.CONF}, condition: s}",
            "{s: {TargetFilename|exists: true}, condition: s}",
            "{s: {TargetFilename: null}, condition: not s}",
            "{s: {Image|endswith: /dpkg}, condition: not s}",
        ] {
            assert_eq!(holds("file_event", detection, &event), expected, "{detection} on {event}");
        }
    }
}

/// What decides is the file that is created, not another one that the same field of other events has.
#[test]
fn parts_of_events_about_files() {
    let event = json!({
        "eventType": "FILE_EVENT_TYPE_CREATE", "filePath": "/etc/cron.d/a\nb", "programName": "/usr/bin/tee",
        "commandLine": "tee /etc/cron.d/x", "userName": "eve", "uid": 1000,
        "lineage": [{"programName": "/usr/bin/bash", "commandLine": "bash -i"}],
    });
    for (detection, expected) in [
        ("{s: {TargetFilename: '/etc/cron.d/*b'}, condition: s}", true),
        ("{s: {TargetFilename|cased: '/etc/CRON.d/*'}, condition: s}", false),
        ("{s: {TargetFilename|re: '^/etc/cron\\.(d|daily)/'}, condition: s}", true),
        ("{s: {TargetFilename|contains|all: [cron, b]}, condition: s}", true),
        ("{s: {TargetFilename|startswith: /etc/, Image|endswith: /TEE}, condition: s}", true),
        ("{s: {User: EVE, LogonId: 1000, ParentImage|endswith: /bash}, condition: s}", true),
        ("{s: {CommandLine|contains: ' /etc/', ParentCommandLine: bash -I}, condition: s}", true),
        ("{s: {User: root}, condition: s}", false),
    ] {
        assert_eq!(holds("file_event", detection, &event), expected, "{detection}");
    }
}

#[test]
fn parts_of_events_about_connections() {
    let event = json!({
        "eventType": "NETWORK_EVENT_TYPE_CONNECT_ATTEMPT", "dstAddr": "203.0.113.7", "dstPort": 4444, "direction": "outbound",
        "protocol": "tcp", "programName": "/usr/bin/bash", "userName": "www-data",
    });
    for (detection, expected) in [
        ("{s: {DestinationPort: 4444}, condition: s}", true),
        ("{s: {DestinationPort: ['443', '4444']}, condition: s}", true),
        ("{s: {DestinationPort|gte: 5000}, condition: s}", false),
        ("{s: {DestinationIp: 203.0.113.7}, condition: s}", true),
        ("{s: {DestinationIp|cidr: 203.0.113.0/24}, condition: s}", true),
        ("{s: {DestinationIp|cidr: ['10.0.0.0/8', 'fe80::/10']}, condition: not s}", true),
        ("{s: {SourceIp: 10.0.0.1}, condition: s}", false),
        ("{s: {SourceIp: null}, condition: s}", true),
        ("{s: {Initiated: 'true'}, condition: s}", true),
        ("{s: {Initiated: true}, condition: s}", true),
        ("{s: {Initiated: 'false', DestinationPort: 1}, condition: not s}", true),
        ("{s: {Protocol: TCP, Image|endswith: /bash}, condition: s}", true),
        ("{s: {User: WWW-data}, condition: s}", true),
    ] {
        assert_eq!(holds("network_connection", detection, &event), expected, "{detection}");
    }
}

#[test]
fn what_cannot_be_judged_is_not_taken() {
    for (category, detection, expected) in [
        (
            "network_connection",
            "{s: {DestinationHostname|endswith: .example.test}, condition: s}",
            "line 4: the sensor does not record `DestinationHostname`: connections go to addresses, and which name a \
             program asked for is not known",
        ),
        (
            "network_connection",
            "{s: {SourcePort: 22}, condition: s}",
            "line 4: the sensor does not record `SourcePort`: a connection that is being opened has none yet",
        ),
        (
            "network_connection",
            "{s: {Initiated: 'false'}, condition: s}",
            "line 4: `Initiated` is never `false` in what the policy sees, but `true`",
        ),
        (
            "network_connection",
            "{s: {Protocol: udp}, condition: s}",
            "line 4: `Protocol` is never `udp` in what the policy sees, but `tcp`",
        ),
        ("network_connection", "{s: {DestinationIp|startswith: '10.'}, condition: s}", "line 4: `DestinationIp` is a"),
        (
            "network_connection",
            "{s: {DestinationPort: 70000}, condition: s}",
            "line 4: `DestinationPort` is never == 70000",
        ),
        (
            "network_connection",
            "{s: {TargetFilename: /x}, condition: s}",
            "line 4: the sensor does not record `TargetFilename`",
        ),
        (
            "file_event",
            "{s: {TargetFilename: shadow}, condition: s}",
            "line 4: `TargetFilename` is never `shadow`: it is a whole path",
        ),
        (
            "file_event",
            "{s: {DestinationPort: 22}, condition: s}",
            "line 4: the sensor does not record `DestinationPort`",
        ),
    ] {
        let text = rule_of(category, &format!("  {detection}"));
        assert!(said(&text).starts_with(&format!("rule.yml: not taken: {expected}")), "{detection}: {}", said(&text));
    }
    let text = rule_of(
        "network_connection",
        "    s: {DestinationHostname: a.example.test}\n    t: {DestinationIp: 203.0.113.7}\n    condition: s or t",
    );
    assert!(
        said(&text)
            .starts_with("rule.yml: taken with a loss: line 4: the sensor does not record `DestinationHostname`")
    );
}
