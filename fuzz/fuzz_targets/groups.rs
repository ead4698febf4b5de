//! Paths of control groups, whose names containers' runtimes and users choose: a byte for the namespace's root, then the
//! path.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| sensor_agent::fuzzing::groups(input.0.into(), input.1));
