//! Replies of an object store: two bytes of status, then the body.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((status, body)) = bytes.split_first_chunk() else { return };
    delivery::fuzzing::store_reply(u16::from_be_bytes(*status), body);
});
