//! ZeroMQ's protocol: what a receiver says first, and its frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| delivery::fuzzing::zmtp(bytes));
