//! Awkward items: what becomes of them by the rules, compatible and mended; and what holds of any item.

use proptest::prelude::*;

use super::*;

fn item(json: &str) -> Item<'_> {
    Item::new(serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}")))
}

fn made(format: Format, compat: bool, json: &str) -> Line {
    Layout { format, compat, fqdn: true }.line(&item(json), Stream::Events)
}

fn text(format: Format, compat: bool, json: &str) -> String {
    made(format, compat, json).text
}

/// Looks at JSON, CEF and key-value of an item, each compatible and mended.
#[track_caller]
fn becomes(item: &str, lines: [[&str; 2]; 3]) {
    for (&format, both) in Format::ALL.iter().zip(lines) {
        for (compat, wanted) in [true, false].into_iter().zip(both) {
            let head = if format == Format::Cef { "CEF:0|sophos|sophos central|1.0|" } else { "" };
            assert_eq!(text(format, compat, item), format!("{head}{wanted}"), "{format:?}, compat {compat}: {item}");
        }
    }
}

#[test]
fn nothing_but_the_stream() {
    becomes(
        "{}",
        [
            [r#"{"datastream": "event"}"#; 2],
            ["NA|NA|0|datastream=event", "NA|NA|Unknown|datastream=event"],
            [r#"- datastream="event";"#; 2],
        ],
    );
}

#[test]
fn the_stream_keeps_the_place_of_a_member_of_its_name() {
    becomes(
        r#"{"datastream": 7, "a": "b"}"#,
        [
            [r#"{"datastream": "event", "a": "b"}"#; 2],
            ["NA|NA|0|datastream=event a=b", "NA|NA|Unknown|datastream=event a=b"],
            [r#"- datastream="event"; a="b";"#; 2],
        ],
    );
}

#[test]
fn renamed_members_go_to_the_end_or_where_the_new_name_stands() {
    becomes(
        r#"{"rt": "old", "source": "s", "when": "w", "created_at": "c", "a": "b"}"#,
        [
            [r#"{"rt": "c", "a": "b", "datastream": "event", "suser": "s", "end": "w"}"#; 2],
            [
                "NA|NA|0|rt=c a=b datastream=event suser=s end=w",
                "NA|NA|Unknown|rt=c a=b datastream=event suser=s end=w",
            ],
            [r#"c rt="c"; a="b"; datastream="event"; suser="s"; end="w";"#; 2],
        ],
    );
}

#[test]
fn nulls_go_at_the_top_and_stay_within() {
    becomes(
        r#"{"a": null, "b": {"c": null}, "d": [null]}"#,
        [
            [r#"{"b": {"c": null}, "d": [null], "datastream": "event"}"#; 2],
            ["NA|NA|0|b_c=None d=[None] datastream=event", "NA|NA|Unknown|b_c=null d=[null] datastream=event"],
            [
                r#"- b="{'c': None}"; d="[None]"; datastream="event";"#,
                r#"- b="{\"c\": null}"; d="[null]"; datastream="event";"#,
            ],
        ],
    );
}

#[test]
fn numbers() {
    becomes(
        r#"{"a": 1e5, "b": 1.50, "c": 123456789012345678901234567890, "d": -0, "e": 1e400}"#,
        [
            [
                r#"{"a": 100000.0, "b": 1.5, "c": 123456789012345678901234567890, "d": 0, "e": Infinity, "datastream": "event"}"#,
                r#"{"a": 1e5, "b": 1.50, "c": 123456789012345678901234567890, "d": -0, "e": 1e400, "datastream": "event"}"#,
            ],
            [
                "NA|NA|0|a=100000.0 b=1.5 c=123456789012345678901234567890 d=0 e=inf datastream=event",
                "NA|NA|Unknown|a=1e5 b=1.50 c=123456789012345678901234567890 d=-0 e=1e400 datastream=event",
            ],
            [
                r#"- a="100000.0"; b="1.5"; c="123456789012345678901234567890"; d="0"; e="inf"; datastream="event";"#,
                r#"- a="1e5"; b="1.50"; c="123456789012345678901234567890"; d="-0"; e="1e400"; datastream="event";"#,
            ],
        ],
    );
}

#[test]
fn line_ends_split_records_of_the_script_alone() {
    becomes(
        r#"{"name": "one\r\ntwo|three", "a": "x\ny=z\u001b\u2028"}"#,
        [
            [
                "{\"name\": \"one\\r\\ntwo|three\", \"a\": \"x\\ny=z\\u001b\u{2028}\", \"datastream\": \"event\"}",
                r#"{"name": "one\r\ntwo|three", "a": "x\ny=z\u001b\u2028", "datastream": "event"}"#,
            ],
            [
                "NA|one\r\ntwo\\|three|0|a=x\ny\\=z\u{1b}\u{2028} datastream=event",
                r"NA|one  two\|three|Unknown|a=x\ny\=z\x1b\u2028 datastream=event",
            ],
            [
                "- name=\"one\r\ntwo|three\"; a=\"x\ny=z\u{1b}\u{2028}\"; datastream=\"event\";",
                r#"- name="one\r\ntwo|three"; a="x\ny=z\x1b\u2028"; datastream="event";"#,
            ],
        ],
    );
}

#[test]
fn quotes_and_backslashes() {
    becomes(
        r#"{"type": "a\\b|c", "a": "say \"x\"; b=\"y\" \\", "n": {"q": "it's", "b": ["\"it's\""]}}"#,
        [
            [r#"{"type": "a\\b|c", "a": "say \"x\"; b=\"y\" \\", "n": {"q": "it's", "b": ["\"it's\""]}, "datastream": "event"}"#;
                2],
            [
                r#"a\\b\|c|NA|0|a=say "x"; b\="y" \\ n_q=it's n_b=['"it\'s"'] datastream=event"#,
                r#"a\\b\|c|NA|Unknown|a=say "x"; b\="y" \\ n_q=it's n_b=["\\"it's\\""] datastream=event"#,
            ],
            [
                r#"- type="a\b|c"; a="say "x"; b="y" \"; n="{'q': "it's", 'b': ['"it\'s"']}"; datastream="event";"#,
                r#"- type="a\\b|c"; a="say \"x\"; b=\"y\" \\"; n="{\"q\": \"it's\", \"b\": [\"\\\"it's\\\"\"]}"; datastream="event";"#,
            ],
        ],
    );
}

#[test]
fn names_that_are_no_keys() {
    becomes(
        r#"{"a b": 1, "a=b": 2, "a_b": 3, "": 4, "ü": 5}"#,
        [
            [r#"{"a b": 1, "a=b": 2, "a_b": 3, "": 4, "ü": 5, "datastream": "event"}"#; 2],
            [
                "NA|NA|0|a b=1 a=b=2 a_b=3 =4 ü=5 datastream=event",
                "NA|NA|Unknown|a_b_=1 a_b__=2 a_b=3 _=4 __=5 datastream=event",
            ],
            [
                r#"- a b="1"; a=b="2"; a_b="3"; ="4"; ü="5"; datastream="event";"#,
                r#"- a_b_="1"; a_b__="2"; a_b="3"; _="4"; __="5"; datastream="event";"#,
            ],
        ],
    );
}

#[test]
fn empty_objects_and_lists() {
    becomes(
        r#"{"a": {}, "b": [], "c": {"d": {}}, "e": [{}]}"#,
        [
            [r#"{"a": {}, "b": [], "c": {"d": {}}, "e": [{}], "datastream": "event"}"#; 2],
            ["NA|NA|0|b=[] e=[{}] datastream=event", "NA|NA|Unknown|a={} b=[] c_d={} e=[{}] datastream=event"],
            [
                r#"- a="{}"; b="[]"; c="{'d': {}}"; e="[{}]"; datastream="event";"#,
                r#"- a="{}"; b="[]"; c="{\"d\": {}}"; e="[{}]"; datastream="event";"#,
            ],
        ],
    );
}

#[test]
fn flat_names_meet() {
    for compat in [true, false] {
        let line =
            text(Format::Cef, compat, r#"{"a_b": 1, "x": 2, "a": {"b": 3}, "source_ip": 4, "source": {"ip": 5}}"#);
        let (_, extension) = line.rsplit_once('|').unwrap();
        // An object is not renamed, its members are not either: they have other names by then.
        assert_eq!(extension, "a_b=3 x=2 source_ip=5 datastream=event");
    }
}

#[test]
fn a_header_takes_only_what_stands_at_the_top() {
    for (json, compat, wanted) in [
        (r#"{"name": {"x": 1}, "type": 7, "severity": 3}"#, true, "7|NA|0|name_x=1 datastream=event"),
        (r#"{"name": {"x": 1}, "type": 7, "severity": 3}"#, false, "7|NA|Unknown|name_x=1 datastream=event"),
        (r#"{"name": ["|"], "type": true}"#, true, "True|['|']|0|datastream=event"),
        (r#"{"name": ["|"], "type": true}"#, false, r#"true|["\|"]|Unknown|datastream=event"#),
        (r#"{"severity": {"is": "high"}}"#, true, "NA|NA|0|severity_is=high datastream=event"),
    ] {
        assert_eq!(text(Format::Cef, compat, json), format!("CEF:0|sophos|sophos central|1.0|{wanted}"));
    }
}

#[test]
fn severities() {
    for (word, was, is) in [
        ("none", "0", "0"),
        ("low", "1", "1"),
        ("medium", "5", "5"),
        ("high", "8", "8"),
        ("very_high", "10", "10"),
        ("critical", "0", "10"),
        ("HIGH", "0", "Unknown"),
        ("", "0", "Unknown"),
    ] {
        for (compat, wanted) in [(true, was), (false, is)] {
            let line = text(Format::Cef, compat, &format!(r#"{{"severity": "{word}"}}"#));
            assert_eq!(line.split('|').nth(6), Some(wanted), "{word}, compat {compat}");
        }
    }
}

const DETECTED: &str = "Event::Endpoint::Threat::Detected";

#[test]
fn a_name_tells_a_detection_and_a_path() {
    let json =
        format!(r#"{{"filePath": "old", "type": "{DETECTED}", "name": "x 'A' at '/b'", "full_file_path": "/c"}}"#);
    // Renamed first, then read; in CEF the other way round.
    let end = r#""datastream": "event", "detection_identity_name": "A"}"#;
    let wanted = format!(r#"{{"filePath": "/b", "type": "{DETECTED}", "name": "A", {end}"#);
    assert_eq!(text(Format::Json, true, &json), wanted);
    let line = text(Format::Cef, true, &json);
    assert!(line.ends_with("|A|0|filePath=/c datastream=event detection_identity_name=A"), "{line}");
}

#[test]
fn a_name_that_tells_nothing_is_told_and_stays() {
    for &format in Format::ALL {
        let line = made(format, false, &format!(r#"{{"type": "{DETECTED}", "name": "Malware 'A'"}}"#));
        assert!(line.text.contains("Malware 'A'"), "{}", line.text);
        assert_eq!(line.unread.as_deref(), Some("Malware 'A'"));
        let line = made(format, false, &format!(r#"{{"type": "{DETECTED}"}}"#));
        assert_eq!(line.unread.as_deref(), Some(""));
        assert_eq!(made(format, false, r#"{"type": "Event::Other", "name": "'A'"}"#).unread, None);
    }
}

#[test]
fn a_description_is_the_name() {
    let json = r#"{"name": "n", "description": "d", "type": "t"}"#;
    assert!(text(Format::Cef, true, json).ends_with("|t|d|0|description=d datastream=event"));
    let json = r#"{"name": "n", "description": null}"#;
    assert_eq!(text(Format::Json, true, json), r#"{"name": "n", "datastream": "event"}"#);
    let json = r#"{"description": {"text": "d"}}"#;
    assert!(text(Format::Cef, true, json).ends_with("|NA|NA|0|description_text=d datastream=event name_text=d"));
}

#[test]
fn hosts_are_made_valid_when_asked() {
    let json = r#"{"location": "My PC.", "dhost": {"a": 1}}"#;
    assert_eq!(text(Format::Json, true, json), r#"{"dhost": "my-pc", "datastream": "event"}"#);
    let layout = Layout { format: Format::Json, compat: true, fqdn: false };
    assert_eq!(layout.line(&item(json), Stream::Alerts).text, r#"{"dhost": "My PC.", "datastream": "alert"}"#);
    // Within the item of CEF another name of the same member is flat by now.
    assert!(text(Format::Cef, true, json).ends_with("|dhost_a=1 datastream=event dhost=my-pc"));
    assert_eq!(text(Format::Json, false, r#"{"location": 7}"#), r#"{"datastream": "event", "dhost": 7}"#);
}

#[test]
fn ends_are_stripped_as_the_script_does() {
    let json = r#"{"created_at": "\u00a0 t", "a": "b \u3000"}"#;
    assert!(text(Format::KeyValue, true, json).starts_with("t a="));
    assert!(text(Format::KeyValue, false, json).starts_with("- a="));
    let json = r#"{"datastream": "", "location": " \u001f"}"#;
    assert!(text(Format::Cef, true, json).ends_with("|datastream=event dhost="));
    let json = r#"{"source": "b \u3000"}"#;
    assert!(text(Format::Cef, true, json).ends_with("suser=b"));
    assert!(text(Format::Cef, false, json).ends_with("suser=b \u{3000}"));
}

/// JSON values of all sorts.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![".*", "[\\\\\"'=;|\n\r\u{85}\u{2028} a-c]{0,12}"];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        text.prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::hash_map(names(), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("name".into()),
        Just("description".into()),
        Just("source".into()),
        Just("location".into()),
        Just("created_at".into()),
        Just("rt".into()),
        "[a-c]{1,2}",
        ".{0,4}",
    ]
}

fn any_item() -> impl Strategy<Value = String> {
    let kinds = prop_oneof![Just(DETECTED), Just("Event::Endpoint::DataLossPreventionUserAllowed"), Just("other")];
    (proptest::collection::hash_map(names(), any_json(), 0..8), kinds).prop_map(|(members, kind)| {
        let mut members: serde_json::Map<_, _> = members.into_iter().collect();
        members.insert("type".into(), kind.into());
        serde_json::Value::Object(members).to_string()
    })
}

/// Reads what is escaped with backslashes up to a character that is not.
fn unescape(rest: &mut std::str::Chars<'_>, end: char) -> Option<String> {
    let mut out = String::new();
    loop {
        match rest.next()? {
            '\\' => match rest.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                code @ ('x' | 'u') => {
                    let digits: String = rest.by_ref().take(if code == 'x' { 2 } else { 4 }).collect();
                    out.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                char => out.push(char),
            },
            char if char == end => return Some(out),
            char => out.push(char),
        }
    }
}

proptest! {
    #[test]
    fn one_item_one_line(json in any_item()) {
        for &format in Format::ALL {
            let line = text(format, false, &json);
            prop_assert!(!line.contains(|char: char| char.is_control() && char != '\t'), "{:?}", line);
            prop_assert!(!line.contains(['\u{2028}', '\u{2029}']), "{:?}", line);
            // The other way is never refused.
            let _ = text(format, true, &json);
        }
    }

    #[test]
    fn json_is_read_back_as_the_same_item(json in any_item()) {
        let layout = Layout { format: Format::Json, compat: false, fqdn: false };
        let line = layout.line(&item(&json), Stream::Alerts).text;
        let again = layout.line(&item(&line), Stream::Alerts).text;
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        let was: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&back["datastream"], "alert");
        for (name, value) in was.as_object().unwrap() {
            // What is renamed, and what something else is renamed to.
            let is_changed = [
                "name", "source", "suser", "location", "dhost", "created_at", "rt", "when", "end", "datastream", "filePath",
            ];
            if !value.is_null() && !is_changed.contains(&name.as_str()) {
                prop_assert_eq!(&back[name], value, "{}", name);
            }
        }
        if item(&json).members.get("type") == Some(&Value::Text("other".into())) {
            prop_assert_eq!(again, line);
        }
    }

    #[test]
    fn key_value_is_read_back(json in any_item()) {
        let line = text(Format::KeyValue, false, &json);
        let mut rest = line.chars();
        let mut count = 0;
        rest.by_ref().find(|char| *char == ' ');
        loop {
            let key: String = rest.by_ref().take_while(|char| *char != '=').collect();
            prop_assert!(!key.is_empty() && !key.contains([' ', '"', ';']), "{:?} of {:?}", key, line);
            prop_assert_eq!(rest.next(), Some('"'));
            prop_assert!(unescape(&mut rest, '"').is_some(), "{:?}", line);
            prop_assert_eq!(rest.next(), Some(';'));
            count += 1;
            match rest.next() {
                None => break,
                Some(char) => prop_assert_eq!(char, ' '),
            }
        }
        let members = item(&json).members;
        let members = normalise::receive(&members, Stream::Events);
        prop_assert!(count >= members.len() - 1, "{} of {}", count, members.len());
    }

    #[test]
    fn cef_has_seven_bars_and_unmistakable_pairs(json in any_item()) {
        let line = text(Format::Cef, false, &json);
        let mut rest = line.chars();
        for _ in 0..7 {
            prop_assert!(unescape(&mut rest, '|').is_some(), "{:?}", line);
        }
        // What stands before a sign that is not escaped is a key, and each stands there once.
        let mut keys = std::collections::HashSet::new();
        let extension = rest.as_str();
        for (at, _) in extension.match_indices('=') {
            let before = &extension[..at];
            let backslashes = before.len() - before.trim_end_matches('\\').len();
            if backslashes.is_multiple_of(2) {
                let key = before.rsplit(' ').next().unwrap_or_default();
                prop_assert!(!key.is_empty() && keys.insert(key), "{:?} of {:?}", key, line);
            }
        }
        prop_assert!(keys.contains("datastream"), "{:?}", line);
    }

    #[test]
    fn numbers_of_python_are_read_as_the_same(double in any::<f64>()) {
        prop_assume!(double.is_finite());
        let printed = python::number(&format!("{double:e}")).into_owned();
        prop_assert_eq!(printed.parse::<f64>().unwrap().to_bits(), double.to_bits(), "{}", printed);
    }
}
