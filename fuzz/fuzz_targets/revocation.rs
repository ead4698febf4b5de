//! Revocation lists against certificates: what is read of them, which one counts, and what follows.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| delivery::fuzzing::revocation(bytes));
