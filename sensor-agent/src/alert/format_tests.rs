//! CEF, ECS and OCSF: whatever a process calls itself and however short the line has to be, it is valid. That the names
//! are those of the published schemas is tested in the crate of tests.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::{Alert, cef, ecs, ocsf, shorten::LEAST_TEXT};
use crate::{
    event::{Image, Process, ProcessKey},
    policy::{MessageType, Policy},
};

type Write = fn(&mut Vec<u8>, &Alert, usize) -> bool;

fn line(write: Write, alert: &Alert, max_bytes: usize) -> String {
    let mut out = b"before".to_vec();
    write(&mut out, alert, max_bytes);
    let line = out.strip_prefix(b"before").unwrap().strip_suffix(b"\n").unwrap();
    assert!(line.len() <= max_bytes.max(LEAST_TEXT), "{} > {max_bytes}", line.len());
    String::from_utf8(line.to_vec()).unwrap()
}

/// The header's fields and the pairs of a CEF line.
fn parse_cef(line: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (mut head, mut rest) = (vec![String::new()], line);
    while head.len() < 8 {
        let (part, after) = rest.split_at(rest.find(['\\', '|']).expect("a header of seven fields"));
        head.last_mut().unwrap().push_str(part);
        if let Some(after) = after.strip_prefix('|') {
            head.push(String::new());
            rest = after;
        } else {
            head.last_mut().unwrap().push_str(&after[1..2]);
            rest = &after[2..];
        }
    }
    head.pop();
    // An equals sign that is not escaped ends a key; the key begins behind the blank before it.
    let bytes = rest.as_bytes();
    let mut equals = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'=' => equals.push(at),
            _ => {}
        }
        at += 1;
    }
    let key_start = |equals: usize| rest[..equals].rfind(' ').map_or(0, |blank| blank + 1);
    let pairs = equals.iter().enumerate().map(|(number, &at)| {
        let end = equals.get(number + 1).map_or(rest.len(), |&next| key_start(next).saturating_sub(1));
        let value = rest[at + 1..end].replace("\\=", "=").replace("\\\\", "\\");
        (rest[key_start(at)..at].to_owned(), value)
    });
    (head, pairs.collect())
}

fn value<'a>(pairs: &'a [(String, String)], key: &str) -> &'a str {
    &pairs.iter().find(|(known, _)| known == key).unwrap_or_else(|| panic!("no {key}")).1
}

#[test]
fn cef_says_what_happened() {
    let alert = Alert::sample();
    let (head, pairs) = parse_cef(&line(cef::write, &alert, usize::MAX));
    assert_eq!(head[0], "CEF:0");
    assert_eq!(head[4..], ["program", "Alert Tester", "8"]);
    assert_eq!(value(&pairs, "externalId"), alert.uuid.to_string());
    assert_eq!(value(&pairs, "rt"), "1700004001500");
    assert_eq!(value(&pairs, "dproc"), "/usr/bin/wget");
    assert_eq!(value(&pairs, "cs1"), "wget http://example.test/");
    assert_eq!(value(&pairs, "cs2"), r#"match programName == "/usr/bin/wget""#);
    assert_eq!(value(&pairs, "cs4"), "/usr/bin/bash < /usr/lib/systemd/systemd");
    assert_eq!((value(&pairs, "spid"), value(&pairs, "sproc")), ("4000", "/usr/bin/bash"));
}

#[test]
fn ecs_says_what_happened() {
    let alert = Alert::sample();
    let json: Value = serde_json::from_str(&line(ecs::write, &alert, usize::MAX)).unwrap();
    assert_eq!(json["@timestamp"], "2023-11-14T23:20:01.500000000Z");
    assert_eq!((&json["event"]["kind"], &json["event"]["id"]), (&"alert".into(), &alert.uuid.to_string().into()));
    assert_eq!(json["process"]["parent"]["executable"], "/usr/bin/bash");
    assert_eq!(json["process"]["args"], serde_json::json!(["wget", "http://example.test/"]));
    assert_eq!(json["threat"]["tactic"]["name"][0], "Execution");
    assert_eq!(json["orchestrator"]["resource"]["name"], "web-0");
}

#[test]
fn ocsf_says_what_happened() {
    let mut alert = Alert::sample();
    let json: Value = serde_json::from_str(&line(ocsf::write, &alert, usize::MAX)).unwrap();
    assert_eq!((&json["class_uid"], &json["type_uid"]), (&2004.into(), &200_401.into()));
    assert_eq!(json["finding_info"]["uid"], alert.uuid.to_string());
    assert_eq!(json["evidences"][0]["process"]["ancestry"][1]["pid"], 1);
    alert.policy = Arc::new(Policy { message_type: MessageType::Audit, ..(*alert.policy).clone() });
    let json: Value = serde_json::from_str(&line(ocsf::write, &alert, usize::MAX)).unwrap();
    assert_eq!((&json["class_uid"], &json["type_uid"]), (&1007.into(), &100_701.into()));
    assert_eq!(json["actor"]["process"]["pid"], 4_000);
    assert_eq!(json["process"]["cmd_line"], "wget http://example.test/");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_form_is_valid_at_any_length(
        path in prop_oneof![vec(any::<u8>(), 0..200), "[|=\\\\\n\r x]{0,20}".prop_map(String::into_bytes)],
        args in vec(any::<u8>(), 0..3000),
        name in "[\\PC\\x00-\\x1f|=\\\\]{0,80}",
        labels in vec((".{0,20}", ".{0,200}"), 0..20),
        audit: bool,
        max_bytes in LEAST_TEXT..8_000_usize,
    ) {
        let mut alert = Alert::sample();
        let mut image = Image { path: path.clone(), ..Image::default() };
        image.args.set(&args, b"", args.len() as u64, false);
        let parent = Some(Arc::clone(&alert.event.process));
        alert.event.process =
            Arc::new(Process { key: ProcessKey::new(7, 1), image: Arc::new(image), parent, ..Process::default() });
        let message_type = if audit { MessageType::Audit } else { MessageType::Alert };
        alert.policy = Arc::new(Policy { name: name.clone(), labels, message_type, ..(*alert.policy).clone() });

        let text = line(cef::write, &alert, max_bytes);
        prop_assert!(!text.contains(char::is_control));
        let (head, pairs) = parse_cef(&text);
        prop_assert!(crate::alert::printable(&name).starts_with(&head[5]), "{:?} {:?}", name, head[5]);
        prop_assert_eq!(value(&pairs, "externalId"), alert.uuid.to_string());
        for write in [ecs::write as Write, ocsf::write as Write] {
            let text = line(write, &alert, max_bytes);
            prop_assert!(!text.contains(char::is_control));
            let json: Value = serde_json::from_str(&text).unwrap();
            let found = [&json["event"]["id"], &json["metadata"]["uid"]];
            prop_assert!(found.contains(&&Value::from(alert.uuid.to_string())));
        }
    }
}
