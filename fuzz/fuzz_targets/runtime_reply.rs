//! What a container runtime answers to the sensor.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    containers::fuzzing::docker(bytes);
    containers::fuzzing::cri(bytes);
});
