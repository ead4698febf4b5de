//! Replies of Central to a batch. The input's first line is status, number of messages and `Retry-After`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return };
    let Ok(head) = std::str::from_utf8(&bytes[..end]) else { return };
    let mut words = head.splitn(3, ' ');
    let mut number = || words.next().and_then(|word| word.parse::<u16>().ok());
    let (Some(status), Some(messages)) = (number(), number()) else { return };
    delivery::fuzzing::mcs_reply(status, words.next().unwrap_or_default(), messages.into(), &bytes[end + 1..]);
});
