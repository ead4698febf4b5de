//! Files of the state, our own and the script's: any bytes are read or refused, and what was read is written as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sensor_siem::state::{State, script::Script};

fuzz_target!(|bytes: &[u8]| {
    let _ = Script::parse(bytes);
    if let Ok((state, whole)) = State::parse(bytes) {
        assert!(whole <= bytes.len());
        let anew = state.lines().collect::<Vec<_>>().concat();
        assert_eq!(State::parse(&anew), Ok((state, anew.len())));
    }
});
