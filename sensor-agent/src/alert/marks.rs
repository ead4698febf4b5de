//! What an alert says of its event that is not whole, or not sure: the same marks in every format.
//!
//! Each is written only if it is so, as `true`. What an output's `max_bytes` cut is told apart from these, by
//! [`super::cuts`].

use sensor_ebpf::record::exec_flags;

use crate::event::{Detail, Event, Process};

/// One mark.
pub(crate) struct Mark {
    /// The key in JSON.
    pub name: &'static str,
    /// What it is about.
    pub of: Of,
    /// Whether something is missing; else it is there and in doubt.
    pub is_cut: bool,
}

/// What a mark is read from.
pub(crate) enum Of {
    /// A process: also of each ancestor.
    Process(fn(&Process) -> bool),
    /// The event alone.
    Event(fn(&Event) -> bool),
}

pub(crate) const LINEAGE: &str = "lineage_truncated";
pub(crate) const MESSAGE: &str = "message_truncated";
pub(crate) const CONTAINER_UNKNOWN: &str = "container_unknown";
pub(crate) const NAME: &str = "name_truncated";
pub(crate) const CWD: &str = "cwd_truncated";
pub(crate) const ARGS: &str = "args_truncated";
pub(crate) const ARGS_LATE: &str = "args_read_late";
pub(crate) const USER_MOUNTS: &str = "is_user_mounts";

pub(crate) const MARKS: &[Mark] = &[
    Mark { name: LINEAGE, of: Of::Event(|event| event.process.lineage_cut), is_cut: true },
    Mark { name: MESSAGE, of: Of::Event(is_cut_message), is_cut: true },
    Mark { name: CONTAINER_UNKNOWN, of: Of::Event(|event| event.process.container_unknown), is_cut: false },
    Mark { name: NAME, of: Of::Process(|process| process.image.lacks_beginning()), is_cut: true },
    Mark { name: CWD, of: Of::Process(|process| process.image.cwd_lacks_beginning()), is_cut: true },
    Mark { name: ARGS, of: Of::Process(|process| process.image.args.is_cut()), is_cut: true },
    Mark { name: ARGS_LATE, of: Of::Process(|process| process.image.is(exec_flags::ARGS_LATE)), is_cut: false },
    Mark { name: USER_MOUNTS, of: Of::Process(|process| process.image.is(exec_flags::USER_MOUNTS)), is_cut: false },
];

/// What is so of an event and its process.
pub(crate) fn of_event(event: &Event) -> impl Iterator<Item = &'static Mark> {
    MARKS.iter().filter(|mark| match mark.of {
        Of::Process(is_so) => is_so(&event.process),
        Of::Event(is_so) => is_so(event),
    })
}

/// What is so of a process, an ancestor say.
pub(crate) fn of_process(process: &Process) -> impl Iterator<Item = &'static Mark> {
    MARKS.iter().filter(|mark| matches!(mark.of, Of::Process(is_so) if is_so(process)))
}

/// Whether this mark is among them.
pub(crate) fn has(mut marks: impl Iterator<Item = &'static Mark>, name: &str) -> bool {
    marks.any(|mark| mark.name == name)
}

