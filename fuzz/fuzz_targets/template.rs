//! Alert templates: any text is parsed and checked against a sample alert, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sensor_agent::alert::Template;
use sensor_agent::diagnostic::{Report, Span, Spanned};

fuzz_target!(|text: &str| {
    let mut report = Report::default();
    let source = report.add_source("fuzz", text);
    let span = Span { source, bytes: 0..text.len() };
    let _ = Template::parse(&Spanned { value: text.to_owned(), span, verbatim: true }, &mut report);
});
