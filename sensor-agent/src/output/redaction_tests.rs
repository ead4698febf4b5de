//! No form of an alert, of a row or of what is shown to who looks on has a secret in it.

use std::sync::{Arc, LazyLock};

use diagnostic::{Report, Span, Spanned};
use proptest::prelude::*;
use schema::{EventType, TABLES};
use serde_json::json;

use super::format::RowFormat;
use super::rows::RowTexts;
use crate::alert::{Alert, Template, cef, ecs, json, ocsf};
use crate::event::build::build;
use crate::event::json::{EventWriter, as_text};
use crate::event::{AuditMessage, Detail, Event, Host, fields::FIELDS};
use crate::live;
use crate::policy::Policy;
use crate::redaction::{MARK, Redaction};

/// All that can be made of an event.
fn forms(event: &Event, host: &Host) -> Vec<(&'static str, Vec<u8>)> {
    let policy = Arc::new(Policy { name: "P".to_owned(), ..Policy::default() });
    let alert = Alert::new(policy, "match uid == 0".into(), event.clone(), Arc::new(host.clone()));
    let mut forms = Vec::new();
    let mut form = |name, write: &mut dyn FnMut(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        forms.push((name, out));
    };
    for bytes in [usize::MAX, 2048] {
        form("JSON", &mut |out| {
            json::write(out, &alert, bytes);
        });
        form("CEF", &mut |out| {
            cef::write(out, &alert, bytes);
        });
        form("ECS", &mut |out| {
            ecs::write(out, &alert, bytes);
        });
        form("OCSF", &mut |out| {
            ocsf::write(out, &alert, bytes);
        });
    }
    let mut report = Report::default();
    let span = Span { source: report.add_source("template", ""), bytes: 0..0 };
    let all = Spanned { value: "{{ . }} {{ .ProcessInfo }} {{ .Lineage }}".to_owned(), span, verbatim: false };
    if let Some(template) = Template::parse(&all, &mut report) {
        form("a template", &mut |out| {
            out.extend_from_slice(template.render(&alert).ok().flatten().unwrap_or_default().as_bytes());
        });
    }
    form("messages to Central", &mut |out| out.extend(super::target::mcs::forms_of(&alert, event, host)));
    form("an event in JSON", &mut |out| EventWriter::default().write(out, event, host));
    form("a line", &mut |out| out.extend(format!("{:?}", live::of_event(event, host)).into_bytes()));
    form("the line of an alert", &mut |out| out.extend(format!("{:?}", live::of_alert(&alert)).into_bytes()));
    // What Parquet and every other table has.
    form("columns", &mut |out| {
        out.extend(FIELDS.iter().filter_map(|field| as_text(field.of(event, host))).collect::<String>().into_bytes());
    });
    for table in TABLES.iter().filter(|table| table.kinds.contains(&event.kind)) {
        for format in [RowFormat::Json, RowFormat::Ocsf] {
            form("a row", &mut |out| RowTexts::new(format).write(out, table, event, host));
        }
    }
    forms
}

fn holds(text: &[u8], what: &str) -> bool {
    memchr::memmem::find(text, what.as_bytes()).is_some()
}

/// An event of a program, whose parent has a secret, too, and a message.
fn events(args: &[String]) -> Vec<(Event, Host)> {
    let given = json!({
        "programName": "/bin/x", "args": args, "processPid": 9, "uid": 0,
        "lineage": [{"programName": "/bin/y", "args": args, "processPid": 8}, {"programName": "/bin/z", "processPid": 1}],
    });
    let (event, host) = build(&given).expect("the fields exist");
    let line = args.join(" ");
    let digits: String = line.bytes().map(|byte| format!("{byte:02X}")).collect();
    let text = format!("op=x cmd={digits} msg='{line}'");
    let message = Detail::Audit(Arc::new(AuditMessage::new(1123, text.as_bytes(), text.len(), 0)));
    let audit = Event { kind: EventType::AuditMessage, detail: message, ..event.clone() };
    let (trace, _) =
        build(&json!({"eventType": "TRACING_EVENT_TYPE_ACCESS", "targetCommandLine": line, "targetPid": 7}))
            .expect("the fields exist");
    vec![(event, host.clone()), (audit, host.clone()), (trace, host)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_that_was_taken_out_is_left_in_any_form(
        secret in "Q[a-z0-9]{9,24}Z", form in 0_usize..9, before in "[a-z/. -]{0,20}", behind in "[a-z/. -]{0,20}",
    ) {
        let args: Vec<String> = match form {
            0 => vec!["x".into(), format!("--password={secret}")],
            1 => vec!["x".into(), "--token".into(), secret.clone()],
            2 => vec!["mysql".into(), format!("-p{secret}")],
            3 => vec!["curl".into(), format!("https://me:{secret}@host.test/a")],
            4 => vec!["curl".into(), "-H".into(), format!("Authorization: Bearer {secret}")],
            5 => vec!["env".into(), format!("AWS_SECRET_ACCESS_KEY={secret}")],
            6 => vec!["sh".into(), "-c".into(), format!("export DB_PASSWORD='{secret}'; id")],
            7 => vec!["curl".into(), "-d".into(), format!("{{\"token\":\"{secret}\"}}")],
            _ => vec!["x".into(), format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----")],
        };
        let args = [&["p".to_owned(), before][..], &args, &[behind]].concat();
        let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
        static REDACTION: LazyLock<Redaction> = LazyLock::new(Redaction::default);
        let redaction = &*REDACTION;
        for (event, host) in events(&args) {
            prop_assert!(forms(&event, &host).iter().any(|(_, text)| holds(text, &secret)), "it is there to be taken out");
            let told = forms(&redaction.event(&event), &host);
            prop_assert!(told.iter().any(|(_, text)| holds(text, MARK)), "it is marked");
            for (form, text) in told {
                let text_shown = String::from_utf8_lossy(&text);
                prop_assert!(!holds(&text, &secret) && !holds(&text, &hexadecimal), "{form}: {text_shown}");
            }
        }
    }
}
