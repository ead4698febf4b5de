//! Record bytes: from the ring buffer into events and rows.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sensor_agent::event::decode::decode;
use sensor_agent::event::json::RowWriter;
use sensor_agent::event::{Host, tables};
use sensor_agent::process::{Table, users::Users};

static WRITER: LazyLock<RowWriter> =
    LazyLock::new(|| RowWriter::new(tables::by_name("process_events").expect("the table exists")));

fuzz_target!(|records: Vec<Vec<u8>>| {
    let mut table = Table::new(8, Users::start().expect("a thread can be started"));
    let mut out = Vec::new();
    for bytes in &records {
        let Ok(record) = decode(bytes) else { continue };
        if let Some(event) = table.apply(&record, record.time()) {
            out.clear();
            WRITER.write(&mut out, &event, &Host::default());
            assert!(out.ends_with(b"}\n"));
            table.recycle(event);
        }
    }
});
