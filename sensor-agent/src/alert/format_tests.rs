//! CEF, ECS and OCSF: whatever a process calls itself and however short the line has to be, it is valid. That the names
//! are those of the published schemas is tested in the crate of tests.

mod kinds;

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};
use schema::EventType;
use serde_json::{Value, json};

use super::{Alert, cef, ecs, ocsf, shorten::LEAST_TEXT};
use crate::{
    event::{AuditMessage, Detail, Image, Process, ProcessKey, build::build},
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
        (rest[key_start(at)..at].to_owned(), unescaped(&rest[at + 1..end]))
    });
    (head, pairs.collect())
}

/// A value as it was before it was escaped.
fn unescaped(value: &str) -> String {
    let (mut out, mut chars) = (String::new(), value.chars());
    while let Some(char) = chars.next() {
        out.push(match (char, char == '\\') {
            (char, false) => char,
            _ => match chars.next().expect("an escape") {
                'n' => '\n',
                'r' => '\r',
                char => char,
            },
        });
    }
    out
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

/// An alert on an event that is written down, of a policy of this message type.
fn alert_on(event: &Value, message_type: MessageType) -> Alert {
    let (event, host) = build(event).unwrap_or_else(|errors| panic!("{event}: {errors:?}"));
    let policy = Policy { message_type, ..(*Alert::sample().policy).clone() };
    Alert::new(Arc::new(policy), "match uid == 0".into(), event, Arc::new(host))
}

fn message(type_name: &str, text: &str) -> Value {
    json!({
        "messageTypeName": type_name, "message": text, "programName": "/usr/sbin/sshd", "processPid": 7, "uid": 0,
        "userName": "root", "hostname": "here.test", "sensorId": "5", "sessionId": 3,
    })
}

fn parsed(write: Write, alert: &Alert) -> Value {
    serde_json::from_str(&line(write, alert, usize::MAX)).unwrap()
}

#[test]
fn what_was_loaded_into_the_kernel_is_in_every_format() {
    let event = json!({
        "moduleName": "dummy", "isModuleUnsigned": true, "programName": "/usr/bin/kmod", "processPid": 7, "uid": 0,
        "containerId": "4f6e1c0d2b3a",
    });
    let (found, recorded) = (alert_on(&event, MessageType::Alert), alert_on(&event, MessageType::Audit));
    assert_eq!(found.scope.word(), "Node", "the kernel is the host's, whoever loads the module");
    let (_, pairs) = parse_cef(&line(cef::write, &found, usize::MAX));
    assert_eq!(["cs6Label", "cs6", "dproc"].map(|key| value(&pairs, key)), ["object", "dummy", "/usr/bin/kmod"]);
    let ecs = parsed(ecs::write, &found);
    assert_eq!(ecs["sensor"]["event"], json!({"module_name": "dummy", "module_taints": 1 << 13}));
    let ocsf = parsed(ocsf::write, &recorded);
    assert_eq!((&ocsf["driver"]["file"]["name"], &ocsf["actor"]["process"]["pid"]), (&json!("dummy"), &json!(7)));
    let data = &parsed(ocsf::write, &found)["evidences"][0]["data"];
    assert_eq!(data["module_name"], "dummy");
}

#[test]
fn a_failed_login_has_its_account_and_its_origin_in_every_format() {
    let text = "op=PAM:authentication acct=\"bob\" exe=\"/usr/sbin/sshd\" hostname=far.test addr=203.0.113.7 terminal=ssh res=failed";
    let found = alert_on(&message("USER_AUTH", text), MessageType::Alert);
    let (_, pairs) = parse_cef(&line(cef::write, &found, usize::MAX));
    for (key, told) in [
        ("act", "USER_AUTH"),
        ("outcome", "failure"),
        ("duser", "bob"),
        ("suser", "root"),
        ("suid", "0"),
        ("sproc", "/usr/sbin/sshd"),
        ("src", "203.0.113.7"),
        ("shost", "far.test"),
        ("cs6Label", "terminal"),
        ("cs6", "ssh"),
    ] {
        assert_eq!(value(&pairs, key), told, "{key}");
    }
    assert!(pairs.iter().all(|(key, _)| key != "cn1" && key != "duid"));

    let ecs = parsed(ecs::write, &found);
    assert_eq!((&ecs["user"]["name"], &ecs["source"]["ip"]), (&json!("bob"), &json!("203.0.113.7")));
    assert_eq!((&ecs["source"]["domain"], &ecs["event"]["action"]), (&json!("far.test"), &json!("USER_AUTH")));
    assert_eq!((&ecs["related"]["user"], &ecs["related"]["ip"]), (&json!(["bob", "root"]), &json!(["203.0.113.7"])));
    assert_eq!(ecs["sensor"]["message"]["terminal"], "ssh");

    let ocsf = parsed(ocsf::write, &found);
    let evidence = &ocsf["evidences"][0];
    assert_eq!((&evidence["user"]["name"], &evidence["src_endpoint"]["ip"]), (&json!("bob"), &json!("203.0.113.7")));
    assert_eq!(
        (&evidence["data"]["class_name"], &evidence["data"]["status"]),
        (&json!("Authentication"), &json!("Failure"))
    );
    assert_eq!(ocsf["actor"]["process"]["pid"], 7);

    let ocsf = parsed(ocsf::write, &alert_on(&message("USER_AUTH", text), MessageType::Audit));
    assert_eq!((&ocsf["class_name"], &ocsf["activity_name"]), (&json!("Authentication"), &json!("Logon")));
    assert_eq!((&ocsf["user"]["name"], &ocsf["src_endpoint"]["ip"]), (&json!("bob"), &json!("203.0.113.7")));
    assert_eq!((&ocsf["is_remote"], &ocsf["service"]["name"]), (&json!(true), &json!("sshd")));
    assert_eq!(ocsf["session"], json!({"uid": "3", "terminal": "ssh"}));
}

#[test]
fn a_changed_account_is_the_target_and_its_changer_the_user() {
    let mut event = message(
        "ADD_USER",
        "op=add-user id=1001 exe=\"/usr/sbin/useradd\" hostname=here.test addr=? terminal=pts/0 res=success",
    );
    event["acct"] = "new".into();
    let found = alert_on(&event, MessageType::Alert);
    let ecs = parsed(ecs::write, &found);
    assert_eq!((&ecs["user"]["name"], &ecs["user"]["target"]), (&json!("root"), &json!({"id": "1001", "name": "new"})));
    assert_eq!(ecs.get("source"), None, "{ecs:#}");
    let (_, pairs) = parse_cef(&line(cef::write, &found, usize::MAX));
    assert_eq!((value(&pairs, "duser"), value(&pairs, "duid"), value(&pairs, "suser")), ("new", "1001", "root"));
    let ocsf = parsed(ocsf::write, &alert_on(&event, MessageType::Audit));
    assert_eq!(ocsf["user"], json!({"name": "new", "uid": "1001"}));
    assert_eq!(ocsf["actor"]["user"], json!({"name": "root", "uid": "0"}));

    let group =
        message("ADD_GROUP", "op=add-group id=27 exe=\"/usr/sbin/groupadd\" hostname=? addr=? terminal=? res=success");
    let ecs = parsed(ecs::write, &alert_on(&group, MessageType::Alert));
    assert_eq!((&ecs["group"], &ecs["user"]["target"]), (&json!({"id": "27"}), &Value::Null));
    let ocsf = parsed(ocsf::write, &alert_on(&group, MessageType::Audit));
    assert_eq!((&ocsf["group"], ocsf.get("user")), (&json!({"uid": "27"}), None));
    let (_, pairs) = parse_cef(&line(cef::write, &alert_on(&group, MessageType::Alert), usize::MAX));
    assert_eq!(["cs6Label", "cs6", "suser"].map(|key| value(&pairs, key)), ["group", "27", "root"]);
    assert!(pairs.iter().all(|(key, _)| key != "duser" && key != "duid"), "a group is no user: {pairs:?}");

    let member = message("USER_MGMT", "op=add-user-to-group grp=\"wheel\" acct=\"bob\" terminal=pts/0 res=success");
    let (_, pairs) = parse_cef(&line(cef::write, &alert_on(&member, MessageType::Alert), usize::MAX));
    assert_eq!(["duser", "cs6Label", "cs6"].map(|key| value(&pairs, key)), ["bob", "group", "wheel"]);
}

#[test]
fn addresses_of_both_kinds_have_their_keys() {
    let text = |address| format!("op=login acct=\"bob\" hostname=? addr={address} terminal=ssh res=failed");
    for (address, key, told) in [
        ("fe80::1%eth0", "c6a2", "fe80::1"),
        ("::ffff:203.0.113.7", "src", "203.0.113.7"),
        ("2001:db8::7", "c6a2", "2001:db8::7"),
    ] {
        let alert = alert_on(&message("USER_LOGIN", &text(address)), MessageType::Alert);
        let (_, pairs) = parse_cef(&line(cef::write, &alert, usize::MAX));
        assert_eq!(value(&pairs, key), told);
        assert_eq!(parsed(ecs::write, &alert)["source"]["ip"], told);
    }
}

#[test]
fn cef_marks_what_is_cut_and_keeps_lines() {
    let mut event =
        json!({"processPid": 9, "programName": "/bin/x", "args": ["x", "one\ntwo\r\nthree = \\n"], "lineage": []});
    let ancestor = |n: usize| json!({"processPid": 2, "programName": format!("/bin/{}{n}", "y".repeat(100))});
    event["lineage"] = (0..30).map(ancestor).collect();
    let (_, pairs) = parse_cef(&line(cef::write, &alert_on(&event, MessageType::Alert), usize::MAX));
    assert_eq!(value(&pairs, "cs1"), "x one\ntwo\r\nthree = \\n");
    assert!(value(&pairs, "cs4").ends_with("y29") && pairs.iter().all(|(key, _)| key != "cn1"), "{pairs:?}");
    // Of whom nothing is known.
    event["lineage"] = json!([{"processPid": 2, "programName": "/bin/y"}, {"processPid": 1}]);
    let (_, pairs) = parse_cef(&line(cef::write, &alert_on(&event, MessageType::Alert), usize::MAX));
    assert_eq!(value(&pairs, "cs4"), "/bin/y < ?");
    // More than the format takes: whole programs, and a mark.
    event["lineage"] = (0..60).map(ancestor).collect();
    event["args"] = json!(["x", "z".repeat(5000)]);
    let alert = alert_on(&event, MessageType::Alert);
    let (_, pairs) = parse_cef(&line(cef::write, &alert, usize::MAX));
    let lineage: Vec<_> = value(&pairs, "cs4").split(" < ").collect();
    assert!(lineage.len() > 30 && *lineage.last().unwrap() == "…", "{lineage:?}");
    assert!(lineage[..lineage.len() - 1].iter().enumerate().all(|(n, path)| path.ends_with(&format!("y{n}"))));
    assert!(value(&pairs, "cs1").ends_with("z…"));
    assert_eq!((value(&pairs, "cn1Label"), value(&pairs, "cn1")), ("truncated", "1"));
    for max_bytes in [1200, LEAST_TEXT] {
        let (_, pairs) = parse_cef(&line(cef::write, &alert, max_bytes));
        assert_eq!(value(&pairs, "cn1"), "1", "{max_bytes}");
        assert!(pairs.iter().all(|(_, text)| !text.ends_with(" < ")), "{pairs:?}");
    }
}

#[test]
fn ocsf_has_what_readers_insist_on() {
    let ocsf = parsed(ocsf::write, &Alert::sample());
    assert_eq!(ocsf["metadata"]["product"]["vendor_name"], "sophoslinuxsensor");
    assert_eq!(ocsf["finding_info"]["analytic"]["uid"], "Alert Tester");
    // A technique without an id is none for them.
    assert_eq!(ocsf["finding_info"]["attacks"], json!([{"tactic": {"name": "Execution"}}]));
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
        text in prop::option::of(vec(any::<u8>(), 0..600)),
        message_type in prop::sample::select(vec![1100_u16, 1102, 1105, 1114, 1116, 1123, 1130, 1199, 2301]),
        max_bytes in LEAST_TEXT..8_000_usize,
    ) {
        let mut alert = Alert::sample();
        let mut image = Image { path: path.clone(), ..Image::default() };
        image.args.set(&args, b"", args.len() as u64, false);
        let parent = Some(Arc::clone(&alert.event.process));
        alert.event.process =
            Arc::new(Process { key: ProcessKey::new(7, 1), image: Arc::new(image), parent, ..Process::default() });
        if let Some(text) = text {
            let text = [b"op=x acct=\"", &text[..], b"\" hostname=", &text[..], b" addr=::1 terminal=", &text[..]].concat();
            alert.event.kind = EventType::AuditMessage;
            alert.event.detail = Detail::Audit(Arc::new(AuditMessage::new(message_type, &text, text.len(), 0)));
        }
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

#[test]
fn both_ends_of_a_connection_have_their_places_in_every_format() {
    let mut event = json!({
        "srcAddr": "192.0.2.1", "srcPort": 40000, "dstAddr": "2001:db8::1", "dstPort": 443, "family": "ipv6", "protocol": "tcp",
        "direction": "outbound", "networkResult": "failed", "networkErrno": 111, "programName": "/usr/bin/curl", "processPid": 7,
        "hostname": "here.test",
    });
    let (found, recorded) = (alert_on(&event, MessageType::Alert), alert_on(&event, MessageType::Audit));
    let (_, pairs) = parse_cef(&line(cef::write, &found, usize::MAX));
    assert_eq!(
        ["src", "spt", "c6a3", "dpt", "proto", "deviceDirection", "shost", "dproc"].map(|key| value(&pairs, key)),
        ["192.0.2.1", "40000", "2001:db8::1", "443", "TCP", "1", "here.test", "/usr/bin/curl"]
    );
    let ecs = parsed(ecs::write, &found);
    assert_eq!(ecs["source"], json!({"address": "192.0.2.1", "ip": "192.0.2.1", "port": 40000}));
    assert_eq!(ecs["destination"]["ip"], "2001:db8::1");
    assert_eq!(ecs["network"], json!({"type": "ipv6", "transport": "tcp", "direction": "egress"}));
    let ocsf = parsed(ocsf::write, &recorded);
    assert_eq!((&ocsf["type_uid"], &ocsf["dst_endpoint"]["port"]), (&json!(400_104), &json!(443)));
    assert_eq!(ocsf["connection_info"]["direction_id"], 2);
    event["direction"] = "inbound".into();
    let (_, pairs) = parse_cef(&line(cef::write, &alert_on(&event, MessageType::Alert), usize::MAX));
    assert_eq!(["deviceDirection", "dhost"].map(|key| value(&pairs, key)), ["0", "here.test"]);
}

#[test]
fn a_container_is_told_with_what_is_known_of_it() {
    let digest = "5c".repeat(32);
    let mut event = json!({
        "programName": "/bin/x", "processPid": 7, "uid": 0, "containerId": "4f6e1c0d2b3a", "containerName": "web",
        "imageName": "registry.example.test/web", "imageDigest": format!("sha256:{digest}"), "isPrivileged": true,
    });
    let found = alert_on(&event, MessageType::Alert);
    let container = &parsed(ecs::write, &found)["container"];
    assert_eq!(
        container["image"],
        json!({"name": "registry.example.test/web", "hash": {"all": [format!("sha256:{digest}")]}})
    );
    assert_eq!(container["security_context"]["privileged"], true);
    let process = |alert: &Alert| parsed(ocsf::write, alert)["evidences"][0]["process"].clone();
    assert_eq!(process(&found)["container"]["hash"]["value"], digest.as_str());
    for unreported in ["containerName", "imageName", "imageDigest", "isPrivileged"] {
        event.as_object_mut().unwrap().remove(unreported);
    }
    let found = alert_on(&event, MessageType::Alert);
    assert_eq!(parsed(ecs::write, &found)["container"], json!({"id": "4f6e1c0d2b3a"}));
    assert_eq!(process(&found)["container"], json!({"uid": "4f6e1c0d2b3a"}));
}
