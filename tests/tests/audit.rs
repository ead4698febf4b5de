//! Messages to the kernel's audit: those that the kernel takes become rows and alerts, whichever way they are sent, and
//! forged ones do not. The kernel's audit is as the host has it; see `audit_real` for its other states.

use std::process::Command;

use sensor_tests::{Mark, Sensor, assert_columns, programs};
use serde_json::{Value, json};

/// Ends a test's messages: once it is a row, all before it are.
fn last(sensor: &Sensor, mark: &Mark) {
    let text = format!("op=last {} res=success", mark.word());
    tell(&["sendto", "1120", &text]);
    sensor.until("the row of the last message", || {
        messages(sensor).iter().any(|row| row["message"] == text.as_str()).then_some(())
    });
}

/// The rows of audit messages, less the last.
fn messages(sensor: &Sensor) -> Vec<Value> {
    sensor.rows("audit_user_msg")
}

fn others(sensor: &Sensor) -> Vec<Value> {
    let mut rows = messages(sensor);
    rows.retain(|row| !row["message"].as_str().is_some_and(|text| text.starts_with("op=last")));
    rows
}

fn alerts_of(sensor: &Sensor, policy: &str) -> Vec<Value> {
    let mut alerts = sensor.alerts();
    alerts.retain(|alert| alert["strategy_name"] == policy);
    alerts
}

