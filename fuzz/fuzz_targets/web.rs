//! What a browser asks the web pages for, and what alerts say that they show.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| sensor_central::web::fuzzing::web(bytes));
