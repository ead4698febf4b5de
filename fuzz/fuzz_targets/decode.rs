//! Record bytes, each behind its length in two bytes: from the ring buffer into events, all their fields, and rows. A record that begins with
//! a kind other than 0 gets the header of this version, so that kept inputs outlive a change of it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use schema::classes::process::PROCESS_EVENTS;
use sensor_agent::event::Host;
use sensor_agent::event::decode::decode;
use sensor_agent::event::fields::FIELDS;
use sensor_agent::event::json::{RowWriter, as_text};
use sensor_agent::process::{Table, users::Users};
use sensor_ebpf::record::LAYOUT_VERSION;

static WRITER: LazyLock<RowWriter> = LazyLock::new(|| RowWriter::new(&PROCESS_EVENTS));

fuzz_target!(|bytes: &[u8]| {
    let mut table = Table::new(8, Users::start().expect("a thread can be started"));
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((length, following)) = rest.split_first_chunk() {
        let (record, following) = following.split_at(usize::from(u16::from_le_bytes(*length)).min(following.len()));
        rest = following;
        let record = with_header(record);
        let Ok(record) = decode(&record) else { continue };
        if let Some(event) = table.apply(&record, record.time()) {
            out.clear();
            WRITER.write(&mut out, &event, &Host::default());
            assert!(out.ends_with(b"}\n"));
            for field in &FIELDS {
                let _ = as_text(field.of(&event, &Host::default()));
            }
            assert!(!event.sentence("policy").is_empty());
            table.recycle(event);
        }
    }
});

fn with_header(record: &[u8]) -> Vec<u8> {
    let Some((&kind @ 1.., rest)) = record.split_first() else { return record.get(1..).unwrap_or_default().to_vec() };
    let length = u32::try_from(size_of::<u64>() + rest.len()).unwrap_or(u32::MAX);
    [&LAYOUT_VERSION.to_ne_bytes()[..], &u16::from(kind).to_ne_bytes(), &length.to_ne_bytes(), rest].concat()
}