/// Runs the sender; gives the numbers that it printed: its pid, the kernel's answers.
fn tell(words: &[&str]) -> Vec<i64> {
    let output = Command::new(programs::tell_audit()).args(words).output().expect("the sender runs");
    let said = String::from_utf8(output.stdout).expect("numbers");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    said.split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

fn hook(sensor: &Sensor, name: &str) -> Value {
    let status = sensor.status();
    let hooks = status["hooks"].as_array().expect("hooks").clone();
    let mut of_name = hooks.into_iter().filter(|hook| hook["name"] == name && hook["attached"] == true);
    of_name.next().unwrap_or_else(|| panic!("no hook {name} is attached"))
}

/// A message as raw bytes, in hexadecimal digits.
fn datagram(said: Option<u32>, message_type: u16, text: &str) -> String {
    let len = said.unwrap_or_else(|| 16 + u32::try_from(text.len()).expect("a short text"));
    let mut bytes = len.to_ne_bytes().to_vec();
    bytes.extend(message_type.to_ne_bytes());
    bytes.extend([5, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(text.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_way_to_send_is_told_once() {
    let mark = Mark::new("ways");
    let sensor = Sensor::start(&mark.audit_config(""));
    let ways = [
        "sendto",
        "send",
        "write",
        "writev",
        "sendmsg",
        "sendmmsg",
        "sendto32",
        "sendmsg32",
        "write32",
        "uring-send",
        "uring-sendmsg",
        "uring-write",
    ];
    let mut pids = Vec::new();
    for way in ways {
        let text = format!(
            "op=login way={way} acct=\"{}\" exe=\"/usr/sbin/sshd\" hostname=? addr=203.0.113.9 terminal=/dev/pts/7 res=failed",
            mark.word()
        );
        let said = tell(&[way, "1112", &text]);
        assert_eq!(said[1..], [0], "{way}: the kernel takes it");
        pids.push((said[0], text));
    }
    last(&sensor, &mark);
    let rows = others(&sensor);
    assert_eq!(rows.len(), ways.len(), "{rows:#?}");
    let path = programs::tell_audit().canonicalize().expect("the sender's path");
    for ((pid, text), row) in pids.iter().zip(&rows) {
        assert_columns(
            row,
            [
                ("pid", json!(pid)),
                ("uid", json!(0)),
                ("type", json!(1112)),
                ("type_name", json!("USER_LOGIN")),
                ("message", json!(text)),
                ("acct", json!(mark.word())),
                ("address", json!("203.0.113.9")),
                ("terminal", json!("/dev/pts/7")),
                ("result", json!("failed")),
                ("path", json!(path)),
            ],
        );
        let start =
            row["sophos_pid"].as_str().and_then(|text| text.strip_prefix(&format!("{pid}:"))).expect("PID:START");
        assert!(start.parse::<u64>().is_ok_and(|start| start > 0), "{row:#}");
        let nanoseconds = row["unix_nano_timestamp"].as_u64().expect("a time");
        assert_eq!(row["time"], nanoseconds / 1_000_000_000);
        assert!(row["process_uuid"].is_string() && row["sensor_id"].is_string(), "{row:#}");
    }
    // An alert each, about a process whose arguments are known although it has ended.
    let alerts = sensor.until("the alerts", || {
        let alerts = alerts_of(&sensor, "Marked Message");
        (alerts.len() > ways.len()).then_some(alerts)
    });
    for ((pid, text), alert) in pids.iter().zip(&alerts) {
        assert_eq!((&alert["process_info"]["pid"], &alert["policy_type"]), (&json!(pid), &json!("auditUserMessage")));
        assert_eq!(alert["process_info"]["args"][3], text.as_str(), "{alert:#}");
        assert!(!alert["lineage"].as_array().expect("a lineage").is_empty());
        let told = &alert["notifications"][0]["message_fields"];
        assert_eq!((&told["acct"], &told["address"]), (&json!(mark.word()), &json!("203.0.113.9")), "{alert:#}");
        assert_eq!((&told["type_name"], &told["message"]), (&json!("USER_LOGIN"), &json!(text)));
    }
    assert_eq!(alerts_of(&sensor, "Forged Message"), Vec::<Value>::new());
}

/// Each message, and a rule that it must fulfil, whichever key or form tells the fact.
#[test]
fn a_fact_is_found_under_each_key_and_in_each_form() {
    let old = r#"exe="/usr/sbin/sshd" (hostname=host.test, addr=203.0.113.9, terminal=ssh res=failed)"#;
    let rest = r#"exe="/usr/sbin/sshd" hostname=203.0.113.7 addr=203.0.113.7 terminal=/dev/pts/0 res=success"#;
    let cases = [
        ("1112", format!("op=login id=0 {rest}"), r#"acct == "root" and result == "success" and accountId == 0"#),
        ("1112", "uid=0 exe=\"/usr/sbin/gdm\" hostname=? addr=? terminal=/dev/tty1 res=success".into(), r#"acct == "root""#),
        ("1100", format!("PAM: authentication acct=\"bugroot\" : {old}"), r#"acct == "bugroot" and result == "failed" and address == "203.0.113.0/24" and operation == "PAM:authentication" and terminal == "ssh""#),
        ("1100", format!("acct=bugroot: {old}"), r#"acct == "bugroot" and remoteHost == "host.test""#),
        ("1100", "PAM authentication: user=bugroot exe=\"/bin/su\" (hostname=?, addr=?, terminal=pts/0 result=Authentication failure)".into(), r#"acct == "bugroot" and result == "failed""#),
        ("1137", r#"op="x" device.rule=626C6F636B20696420 result="SUCCESS" res=success"#.into(), r#"messageFields == "device.rule=block id*""#),
        ("2501", "virt=kvm resrc=chardev reason=start vm=\"a\" new-chardev=2F6465762F6120 res=success".into(), r#"messageFields == "new-chardev=/dev/a*" and messageObject == "a""#),
        ("1102", format!("op=deleting-user-from-shadow-group bugs=\"grp\" id=0 {rest}"), r#"group == "bugs" and acct == "root""#),
        ("1116", format!("op=add-group grp=\"bugs\" {rest}"), r#"group == "bugs" and acct == "bugs""#),
        ("1116", format!("op=add-group id=0 {rest}"), r#"groupId == 0 and not acct exists"#),
        ("1112", "op=login acct=\"x\" hostname=? addr=fe80::1%eth0 terminal=ssh res=failed".into(), r#"address == "fe80::/10""#),
    ];
    let mark = Mark::new("keys");
    let policies: Vec<String> = (cases.iter().enumerate())
        .map(|(number, (message_type, _, rule))| {
            let own = format!("messageType == {message_type} and message contains \"{} case={number}.\"", mark.word());
            format!("Case {number}: {{policy: auditUserMessage, rules: ['match {own} and {rule}', default ignore]}}\n")
        })
        .collect();
    let sensor = Sensor::start(&mark.audit_config(&policies.concat()));
    for (number, (message_type, text, _)) in cases.iter().enumerate() {
        tell(&["sendto", message_type, &format!("{text} mark={} case={number}.", mark.word())]);
    }
    last(&sensor, &mark);
    sensor.until("the alerts on all messages", || {
        (alerts_of(&sensor, "Marked Message").len() > cases.len()).then_some(())
    });
    let missed: Vec<_> = (cases.iter().enumerate())
        .filter(|(number, _)| alerts_of(&sensor, &format!("Case {number}")).is_empty())
        .map(|(_, case)| case)
        .collect();
    assert!(missed.is_empty(), "{missed:#?}\n{:#?}", others(&sensor));
    let login = &others(&sensor)[0];
    assert_columns(login, [("acct", json!("root")), ("address", json!("203.0.113.7"))]);
}

#[test]
fn what_the_kernel_refuses_is_no_row_and_can_be_alerted_on() {
    let mark = Mark::new("forged");
    let sensor = Sensor::start(&mark.audit_config(""));
    let before = hook(&sensor, "audit");
    let text = format!("op=login acct=\"root\" addr=10.0.0.1 {} res=success", mark.word());
    let (eperm, refused) = (1, 111);
    for (words, answer, refusal) in [
        (&["unprivileged", "sendto"][..], eperm, Some("capability")),
        (&["unprivileged", "sendto32"], eperm, Some("capability")),
        (&["unprivileged", "uring-sendmsg"], eperm, Some("capability")),
        // Addressed explicitly, the right of who opened the socket does not count; on a connected socket it does.
        (&["opened-unprivileged", "sendto"], 0, None),
        (&["opened-unprivileged", "write"], eperm, Some("capability")),
        (&["user-namespace", "sendto"], refused, Some("user_namespace")),
        (&["pid-namespace", "sendto"], 0, None),
    ] {
        let (rows, forged) = (others(&sensor).len(), alerts_of(&sensor, "Forged Message").len());
        let said = tell(&[words, &["1112", &text]].concat());
        assert!(said.contains(&answer), "{words:?}: {said:?}");
        let (mut row, mut alert) = (Value::Null, Value::Null);
        sensor.until(&format!("what {words:?} comes to"), || {
            row = others(&sensor).get(rows).cloned().unwrap_or_default();
            alert = alerts_of(&sensor, "Forged Message").get(forged).cloned().unwrap_or_default();
            (!row.is_null() || !alert.is_null()).then_some(())
        });
        assert_eq!((row.is_null(), alert.is_null()), (refusal.is_some(), refusal.is_none()), "{words:?}");
    }
    last(&sensor, &mark);
    assert_eq!(others(&sensor).len(), 2);
    assert_eq!(alerts_of(&sensor, "Forged Message").len(), 5);
    let alert = &alerts_of(&sensor, "Forged Message")[0];
    assert_eq!(
        (&alert["process_info"]["uid"], &alert["policy_type"]),
        (&json!(65534), &json!("auditUserMessageRefused"))
    );
    let after = hook(&sensor, "audit");
    assert!(after["refused"].as_u64() >= before["refused"].as_u64().map(|refused| refused + 5), "{after:#}");
    assert_eq!(sensor.status()["losses"], json!([]));
}

#[test]
fn malformed_messages_are_refused_and_the_good_ones_beside_them_told() {
    let mark = Mark::new("malformed");
    let forged = |sensor: &Sensor| alerts_of(sensor, "Any Forged").len();
    let sensor = Sensor::start(&mark.audit_config(&format!(
        "Any Forged:\n  policy: auditUserMessageRefused\n  rules:\n    - match programName == \"{}\" and refusal in (\"length\", \
         \"kernel_type\")\n    - default ignore\n",
        programs::tell_audit().canonicalize().expect("the sender's path").display()
    )));
    let good = format!("op=good {} res=success", mark.word());
    // Alone: a header cut short, a length below the header's, one beyond the end, no text at all, a type of the kernel's.
    for raw in [
        "10000000",
        &datagram(Some(15), 1112, &good),
        &datagram(Some(4000), 1112, &good),
        &datagram(None, 1112, ""),
        &datagram(None, 1300, &good),
        &datagram(None, 1006, &good),
    ] {
        let before = forged(&sensor);
        tell(&["raw", raw]);
        sensor.until(&format!("the refusal of {raw}"), || (forged(&sensor) == before + 1).then_some(()));
    }
    assert_eq!(others(&sensor), Vec::<Value>::new());

    // A request of the audit system's own is neither. The one after a bad length is not looked at, by the kernel either.
    let before = (forged(&sensor), hook(&sensor, "audit")["filtered"].as_u64());
    let many = [
        datagram(None, 1112, &format!("{good} first")),
        datagram(None, 1000, "get the status"),
        datagram(None, 1300, &good),
        datagram(None, 1105, &format!("{good} second")),
        datagram(Some(4000), 1105, &format!("{good} third")),
    ];
    tell(&["raw", &many.concat()]);
    last(&sensor, &mark);
    let texts: Vec<_> = others(&sensor).iter().map(|row| row["message"].clone()).collect();
    assert_eq!(texts, [json!(format!("{good} first")), json!(format!("{good} second"))]);
    sensor.until("two more refusals", || (forged(&sensor) == before.0 + 2).then_some(()));
    assert!(hook(&sensor, "audit")["filtered"].as_u64() > before.1);
}

#[test]
fn long_texts_are_kept_whole_and_longer_ones_say_that_they_were_cut() {
    let mark = Mark::new("long");
    let sensor = Sensor::start(&mark.audit_config(&format!(
        "Cut Message:\n  policy: auditUserMessage\n  rules: ['match messageTruncated == true and {}', default ignore]\n",
        mark.rule_of_message()
    )));
    let text = |len: usize| {
        let start = format!("op=long {} data=", mark.word());
        format!("{start}{}", "x".repeat(len - start.len()))
    };
    // libaudit's limit, and beyond ours.
    let (whole, cut) = (text(8970), text(20_000));
    tell(&["sendto", "1120", &whole]);
    tell(&["sendto", "1120", &cut]);
    last(&sensor, &mark);
    let rows = others(&sensor);
    assert_eq!(rows[0]["message"], whole);
    let kept = rows[1]["message"].as_str().expect("a text");
    assert!(kept.len() >= 8970 && cut.starts_with(kept), "{} bytes are kept", kept.len());
    assert_eq!(alerts_of(&sensor, "Cut Message").len(), 1);
}

#[test]
fn filters_and_policies_see_what_messages_say() {
    let mark = Mark::new("rules");
    let word = mark.word();
    let sensor = Sensor::start(&format!(
        r#"
alert_output:
  outputs: [{{type: file, name: "@HOME@/alerts.jsonl"}}]
investigations:
  reporting_interval: 200ms
  sinks: [{{backend: file, name: "@HOME@/rows.jsonl"}}]
  flight_recorder:
    enabled: true
    tables:
      - name: audit_usr_msg
        filter:
          - ignore programName == "cron"
          - ignore processPid == 1
          - ignore not message contains "{word}"
          - ignore operation == "hidden"
          - default match
Failed Login From Outside:
  policy: auditUserMessage
  rules:
    - match messageType == 1100 and result == "failed" and acct == "deploy" and address == "203.0.113.0/24" and message contains "{word}"
    - default ignore
Account Added:
  policy: auditUserMessage
  rules:
    - match messageTypeName in ("ADD_USER", "USER_MGMT") and result == "success" and messageFields == "mark={word}"
    - default ignore
"#
    ));
    let auth = |acct: &str, address: &str, result: &str| {
        let text =
            format!("op=PAM:authentication acct={acct} hostname=h addr={address} terminal=ssh {word} res={result}");
        tell(&["sendto", "1100", &text]);
    };
    auth("\"deploy\"", "203.0.113.77", "failed");
    // As libaudit writes a name that is not plain; this one is plain all the same.
    auth("6465706C6F79", "203.0.113.78", "failed");
    auth("\"deploy\"", "203.0.114.77", "failed");
    auth("\"deploy\"", "203.0.113.77", "success");
    auth("\"root\"", "203.0.113.77", "failed");
    auth("\"deploy\"", "?", "failed");
    tell(&["sendto", "1114", &format!("op=add-user id=1001 mark={word} exe=\"/usr/sbin/useradd\" res=success")]);
    tell(&["sendto", "1114", &format!("op=hidden id=1001 {word} res=success")]);
    last(&sensor, &mark);
    assert_eq!(others(&sensor).len(), 7);
    let failed = alerts_of(&sensor, "Failed Login From Outside");
    assert_eq!(failed.len(), 2, "{failed:#?}");
    assert_eq!(alerts_of(&sensor, "Account Added").len(), 1);
}

#[test]
fn a_session_knows_its_login() {
    let mark = Mark::new("session");
    let word = mark.word();
    let sensor = Sensor::start(&mark.audit_config(&format!(
        r#"
Run From Outside:
  policy: program
  rules:
    - match loginAddress == "203.0.113.0/24" and loginAccount == "deploy" and loginUid == 4321 and args == "{word}"
    - default ignore
Run By A Child Of The Session:
  policy: program
  rules:
    - match any lineage.loginAddress == "203.0.113.0/24" and args == "{word}"
    - default ignore
"#
    )));
    let login = |address: &str, result: &str| {
        let text =
            format!("op=login acct=\"deploy\" mark={word} hostname=? addr={address} terminal=/dev/pts/3 res={result}");
        let tiny = programs::tiny();
        tell(&["session", "4321", "then", tiny.to_str().expect("a path"), word, "--", "sendto", "1112", &text])
    };
    let (inside, outside) = (login("198.51.100.1", "success"), login("203.0.113.50", "success"));
    let failed = login("203.0.113.50", "failed");
    last(&sensor, &mark);
    let rows = others(&sensor);
    let sessions: Vec<u64> = rows.iter().map(|row| row["session_id"].as_u64().expect("a session")).collect();
    assert_eq!(rows.len(), 3);
    assert!(sessions[0] != sessions[1] && rows.iter().all(|row| row["loginuid"] == 4321), "{rows:#?}");
    // The program that ran after the login, by its pid: the last number that the sender printed.
    for policy in ["Run From Outside", "Run By A Child Of The Session"] {
        let pid = *outside.last().expect("a pid");
        let alerts = sensor.until(policy, || Some(alerts_of(&sensor, policy)).filter(|alerts| !alerts.is_empty()));
        let pids: Vec<_> = alerts.iter().map(|alert| alert["process_info"]["pid"].clone()).collect();
        assert_eq!(pids, [json!(pid)], "{policy}: not {inside:?}, not {failed:?}");
    }
}

#[test]
fn the_status_names_the_rung() {
    let sensor = Sensor::start(&Mark::new("rung").audit_config(""));
    let status = sensor.status();
    let rungs: Vec<&Value> =
        status["hooks"].as_array().expect("hooks").iter().filter(|hook| hook["name"] == "audit").collect();
    assert_eq!(rungs.iter().map(|hook| hook["rung"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    // One serves, and each other says why it does not.
    assert_eq!(rungs.iter().filter(|hook| hook["attached"] == true).count(), 1, "{rungs:#?}");
    assert!(rungs.iter().all(|hook| hook["attached"] == true || hook["absent"].is_string()), "{rungs:#?}");
}

#[test]
fn other_hooks_take_a_restart_and_the_reload_says_so() {
    let mark = Mark::new("restart");
    let sensor = Sensor::start(&mark.audit_config(""));
    let serving = hook(&sensor, "audit")["hook"].clone();
    for more in ["audit: {hooks: \"off\"}", "audit: {multicast_fallback: true}"] {
        sensor.write_config(&mark.audit_config(more));
        let said = sensor.reload();
        assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains("hooks: best") && said.stdout.contains("systemctl restart"), "{}", said.stdout);
        sensor.until("word in the log", || sensor.log().contains("systemctl restart").then_some(()));
        assert_eq!(hook(&sensor, "audit")["hook"], serving);
    }
    // Messages come as before, and with the settings of the start there is nothing to say.
    last(&sensor, &mark);
    sensor.write_config(&mark.audit_config(""));
    let said = sensor.reload();
    assert!(said.code == Some(0) && !said.stdout.contains("restart"), "{}", said.stdout);
}
