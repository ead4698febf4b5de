//! Configurations: any bytes are read or refused, with a report that can be shown.
#![no_main]

use diagnostic::Appearance;
use libfuzzer_sys::fuzz_target;
use sensor_agent::config::check_text;

fuzz_target!(|bytes: &[u8]| {
    let _ = check_text(bytes).render(Appearance::PLAIN);
});
