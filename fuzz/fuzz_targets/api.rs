//! What a client of the public API sends: a query, an object, a form, a cursor, a time.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| sensor_central::api::fuzzing::api(bytes));
