//! The control socket: requests as any local program may write them, and replies.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sensor_agent::fuzzing::control(bytes));
