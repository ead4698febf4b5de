//! The file of the host's users.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sensor_agent::fuzzing::passwd(text));
