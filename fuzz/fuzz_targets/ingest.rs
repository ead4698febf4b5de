//! What is posted to Central: the first byte says how the body is compressed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some((&encoding, body)) = bytes.split_first() {
        sensor_central::ingest::fuzzing::ingest(encoding, body);
    }
});
