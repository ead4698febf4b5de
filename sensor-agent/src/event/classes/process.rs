//! What happens to processes: how they end, and why a program could not be run.

use schema::EventType;
use schema::classes::process as facts;

use super::Class;
use crate::event::build::Draft;
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Detail, Event, Value};

pub(super) const CLASS: Class = Class { fields: FIELDS, readers: &[], detail, sentence };

const FIELDS: &[Field] = &[
    of_event(
        &facts::EXIT_CODE,
        |event, _| match event.detail {
            Detail::Exit { code, signal: 0, .. } => Value::Int(i64::from(code)),
            _ => Value::Absent,
        },
        |d, v| {
            d.likely(EventType::Exit);
            v.put(&mut d.part::<Written>().code)
        },
    ),
    of_event(
        &facts::EXIT_SIGNAL,
        |event, _| match event.detail {
            Detail::Exit { signal, .. } if signal != 0 => Value::Int(i64::from(signal)),
            _ => Value::Absent,
        },
        |d, v| {
            d.likely(EventType::Exit);
            v.put(&mut d.part::<Written>().signal)
        },
    ),
    of_event(
        &facts::ERRNO,
        |event, _| match event.detail {
            Detail::ExecFailed { errno, .. } => Value::Int(i64::from(errno)),
            _ => Value::Absent,
        },
        |d, v| {
            d.likely(EventType::ExecFailed);
            v.put(&mut d.part::<Written>().errno)
        },
    ),
];

/// How a process ended, and why an exec failed, in an event that is written down by hand.
#[derive(Default)]
struct Written {
    code: u8,
    signal: u8,
    errno: i32,
}

fn detail(kind: EventType, draft: &mut Draft) -> Detail {
    let &mut Written { code, signal, errno } = draft.part();
    match kind {
        EventType::Exit => Detail::Exit { code, signal, core_dumped: false },
        EventType::ExecFailed => Detail::ExecFailed { errno },
        _ => Detail::None,
    }
}

fn sentence(event: &Event, policy: &str) -> String {
    let image = &event.process.image;
    let program = lossless(&image.path);
    match event.detail {
        Detail::ExecFailed { errno: libc::ENOEXEC } => {
            let file = image.script().map(lossless).unwrap_or_default();
            format!("The kernel refused to run {file}, which {program} may read as a script; policy {policy}")
        }
        Detail::ExecFailed { .. } => {
            format!("The attempt to run {} violated policy {policy}", lossless(&image.filename))
        }
        _ => format!("Program {program} violated policy {policy}"),
    }
}
