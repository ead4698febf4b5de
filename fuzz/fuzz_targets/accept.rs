//! The `Accept` header of who asks for metrics: whoever names no OpenMetrics gets the text format.
#![no_main]

use exposition::Form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    let form = Form::asked_for(Some(header));
    assert!(form == Form::Text || header.to_ascii_lowercase().contains("openmetrics"));
});
