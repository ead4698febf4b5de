//! Replies of a Splunk collector, one a line, to a batch of as many events as the first byte says.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&events, bodies)) = bytes.split_first() else { return };
    let bodies: Vec<&[u8]> = bodies.split(|&byte| byte == b'\n').collect();
    delivery::fuzzing::splunk_reply(usize::from(events), &bodies);
});