fn is_cut_message(event: &Event) -> bool {
    matches!(&event.detail, Detail::Audit(message) if message.is_cut)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use diagnostic::{Report, Span, Spanned};
    use schema::{Class, TABLES, Type};
    use serde_json::{Value, json};

    use super::*;
    use crate::alert::{Alert, Template, cef, ecs, json, ocsf};
    use crate::event::NOT_WHOLE;
    use crate::event::build::build;
    use crate::event::fields::FIELDS;
    use crate::policy::{MessageType, Policy};

    /// An alert of which this mark holds; without a name, none.
    fn marked(name: &str, message_type: MessageType) -> Alert {
        let mut event = json!({
            "programName": "/bin/x", "args": ["x"], "cwd": "/", "processPid": 7,
            "lineage": [{"processPid": 1, "programName": "/sbin/init"}],
        });
        if name == MESSAGE {
            event["messageTypeName"] = "USER_LOGIN".into();
            event["message"] = "op=login acct=\"bob\" res=success".into();
            event["messageTruncated"] = true.into();
        }
        let (mut event, host) = build(&event).unwrap();
        let mut process = (*event.process).clone();
        let mut image = (*process.image).clone();
        match name {
            LINEAGE => process.lineage_cut = true,
            CONTAINER_UNKNOWN => process.container_unknown = true,
            NAME => image.path = [NOT_WHOLE, b"/x"].concat(),
            CWD => image.cwd = [NOT_WHOLE, b"/d"].concat(),
            ARGS => image.args.set(b"x\0", b"y\0", 100, false),
            ARGS_LATE => image.flags |= exec_flags::ARGS_LATE,
            USER_MOUNTS => image.flags |= exec_flags::USER_MOUNTS,
            MESSAGE | "" => {}
            other => panic!("{other} has no way to come about"),
        }
        process.image = Arc::new(image);
        event.process = Arc::new(process);
        let policy = Policy { message_type, ..(*Alert::sample().policy).clone() };
        Alert::new(Arc::new(policy), "match uid == 0".into(), event, Arc::new(host))
    }

    fn line(write: fn(&mut Vec<u8>, &Alert, usize) -> bool, alert: &Alert) -> String {
        let mut out = Vec::new();
        assert!(!write(&mut out, alert, usize::MAX), "the bound cuts nothing");
        String::from_utf8(out).unwrap()
    }

    fn parsed(write: fn(&mut Vec<u8>, &Alert, usize) -> bool, alert: &Alert) -> Value {
        serde_json::from_str(&line(write, alert)).unwrap()
    }

    fn template(text: &str) -> Template {
        let mut report = Report::default();
        let source = report.add_source("test.yaml", text);
        let span = Span { source, bytes: 0..text.len() };
        Template::parse(&Spanned { value: text.to_owned(), span, verbatim: true }, &mut report).unwrap()
    }

    /// Where each mark stands in JSON, in CEF (the key's label), and in templates.
    const PLACES: &[(&str, &str, &str, &str)] = &[
        (LINEAGE, "/lineage_truncated", "truncated", ".LineageTruncated"),
        (MESSAGE, "/message_truncated", "truncated", ".MessageTruncated"),
        (CONTAINER_UNKNOWN, "/location/container_unknown", "containerUnknown", ".Location.ContainerUnknown"),
        (NAME, "/process_info/name_truncated", "truncated", ".ProcessInfo.NameTruncated"),
        (CWD, "/process_info/cwd_truncated", "truncated", ".ProcessInfo.CwdTruncated"),
        (ARGS, "/process_info/args_truncated", "truncated", ".ProcessInfo.ArgsTruncated"),
        (ARGS_LATE, "/process_info/args_read_late", "argsReadLate", ".ProcessInfo.ArgsReadLate"),
        (USER_MOUNTS, "/process_info/is_user_mounts", "isUserMounts", ".ProcessInfo.IsUserMounts"),
    ];

    #[test]
    fn every_mark_is_in_every_format_if_and_only_if_it_is_so() {
        assert_eq!(PLACES.len(), MARKS.len());
        for mark in MARKS {
            let (_, pointer, label, field) =
                PLACES.iter().find(|(name, ..)| *name == mark.name).unwrap_or_else(|| panic!("{}", mark.name));
            for name in [mark.name, ""] {
                let is_so = !name.is_empty();
                let found = marked(name, MessageType::Alert);
                let said = |value: Option<&Value>| value.is_some_and(|value| value == true);
                assert_eq!(said(parsed(json::write, &found).pointer(pointer)), is_so, "{} in JSON", mark.name);
                let cef = line(cef::write, &found);
                assert_eq!(cef.contains(&format!("Label={label} ")), is_so, "{} in {cef}", mark.name);
                let ecs = parsed(ecs::write, &found);
                assert_eq!(said(ecs["sensor"].get(mark.name)), is_so, "{} in {ecs:#}", mark.name);
                for message_type in [MessageType::Alert, MessageType::Audit] {
                    let ocsf = parsed(ocsf::write, &marked(name, message_type));
                    assert_eq!(said(ocsf["unmapped"].get(mark.name)), is_so, "{} in {ocsf:#}", mark.name);
                }
                let text = template(&format!("{{{{ {field} }}}}")).render(&found).unwrap().unwrap();
                assert_eq!(text, is_so.to_string(), "{} in a template", mark.name);
            }
        }
    }

    #[test]
    fn marks_of_ancestors_are_told_too() {
        let mut alert = marked("", MessageType::Alert);
        let parent = (*marked(ARGS_LATE, MessageType::Alert).event.process).clone();
        let mut process = (*alert.event.process).clone();
        process.parent = Some(Arc::new(parent));
        alert.event.process = Arc::new(process);
        assert_eq!(parsed(json::write, &alert)["lineage"][0][ARGS_LATE], true);
        assert_eq!(parsed(ecs::write, &alert)["sensor"]["lineage"][0][ARGS_LATE], true);
        assert_eq!(parsed(ocsf::write, &alert)["unmapped"]["ancestry"], json!([{"pid": 7, ARGS_LATE: true}]));
    }

    /// A field that says that another is not whole or late is a mark here, and a column where that other one is.
    #[test]
    fn every_field_that_casts_doubt_is_a_mark_and_a_column() {
        let doubts = FIELDS.iter().filter(|field| {
            field.ty == Type::Bool && (field.column.ends_with("_truncated") || field.column.ends_with("_late"))
        });
        for field in doubts {
            let name = if field.column == "path_truncated" { NAME } else { field.column };
            assert!(MARKS.iter().any(|mark| mark.name == name), "{}", field.column);
            let about = match field.column {
                "lineage_truncated" => "parents",
                column => column.rsplit_once('_').unwrap().0.trim_end_matches("_read"),
            };
            for table in TABLES.iter().filter(|table| table.class() == tables_class(field.column)) {
                let has = |name| table.columns.iter().any(|column| column.field.column == name);
                assert!(!has(about) || has(field.column), "{} has {about} without {}", table.name, field.column);
            }
        }
    }

    fn tables_class(column: &str) -> Option<Class> {
        Some(if column == MESSAGE { Class::Audit } else { Class::Process })
    }
}
