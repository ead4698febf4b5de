//! The specification, case by case.

use super::*;

/// A detection, an event with Sigma's names, and whether it holds.
const CASES: &[(&str, &str, bool)] = &[
    // Any letter case, also beyond ASCII; the whole value.
    ("{s: {Image: /usr/bin/CURL}, condition: s}", r#"{"Image": "/USR/bin/curl"}"#, true),
    ("{s: {Image: /usr/bin/cur}, condition: s}", r#"{"Image": "/usr/bin/curl"}"#, false),
    ("{s: {CommandLine|contains: 'ÄRGER'}, condition: s}", r#"{"CommandLine": "kein ärger"}"#, true),
    // Wildcards, over line feeds too, and anchored within `startswith` and `endswith`.
    ("{s: {CommandLine: 'a*b?c'}, condition: s}", r#"{"CommandLine": "a\n\nb\nC"}"#, true),
    ("{s: {CommandLine|startswith: 'a*b'}, condition: s}", r#"{"CommandLine": "axxb and more"}"#, true),
    ("{s: {CommandLine|startswith: 'a*b'}, condition: s}", r#"{"CommandLine": "xa b"}"#, false),
    ("{s: {CommandLine|endswith: 'a*b'}, condition: s}", r#"{"CommandLine": "say a\nb"}"#, true),
    ("{s: {CommandLine|endswith: 'a*b'}, condition: s}", r#"{"CommandLine": "say ab."}"#, false),
    ("{s: {CommandLine|contains: 'a\\*b'}, condition: s}", r#"{"CommandLine": "xa*bx"}"#, true),
    ("{s: {CommandLine|contains: 'a\\*b'}, condition: s}", r#"{"CommandLine": "xaabx"}"#, false),
    ("{s: {CommandLine|contains: 'a\\\\*b'}, condition: s}", r#"{"CommandLine": "a\\xxb"}"#, true),
    ("{s: {CommandLine|contains: 'a\\b'}, condition: s}", r#"{"CommandLine": "a\\b"}"#, true),
    ("{s: {CommandLine|contains: 'a\\\\b'}, condition: s}", r#"{"CommandLine": "a\\b"}"#, true),
    ("{s: {CommandLine|contains: '[ab]'}, condition: s}", r#"{"CommandLine": "a"}"#, false),
    // Blanks at the ends count.
    ("{s: {CommandLine|contains: ' -i '}, condition: s}", r#"{"CommandLine": "chattr -i x"}"#, true),
    ("{s: {CommandLine|contains: ' -i '}, condition: s}", r#"{"CommandLine": "chattr -i"}"#, false),
    ("{s: {CommandLine: 'x '}, condition: s}", r#"{"CommandLine": "x"}"#, false),
    // Letter case counts.
    ("{s: {CommandLine|contains|cased: '-D'}, condition: s}", r#"{"CommandLine": "auditctl -d"}"#, false),
    ("{s: {CommandLine|contains|cased: '-D'}, condition: s}", r#"{"CommandLine": "auditctl -D"}"#, true),
    ("{s: {CommandLine|re: '-D$'}, condition: s}", r#"{"CommandLine": "auditctl -d"}"#, false),
    ("{s: {CommandLine|re|i: '-D$'}, condition: s}", r#"{"CommandLine": "auditctl -d\n"}"#, true),
    ("{s: {CommandLine|re: 'a.b'}, condition: s}", r#"{"CommandLine": "a\nb"}"#, false),
    ("{s: {CommandLine|re|s: 'a.b'}, condition: s}", r#"{"CommandLine": "a\nb"}"#, true),
    ("{s: {CommandLine|re|m: '^b'}, condition: s}", r#"{"CommandLine": "a\nb"}"#, true),
    // Without a slash a path is still the whole path.
    ("{s: {ParentImage|contains|cased: bash}, condition: s}", r#"{"ParentImage": "/bash/x"}"#, true),
    ("{s: {ParentImage|endswith|cased: bash}, condition: s}", r#"{"ParentImage": "/opt/xbash"}"#, true),
    ("{s: {Image|contains: tmp}, condition: s}", r#"{"Image": "/tmp/x"}"#, true),
    // Lists: one of them, or with `all` each.
    ("{s: {CommandLine|contains: [a, b]}, condition: s}", r#"{"CommandLine": "b"}"#, true),
    ("{s: {CommandLine|contains|all: [a, b]}, condition: s}", r#"{"CommandLine": "b"}"#, false),
    ("{s: {CommandLine|contains|all: [a, b]}, condition: s}", r#"{"CommandLine": "ba"}"#, true),
    ("{s: [{Image|endswith: /a}, {CommandLine: b}], condition: s}", r#"{"Image": "/x", "CommandLine": "b"}"#, true),
    ("{s: {Image|endswith: /a, CommandLine: b}, condition: s}", r#"{"Image": "/x", "CommandLine": "b"}"#, false),
    // What is absent.
    ("{s: {Image|contains: x}, f: {ParentImage: ''}, condition: s and not f}", r#"{"Image": "/x"}"#, true),
    ("{s: {CommandLine: ''}, condition: s}", r#"{"Image": "/x"}"#, false),
    ("{s: {CommandLine: ''}, condition: s}", r#"{"CommandLine": ""}"#, true),
    ("{s: {CommandLine: '*'}, condition: s}", r#"{"Image": "/x"}"#, false),
    ("{s: {CommandLine: null}, condition: s}", r#"{"CommandLine": ""}"#, false),
    ("{s: {ParentCommandLine: null}, condition: s}", r#"{"Image": "/x"}"#, true),
    ("{s: {User|exists: true}, condition: s}", r#"{"Image": "/x"}"#, false),
    ("{s: {User|exists: false}, condition: s}", r#"{"Image": "/x"}"#, true),
    ("{s: {User|neq: root}, condition: s}", r#"{"User": "ROOT"}"#, false),
    ("{s: {User|neq: root}, condition: s}", r#"{"User": "eve"}"#, true),
    ("{s: {User|neq: root}, condition: s}", r#"{"Image": "/x"}"#, false),
    // Numbers.
    ("{s: {LogonId: 0, User: root}, condition: s}", r#"{"LogonId": 0, "User": "root"}"#, true),
    ("{s: {LogonId: '0'}, condition: s}", r#"{"LogonId": 0}"#, true),
    ("{s: {LogonId: [1, 2]}, condition: s}", r#"{"LogonId": 0}"#, false),
    ("{s: {LogonId|gte: 1000}, condition: s}", r#"{"LogonId": 1000}"#, true),
    ("{s: {CommandLine|contains: 777}, condition: s}", r#"{"CommandLine": "chmod 0777 x"}"#, true),
    // What is encoded.
    (
        "{s: {CommandLine|base64|contains: '/bin/sh'}, condition: s}",
        r#"{"CommandLine": "echo L2Jpbi9zaA== | base64 -d"}"#,
        true,
    ),
    (
        "{s: {CommandLine|base64offset|contains: 'nc -e'}, condition: s}",
        r#"{"CommandLine": "echo c3VkbyBuYyAtZSBiYXNo"}"#,
        true,
    ),
    (
        "{s: {CommandLine|wide|base64offset|contains: whoami}, condition: s}",
        r#"{"CommandLine": "pwsh -e dwBoAG8AYQBtAGkA"}"#,
        true,
    ),
    ("{s: {CommandLine|windash|contains: ' -f'}, condition: s}", r#"{"CommandLine": "x /F"}"#, true),
    // Searches by their names.
    ("{selection: {User: a}, selection_x: {LogonId: 9}, condition: 1 of selection}", r#"{"LogonId": 9}"#, false),
    ("{selection: {User: a}, selection_x: {LogonId: 9}, condition: 1 of selection*}", r#"{"LogonId": 9}"#, true),
    ("{selection: {User: a}, selection_x: {LogonId: 9}, condition: all of selection*}", r#"{"LogonId": 9}"#, false),
    ("{a: {User: a}, _b: {LogonId: 9}, condition: all of them}", r#"{"User": "a"}"#, true),
    ("{a: {User: a}, b: {LogonId: 9}, condition: a or a and b}", r#"{"User": "a"}"#, true),
    ("{a: {User: a}, b: {LogonId: 9}, condition: [a, b]}", r#"{"LogonId": 9}"#, true),
    // In the whole event.
    ("{k: ['/dev/tcp/', 'x'], condition: k}", r#"{"ParentCommandLine": "sh -i >& /dev/TCP/1"}"#, true),
    ("{k: {'|all': [a, b]}, condition: k}", r#"{"Image": "/a", "CommandLine": "B"}"#, true),
    ("{k: {'|all': [a, b]}, condition: k}", r#"{"Image": "/a"}"#, false),
];

#[test]
fn each_part_of_the_specification() {
    for (detection, event, expected) in CASES {
        let imported = import_one(&rule(&format!("  {detection}")));
        assert_eq!(imported.taken, 1, "{detection}: {:?}", imported.told);
        let event: Value = serde_json::from_str(event).expect("JSON");
        let found = matches(&compiled(&imported.text), ChainIndex(0), &ours(&event));
        assert_eq!(found, *expected, "{detection} on {event}\n{}", imported.text);
    }
}

#[test]
fn a_thousand_values_are_a_list() {
    let values: Vec<_> = (0..1000).map(|number| format!("'/opt/{number} '")).collect();
    let values = values.join(", ");
    for (modifier, more, holds_not) in
        [("", ", ''", "/opt/7"), ("|cased", ", ''", "/OPT/7 "), ("|endswith", "", "/opt/7 x")]
    {
        let text = rule(&format!("  {{s: {{Image{modifier}: [{values}{more}]}}, condition: s}}"));
        let imported = import_one(&text);
        assert_eq!(imported.taken, 1, "{:?}", imported.told);
        assert!(imported.text.contains("lists:\n  Sigma-1-values-1:\n    type: names\n"), "{}", imported.text);
        let set = compiled(&imported.text);
        assert!(matches(&set, ChainIndex(0), &json!({"programName": "/opt/7 "})), "{modifier}");
        assert!(!matches(&set, ChainIndex(0), &json!({"programName": holds_not})), "{modifier}");
    }
}
