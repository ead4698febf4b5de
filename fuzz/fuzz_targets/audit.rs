//! The text of audit messages, behind two bytes each of type, refusal and length as sent, which anyone with the right may send: taken apart, into a row, and into rules' fields.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use schema::EventType;
use schema::classes::audit::AUDIT_USER_MSG;
use sensor_agent::event::json::RowWriter;
use sensor_agent::event::{AuditMessage, Detail, Event, Host, Process, fields};

static WRITER: LazyLock<RowWriter> = LazyLock::new(|| RowWriter::new(&AUDIT_USER_MSG));

fuzz_target!(|bytes: &[u8]| {
    let Some((&[a, b, c, d, e, f], text)) = bytes.split_first_chunk() else { return };
    let [message_type, refusal, sent] = [[a, b], [c, d], [e, f]].map(u16::from_le_bytes);
    let message = AuditMessage::new(message_type, text, sent.into(), refusal);
    for pair in message.pairs().iter() {
        let equals = pair.iter().position(|&byte| byte == b'=').expect("a pair has a key");
        assert!(std::str::from_utf8(&pair[..equals]).is_ok(), "keys are plain");
    }
    let host = Host::default();
    let detail = Detail::Audit(Arc::new(message));
    let event = Event { kind: EventType::AuditMessage, time: 1, process: Arc::new(Process::default()), detail };
    for field in &fields::FIELDS {
        let _ = field.of(&event, &host);
    }
    let mut out = Vec::new();
    WRITER.write(&mut out, &event, &host);
    assert!(out.ends_with(b"}\n"));
    assert!(!out[..out.len() - 1].contains(&b'\n'));
});
