//! Configurations of the SIEM script: any text is read or refused, with a report that can be shown.
#![no_main]

use std::path::Path;

use diagnostic::{Appearance, Report};
use libfuzzer_sys::fuzz_target;
use sensor_siem::config_ini::read;

fuzz_target!(|text: &str| {
    let mut report = Report::default();
    let config = read("config.ini", text, Path::new("/"), &mut report);
    assert_eq!(config.is_none(), report.has_errors());
    let _ = report.render(Appearance::PLAIN);
});
