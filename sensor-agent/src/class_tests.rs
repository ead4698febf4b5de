//! Whatever class an event is of: rules can ask for what it has, its rows are in every format, and every alert tells it. A new
//! class is held to this by being in the list.

use std::sync::Arc;

use diagnostic::{Report, Span, Spanned};
use schema::{EventType, Owner, Seen, TABLES, Type, Values};
use serde_json::{Map, Value, json};

use crate::alert::{Alert, cef, ecs, ocsf};
use crate::event::build::build;
use crate::event::fields::{FIELDS, Field, by_column};
use crate::event::json::{RowWriter, as_line, as_text};
use crate::event::{Event, Host};
use crate::policy::{MessageType, Policy};
use crate::rules::{Chain, Lists, MissingDefault, Scratch, Verdict, compile};

/// Kinds whose fields follow from each other: the sensor's own of processes, and those of messages, which are read off a text.
/// They have tests of their own.
fn is_of_acts(kind: &EventType) -> bool {
    use schema::Class::{Audit, Process, Sensor};
    !matches!(kind.class(), Process | Audit | Sensor)
}

/// What only events of this kind's class have.
fn own(kind: EventType) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.owner == Owner::Class(kind.class()) && field.applies_to(Seen::only(kind)))
}

/// A value that the field can have.
fn sample(field: &Field) -> Value {
    match field.ty {
        Type::Bool => true.into(),
        Type::Number | Type::Size | Type::Duration | Type::Time => match field.values {
            Values::Within(ranges) => (*ranges[0].end()).into(),
            _ => 1.into(),
        },
        Type::Text => "some-text".into(),
        Type::Path => "/some/path".into(),
        Type::Texts => json!(["some-text"]),
        Type::Numbers => json!([1]),
        Type::Word(words) => (*words.last().expect("it has words")).into(),
        Type::Address => "203.0.113.7".into(),
    }
}

fn written(kind: EventType) -> Map<String, Value> {
    let mut event = json!({"eventType": kind.word(), "programName": "/bin/actor", "processPid": 7, "time": 5});
    let map = event.as_object_mut().expect("a map");
    map.extend(own(kind).map(|field| (field.name.to_owned(), sample(field))));
    let parts = kind.described().parts.iter().filter_map(|part| by_column(part.column));
    map.extend(parts.map(|field| (field.name.to_owned(), sample(field))));
    std::mem::take(map)
}

fn built(kind: EventType) -> (Event, Host) {
    let map = Value::Object(written(kind));
    build(&map).unwrap_or_else(|errors| panic!("{map}: {errors:?}"))
}

/// Whether a rule of one condition matches.
fn holds(condition: &str, event: &Event, host: &Host) -> bool {
    let text = format!("match {condition}");
    let mut report = Report::default();
    let source = report.add_source("rules", &text);
    let span = |bytes| Span { source, bytes };
    let rules = [Spanned { value: text.clone(), span: span(0..text.len()), verbatim: true }];
    let all = span(0..text.len());
    let chain =
        Chain { name: "test", rules: &rules, span: &all, on_missing_default: MissingDefault::Is(Verdict::Ignore) };
    let set = compile(event.kind.class(), &[chain], &Lists::default(), &mut report);
    assert!(!report.has_errors(), "{condition}: {:?}", report.diagnostics());
    let mut found = false;
    set.matches(event, host, &mut Scratch::default(), &mut |_, _| found = true);
    found
}

#[test]
fn rules_can_ask_for_what_an_event_has() {
    for kind in EventType::ALL.into_iter().filter(is_of_acts) {
        let (event, host) = built(kind);
        assert!(holds(&format!("eventType == \"{}\"", kind.word()), &event, &host), "{}", kind.word());
        for field in own(kind) {
            let value = as_text(field.of(&event, &host)).unwrap_or_else(|| panic!("{} is not kept", field.name));
            let condition = match field.ty {
                Type::Bool => format!("{} == true", field.name),
                Type::Text | Type::Path | Type::Word(_) | Type::Address => format!("{} == \"{value}\"", field.name),
                Type::Texts | Type::Numbers => continue,
                _ => format!("{} == {value}", field.name),
            };
            assert!(holds(&condition, &event, &host), "{condition}");
            assert!(!holds(&format!("not ({condition})"), &event, &host), "{condition}");
        }
    }
}

#[test]
fn rows_are_events_again_and_have_their_message() {
    for table in TABLES.into_iter().filter(|table| table.is_filled()) {
        for &kind in table.kinds.iter().filter(|kind| is_of_acts(kind)) {
            let (event, host) = built(kind);
            let writer = RowWriter::new(table);
            let row = |event: &Event, host: &Host| {
                let mut out = Vec::new();
                writer.write(&mut out, event, host);
                serde_json::from_slice::<Value>(&out).expect("a row is JSON")
            };
            let first = row(&event, &host);
            for column in table.columns.iter().filter(|column| column.field.applies_to(Seen::only(kind))) {
                let field = by_column(column.field.column).expect("a column is a field's");
                assert_eq!(
                    first.get(column.field.column).is_some(),
                    as_line(field.of(&event, &host)).is_some(),
                    "{}.{}",
                    table.name,
                    column.field.column
                );
            }
            let (again, host) = build(&first).unwrap_or_else(|errors| panic!("{first}: {errors:?}"));
            assert_eq!(row(&again, &host), first);
            let message: sensor_proto::v1::Row = serde_json::from_value(first.clone()).expect("a row is a message");
            assert_eq!(serde_json::to_value(message).expect("a message is JSON"), first);
        }
    }
}

#[test]
fn alerts_tell_the_parts_of_an_event() {
    for kind in EventType::ALL.into_iter().filter(is_of_acts) {
        let described = kind.described();
        assert!(!described.parts.is_empty(), "{}: an alert tells nothing of it", kind.word());
        let alert_of = |message_type| {
            let (event, host) = built(kind);
            let policy = Policy { message_type, ..(*Alert::sample().policy).clone() };
            Alert::new(Arc::new(policy), "match".into(), event, Arc::new(host))
        };
        let (alert, recorded) = (alert_of(MessageType::Alert), alert_of(MessageType::Audit));
        let line = |write: fn(&mut Vec<u8>, &Alert, usize) -> bool, alert: &Alert| {
            let mut out = Vec::new();
            write(&mut out, alert, usize::MAX);
            String::from_utf8(out).expect("text")
        };
        let cef = line(cef::write, &alert);
        assert!(cef.contains(kind.word()) && cef.contains("/bin/actor"), "{cef}");
        let parsed = |write, alert| serde_json::from_str::<Value>(&line(write, alert)).expect("JSON");
        let (ecs, ocsf) = (parsed(ecs::write, &alert), parsed(ocsf::write, &alert));
        assert_ne!(ecs["event"]["category"], Value::Null, "{ecs}");
        assert_ne!(parsed(ocsf::write, &recorded)["class_uid"], Value::Null);
        let data = &ocsf["evidences"][0]["data"];
        for part in described.parts {
            let told = |place: &Value| place.get(part.column).is_some_and(|value| !value.is_null());
            assert!(told(&ecs["sensor"]["event"]) && told(data), "{} is not told: {ecs} {ocsf}", part.name);
        }
        let sentence = alert.event.sentence("the policy");
        assert!(sentence.contains("/bin/actor") && sentence.ends_with("policy the policy"), "{sentence}");
        assert!(!sentence.contains("violated"), "{sentence}: it says what was done");
    }
}
